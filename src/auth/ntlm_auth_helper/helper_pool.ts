/**
 * A bounded number of helper processes, lent to one exchange at a time.
 *
 * The helper that made a challenge has to see the answer to it, so a process waits on a client in between.
 * A client that lets it wait holds up others, so it may do so for NTLM_HELPER_HOLD_MS, and for no more than
 * NTLM_HELPER_TURN_MS while others want a process. What such a client says later is `unavailable`. Who
 * waits takes turns by client address: many silent clients of one hold up the next one for one turn.
 *
 * A new NEGOTIATE makes a helper forget the exchange before, so a process whose client is gone is lent
 * again as it is, once it has answered what it was asked. One that has failed is ended, and the next
 * exchange starts another, though none for a second.
 *
 * *Knows* processes and time. *Does not know* NTLM.
 */

import { Buffer } from "node:buffer";
import { getLogger } from "@logtape/logtape";
import {
  NTLM_HELPER_HOLD_MS,
  NTLM_HELPER_QUEUE_LENGTH,
  NTLM_HELPER_REPLY_MS,
  NTLM_HELPER_RESTART_MS,
  NTLM_HELPER_TURN_MS,
  NTLM_HELPER_WAIT_MS,
} from "../../limits.ts";
import { countedAddress } from "../../counted_address.ts";
import { FairQueue } from "../fair_queue.ts";
import type { HelperChallenge, HelperVerdict, NtlmHelper } from "../mechanisms/ntlm_by_helper.ts";
import { HelperProcess } from "./helper_process.ts";
import { type HelperReply, parseHelperReply } from "./helper_reply.ts";

const logger = getLogger(["popkeep", "auth"]);

const UNAVAILABLE = { kind: "unavailable" } as const;

export interface HelperPoolOptions {
  /** The program and its arguments, without the one that names the protocol. */
  readonly command: readonly string[];
  /** Most processes at once. */
  readonly processes: number;
  /** Limits in ms, for tests that cannot wait. */
  readonly replyMs?: number;
  readonly holdMs?: number;
  readonly turnMs?: number;
  readonly waitMs?: number;
  readonly restartMs?: number;
}

interface Waiter {
  /** The time for waiting was over before the turn came. */
  isOver: boolean;
  take(process: HelperProcess | undefined): void;
}

export class NtlmAuthHelpers implements NtlmHelper {
  readonly #command: readonly string[];
  readonly #limits: Required<Omit<HelperPoolOptions, "command">>;
  readonly #idle: HelperProcess[] = [];
  readonly #lent = new Set<HelperProcess>();
  readonly #waiting = new FairQueue<Waiter>(NTLM_HELPER_QUEUE_LENGTH);
  /** Whose turn it was when there was no process to be had. */
  #next: Waiter | undefined;
  #failedAtMs = -Infinity;
  #closed = false;

