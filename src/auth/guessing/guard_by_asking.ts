/**
 * The guard of one of several workers: it asks the supervisor, who has the one guard of all.
 *
 * Not asked for is who needs nothing but to fail: a user who logged in from the same address through this
 * worker within the last minutes, while nobody has failed as him from there. That is nearly everybody who
 * polls, so most logins cost no message. A failure is always told, and all workers then ask again. Of more
 * than a few that are under way at once the supervisor is asked: nobody is to guess beside his own login.
 *
 * When the supervisor is gone, logins that would have to be asked about are `unavailable`.
 *
 * *Knows* names and addresses. *Does not know* how messages travel, limits.
 */

import { createHmac } from "node:crypto";
import { KNOWN_LOGINS_AT_ONCE } from "../../limits.ts";
import type { Soon } from "../at_once.ts";
import { addressesIn, type AllowedNetworks } from "../allowed_networks.ts";
import {
  type AttemptOrRefusal,
  freeAttempt,
  type LoginAttempt,
  type LoginGuard,
} from "../login_guard.ts";
import {
  type BeginAnswer,
  GUARD_DROPPED,
  GUARD_QUESTIONS,
  type GuardSecrets,
  type LoginEnd,
  type LoginWho,
} from "./guard_messages.ts";
import type { GuessingOptions } from "./guessing_guard.ts";
import { GuessingKeys, type LoginKeys } from "./keys.ts";
import { UnderWay } from "./under_way.ts";

/** How long a user is let through without asking, ms: the supervisor is to hear of him now and then. */
const CLEAR_MS = 600_000;

/** Users that are; about 200 octets each. Beyond it the one of longest ago is asked about again. */
const CLEAR_PAIRS = 50_000;

/** How the supervisor is reached. */
export interface GuardLink {
  ask(question: string, value: unknown): Promise<unknown>;
  tell(event: string, value: unknown): void;
}

export class GuardByAsking implements LoginGuard {
  readonly #link: GuardLink;
  #secrets: GuardSecrets;
  #keys: GuessingKeys;
  #isNeverBlocked: AllowedNetworks;
  /** By pair: which logins of it are clear, and until when. The least lately noted first. */
  readonly #clear = new Map<string, { readonly known: string; readonly untilMs: number }>();
  readonly #clearUnderWay = new UnderWay(KNOWN_LOGINS_AT_ONCE);
  /** Pairs whose login is being noted: false once they have failed meanwhile. */
  readonly #noting = new Set<{ readonly pair: string; clear: boolean }>();

  /** @throws {Error} If an address of `neverBlocked` is none. */
  constructor(link: GuardLink, options: GuessingOptions, secrets: GuardSecrets) {
    this.#link = link;
    this.#isNeverBlocked = addressesIn(options.neverBlocked);
    this.#secrets = secrets;
    this.#keys = new GuessingKeys(secrets.key);
  }

  /** Goes on with other options. @throws {Error} As the constructor does; then nothing has changed. */
  reload(options: GuessingOptions): void {
    this.#isNeverBlocked = addressesIn(options.neverBlocked);
  }

  /** Goes on with other secrets: the supervisor has another guard. */
  set secrets(secrets: GuardSecrets) {
    if (secrets.key === this.#secrets.key) return;
    this.#secrets = secrets;
    this.#keys = new GuessingKeys(secrets.key);
    this.#clear.clear();
  }

  async isDelayed(address: string | undefined, user: string): Promise<boolean> {
    if (this.#isNeverBlocked(address) || this.#isClear(this.#keys.of(address, user))) return false;
    return await this.#link.ask(GUARD_QUESTIONS.isDelayed, whoIs(address, user))
      .catch(() => false) === true;
  }

  begin(address: string | undefined, user: string): Soon<AttemptOrRefusal> {
    const keys = this.#keys.of(address, user);
    if (this.#isNeverBlocked(address)) return freeAttempt(keys.address, true);
    const who = whoIs(address, user);
    const isLetThrough = this.#isClear(keys) && this.#clearUnderWay.enter(keys.pair);
    return isLetThrough ? this.#letThrough(who, keys) : this.#ask(who, keys);
  }

  #letThrough(who: LoginWho, keys: LoginKeys): LoginAttempt {
    let open = true;
    const leave = () => {
      if (open) this.#clearUnderWay.leave(keys.pair);
      open = false;
    };
    return {
      kind: "open",
      turn: { source: keys.address, known: true },
      failed: (tried) => this.#failed(who, keys, tried).finally(leave),
      succeeded: leave,
      dropped: leave,
    };
  }

  /** Somebody failed, here or in another worker. */
  pairFailed(pair: string): void {
    this.#clear.delete(pair);
    for (const noting of this.#noting) if (noting.pair === pair) noting.clear = false;
  }

  /** The waits are the supervisor's. */
  hasten(): void {}

  async #ask(who: LoginWho, keys: LoginKeys): Promise<AttemptOrRefusal> {
    let answer: BeginAnswer;
    try {
      answer = await this.#link.ask(GUARD_QUESTIONS.begin, who) as BeginAnswer;
    } catch {
      return { kind: "unavailable" };
    }
    if (answer.kind !== "open") return answer;
    const { attempt, turn } = answer;
    const end: LoginEnd = { ...who, attempt };
    const asked: LoginAttempt = {
      kind: "open",
      turn,
      failed: (tried) => this.#failed(end, keys, tried),
      succeeded: () => this.#succeeded(end, keys),
      dropped: () => this.#link.tell(GUARD_DROPPED, end),
    };
    return asked;
  }

  async #failed(end: LoginEnd, { pair }: LoginKeys, tried: Uint8Array | undefined): Promise<void> {
    this.pairFailed(pair);
    const secret = tried === undefined ? {} : { tried: this.#digest(tried) };
    // Nobody counts any more, and the server stops: the client is told all the same.
    await this.#link.ask(GUARD_QUESTIONS.failed, { ...end, ...secret }).catch(() => {});
  }

  async #succeeded(end: LoginEnd, { pair, known }: LoginKeys): Promise<void> {
    const noting = { pair, clear: true };
    this.#noting.add(noting);
    const isClear = await this.#link.ask(GUARD_QUESTIONS.succeeded, end).catch(() => false);
    this.#noting.delete(noting);
    if (isClear !== true || !noting.clear) return;
    this.#clear.delete(pair);
    this.#clear.set(pair, { known, untilMs: performance.now() + CLEAR_MS });
    for (const oldest of this.#clear.size <= CLEAR_PAIRS ? [] : this.#clear.keys()) {
      this.#clear.delete(oldest);
      break;
    }
  }

  #isClear({ pair, known }: LoginKeys): boolean {
    const clear = this.#clear.get(pair);
    return clear !== undefined && clear.known === known && performance.now() < clear.untilMs;
  }

  #digest(tried: Uint8Array): string {
    return createHmac("sha256", this.#secrets.triedKey).update(tried).digest("base64url");
  }
}

function whoIs(address: string | undefined, user: string): LoginWho {
  return address === undefined ? { user } : { address, user };
}
