/**
 * Answers what workers ask about logins, by the one guard that there is for all of them. What a worker had
 * under way when it ended is dropped.
 *
 * *Knows* the guard, workers by number. *Does not know* how messages travel.
 */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { LoginAttempt } from "../login_guard.ts";
import {
  type BeginAnswer,
  GUARD_DROPPED,
  GUARD_QUESTIONS,
  type GuardSecrets,
  type LoginEnd,
  type LoginWho,
} from "./guard_messages.ts";
import type { GuessingGuard } from "./guessing_guard.ts";
import { GuessingKeys } from "./keys.ts";

export class GuardForWorkers {
  readonly #pairFailed: (pair: string) => void;
  readonly #triedKey = randomBytes(32).toString("base64url");
  /** By worker, those that have begun and not ended. */
  readonly #attempts = new Map<number, Map<number, LoginAttempt>>();
  #guard: GuessingGuard;
  #keys: GuessingKeys;
  #lastAttempt = 0;

  /** @param pairFailed Tells all workers. */
  constructor(guard: GuessingGuard, pairFailed: (pair: string) => void) {
    this.#guard = guard;
    this.#keys = new GuessingKeys(guard.key);
    this.#pairFailed = pairFailed;
  }

  /** Goes on with another guard; attempts that have begun end with the one before. */
  set guard(guard: GuessingGuard) {
    this.#guard = guard;
    this.#keys = new GuessingKeys(guard.key);
  }

  get secrets(): GuardSecrets {
    return { key: this.#guard.key, triedKey: this.#triedKey };
  }

  /** Undefined for a question that is none of ours. */
  asked(worker: number, question: string, value: unknown): Promise<unknown> | undefined {
    switch (question) {
      case GUARD_QUESTIONS.begin:
        return this.#begin(worker, value as LoginWho);
      case GUARD_QUESTIONS.failed:
        return this.#failed(worker, value as LoginEnd);
      case GUARD_QUESTIONS.succeeded:
        return this.#succeeded(worker, value as LoginEnd);
      case GUARD_QUESTIONS.isDelayed: {
        const { address, user } = value as LoginWho;
        return this.#guard.isDelayed(address, user);
      }
      default:
        return undefined;
    }
  }

  told(worker: number, event: string, value: unknown): void {
    if (event === GUARD_DROPPED) this.#take(worker, value as LoginEnd)?.dropped();
  }

  /** A worker has begun; before it asks anything. */
  began(worker: number): void {
    this.#attempts.set(worker, new Map());
  }

  gone(worker: number): void {
    const attempts = this.#attempts.get(worker)?.values() ?? [];
    this.#attempts.delete(worker);
    for (const attempt of attempts) attempt.dropped();
  }

  async #begin(worker: number, { address, user }: LoginWho): Promise<BeginAnswer> {
    const attempts = this.#attempts.get(worker);
    const begun = await this.#guard.begin(address, user);
    if (begun.kind !== "open") return begun;
    // The worker ended while it stood in line, and another may have its number by now.
    if (attempts === undefined || attempts !== this.#attempts.get(worker)) {
      begun.dropped();
      return { kind: "unavailable" };
    }
    const attempt = ++this.#lastAttempt;
    attempts.set(attempt, begun);
    return { kind: "open", attempt, turn: begun.turn };
  }

  async #failed(worker: number, end: LoginEnd): Promise<void> {
    const { address, user, tried } = end;
    const octets = tried === undefined ? undefined : Buffer.from(tried, "base64url");
    this.#pairFailed(this.#keys.of(address, user).pair);
    if (end.attempt === undefined) await this.#guard.failedElsewhere(address, user, octets);
    else await this.#take(worker, end)?.failed(octets);
  }

  async #succeeded(worker: number, end: LoginEnd): Promise<boolean> {
    await this.#take(worker, end)?.succeeded();
    return this.#guard.isClear(end.address, end.user);
  }

  #take(worker: number, { attempt }: LoginEnd): LoginAttempt | undefined {
    const attempts = this.#attempts.get(worker);
    const taken = attempt === undefined ? undefined : attempts?.get(attempt);
    if (attempt !== undefined) attempts?.delete(attempt);
    return taken;
  }
}