  constructor({ command, ...limits }: HelperPoolOptions) {
    this.#command = [...command, "--helper-protocol=squid-2.5-ntlmssp"];
    this.#limits = {
      replyMs: NTLM_HELPER_REPLY_MS,
      holdMs: NTLM_HELPER_HOLD_MS,
      turnMs: NTLM_HELPER_TURN_MS,
      waitMs: NTLM_HELPER_WAIT_MS,
      restartMs: NTLM_HELPER_RESTART_MS,
      ...limits,
    };
  }

  async begin(negotiate: Uint8Array, address: string): Promise<HelperChallenge> {
    const helper = await this.#borrow(countedAddress(address));
    if (helper === undefined) return UNAVAILABLE;
    const reply = await this.#ask(helper, "YR", negotiate);
    if (reply.kind === "challenge") return this.#hold(helper, reply.octets);
    this.#giveBack(helper);
    // A NEGOTIATE_MESSAGE that a helper will not have is the client's fault.
    return reply.kind === "wrong" ? { kind: "malformed" } : UNAVAILABLE;
  }

  /** Ends all processes. What is under way comes to `unavailable`. */
  close(): void {
    this.#closed = true;
    for (const helper of [...this.#idle.splice(0), ...this.#lent]) helper.end();
    this.#next?.take(undefined);
    for (const waiter of this.#waiting.clear()) waiter.take(undefined);
  }

  /** Lets the helper wait for the client, and takes it away from a client that is too slow. */
  #hold(helper: HelperProcess, octets: Uint8Array): HelperChallenge {
    const { holdMs, turnMs } = this.#limits;
    let held = true;
    const letGo = (): boolean => {
      const was = held;
      held = false;
      clearInterval(turns);
      clearTimeout(end);
      return was;
    };
    const release = (): void => {
      if (letGo()) this.#giveBack(helper);
    };
    const turns = setInterval(() => {
      if (this.#next !== undefined || this.#waiting.length > 0) release();
    }, turnMs);
    const end = setTimeout(release, holdMs);
    return {
      kind: "challenge",
      octets,
      release,
      finish: async (authenticate): Promise<HelperVerdict> => {
        if (!letGo()) return UNAVAILABLE;
        const reply = await this.#ask(helper, "KK", authenticate);
        this.#giveBack(helper);
        return reply.kind === "right" || reply.kind === "wrong" ? reply : UNAVAILABLE;
      },
    };
  }

  async #ask(helper: HelperProcess, word: string, octets: Uint8Array): Promise<HelperReply> {
    const line = `${word} ${Buffer.from(octets).toString("base64")}`;
    const answer = await helper.ask(line, this.#limits.replyMs);
    if (answer === undefined) return { kind: "unavailable", said: "" };
    const reply = parseHelperReply(answer);
    if (reply.kind === "unavailable") {
      logger.error("the NTLM helper cannot tell", { said: reply.said });
    }
    return reply;
  }

  /** A process to use alone until it is given back; undefined if there will be none soon. */
  #borrow(source: string): Promise<HelperProcess | undefined> {
    const ready = this.#closed ? undefined : this.#takeIdle() ?? this.#start();
    if (ready !== undefined || this.#closed || this.#lent.size < this.#limits.processes) {
      return Promise.resolve(ready);
    }
    const turn = Promise.withResolvers<HelperProcess | undefined>();
    const waiter: Waiter = {
      isOver: false,
      take: (helper) => {
        clearTimeout(timer);
        waiter.isOver = true;
        turn.resolve(helper);
      },
    };
    const timer = setTimeout(() => waiter.take(undefined), this.#limits.waitMs);
    this.#waiting.push(waiter, { source, known: false })?.take(undefined);
    return turn.promise;
  }

  #takeIdle(): HelperProcess | undefined {
    for (let helper; (helper = this.#idle.pop()) !== undefined;) {
      if (!helper.usable) continue;
      this.#lent.add(helper);
      return helper;
    }
    return undefined;
  }

  /** Undefined where all processes that may be are lent, or the last one failed just now. */
  #start(): HelperProcess | undefined {
    if (this.#lent.size >= this.#limits.processes) return undefined;
    if (performance.now() - this.#failedAtMs < this.#limits.restartMs) return undefined;
    const helper = new HelperProcess(this.#command);
    this.#lent.add(helper);
    return helper;
  }

  #giveBack(helper: HelperProcess): void {
    this.#lent.delete(helper);
    if (helper.usable) this.#idle.push(helper);
    else this.#failedAtMs = performance.now();
    for (let waiter = this.#nextWaiter(); waiter !== undefined; waiter = this.#nextWaiter()) {
      const next = this.#takeIdle() ?? this.#start();
      // Without one there is something to wait for only while others are lent.
      if (next === undefined && this.#lent.size > 0) return void (this.#next = waiter);
      waiter.take(next);
    }
  }

  /** Whose turn it is, and has not waited too long. */
  #nextWaiter(): Waiter | undefined {
    let waiter = this.#next ?? this.#waiting.shift();
    this.#next = undefined;
    while (waiter?.isOver) waiter = this.#waiting.shift();
    return waiter;
  }
}
