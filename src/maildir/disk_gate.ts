/**
 * Calls to one filesystem that have to be waited for: how many at once, and for how long.
 *
 * The runtime has few threads for such calls, and one whose filesystem hangs is kept for as long as that
 * lasts: nobody can take it back. So
 * 1. calls to one filesystem have at most `FILESYSTEM_CALLS` threads, and half of those that others leave; those of
 *    one mailbox three quarters of that; further ones wait here, in order, and take no thread;
 * 2. a call that is not done within its time is overdue: who waits for it is told so. It keeps its place
 *    until it comes back, and what it then brings (an open file) is given up;
 * 3. as long as a mailbox has an overdue call its other calls fail at once. So nobody waits twice, and nobody
 *    works on where an earlier call may still change something;
 * 4. when all places of a filesystem are overdue, every other call to it fails at once.
 *
 * The log has a line when a filesystem begins to be overdue, and one when nothing is any more.
 *
 * *Knows* times and places. *Does not know* what is called.
 */

import { getLogger } from "@logtape/logtape";
import { DISK_THREADS, FILESYSTEM_CALLS } from "../limits.ts";
import { diskThreads } from "../platform/disk_threads.ts";
import { DiskTimeout } from "./disk.ts";

const log = getLogger(["popkeep", "maildir"]);

/** The threads that all filesystems share. */
export class ThreadShares {
  /** Calls that have begun and not come back. */
  taken = 0;
  #threads: number | undefined;

  constructor(threads?: number) {
    this.#threads = threads;
  }

  /** Counted when first asked for: who allows more of them does so when the program begins. */
  get threads(): number {
    return this.#threads ??= Math.min(DISK_THREADS, diskThreads());
  }
}

export interface DiskCall {
  /** The path of the mailbox, or whatever else stands or falls together. */
  readonly mailbox: string;
  /** Completes "waiting to ...". */
  readonly doing: string;
  readonly timeoutMs: number;
  /** Whether it is made though the mailbox has an overdue call. */
  readonly insists?: boolean;
}

/** What one mailbox has under way. */
interface MailboxCalls {
  running: number;
  overdue: number;
}

/** A call that somebody waits for. */
interface Pending {
  readonly call: DiskCall;
  readonly ofMailbox: MailboxCalls;
  readonly sinceMs: number;
  state: "waits" | "runs" | "overdue";
  readonly begin: () => void;
  readonly fail: (error: DiskTimeout) => void;
}

export class DiskGate {
  readonly #filesystem: string;
  readonly #shares: ThreadShares;
  readonly #mailboxes = new Map<string, MailboxCalls>();
  readonly #pending = new Set<Pending>();
  #waiting: Pending[] = [];
  #running = 0;
  #overdue = 0;
  #overdueSinceMs = 0;
  #deferred: { readonly mailbox: string; readonly work: () => void }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAtMs = Infinity;

  /** @param filesystem what the log calls it. */
  constructor(filesystem: string, shares: ThreadShares) {
    this.#filesystem = filesystem;
    this.#shares = shares;
  }

  /** Whether nothing is under way. */
  get isIdle(): boolean {
    return this.#running === 0;
  }

  /** Calls at once; also as many overdue ones make everybody fail. */
  get #places(): number {
    const free = this.#shares.threads - (this.#shares.taken - this.#running);
    return Math.max(1, Math.min(FILESYSTEM_CALLS, Math.floor(free / 2)));
  }

  /**
   * Makes a call, when there is a place for it.
   *
   * @param late gets what the call brings when nobody waits for it any more.
   * @throws {DiskTimeout} If it takes too long, or others have taken so long that it is not made.
   */
  run<T>(call: DiskCall, work: () => Promise<T>, late?: (value: T) => void): Promise<T> {
    const refusal = this.#refusal(call);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((settle, fail) => {
      const begin = () => {
        invoked(work).then(
          (value) => this.#comesBack(pending) ? settle(value) : late?.(value),
          (error) => this.#comesBack(pending) && fail(error),
        );
      };
      const ofMailbox = this.#callsOf(call.mailbox);
      const sinceMs = performance.now();
      const pending: Pending = { call, ofMailbox, sinceMs, state: "waits", begin, fail };
      this.#pending.add(pending);
      if (this.#waiting.length === 0 && this.#hasPlaceFor(pending)) this.#begin(pending);
      else this.#wait(pending);
      this.#watch(sinceMs + call.timeoutMs);
    });
  }

  /** Has work done as soon as calls of the mailbox are made; now, if they are. */
  whenAnswering(mailbox: string, work: () => void): void {
    if (this.#refusal({ mailbox, doing: "", timeoutMs: 0 }) === undefined) work();
    else this.#deferred.push({ mailbox, work });
  }

  #refusal({ mailbox, insists }: DiskCall): DiskTimeout | undefined {
    if (this.#overdue === 0) return undefined;
    if (insists !== true && this.#mailboxes.get(mailbox)?.overdue) {
      return new DiskTimeout(`"${mailbox}" has not answered an earlier call yet`);
    }
    if (this.#overdue < this.#places) return undefined;
    return new DiskTimeout(`the filesystem of "${mailbox}", ${this.#filesystem}, does not answer`);
  }

  #callsOf(mailbox: string): MailboxCalls {
    let calls = this.#mailboxes.get(mailbox);
    if (calls === undefined) {
      calls = { running: 0, overdue: 0 };
      this.#mailboxes.set(mailbox, calls);
    }
    return calls;
  }

  #hasPlaceFor({ ofMailbox }: Pending): boolean {
    const places = this.#places;
    if (this.#running >= places) return false;
    return ofMailbox.running < Math.max(1, Math.floor(places * 3 / 4));
  }

  #begin(pending: Pending): void {
    pending.state = "runs";
    pending.ofMailbox.running++;
    this.#running++;
    this.#shares.taken++;
    pending.begin();
  }

  #wait(pending: Pending): void {
    this.#waiting.push(pending);
    this.#beginWaiting();
  }

  /** Begins those that wait and have a place now, in their order. */
  #beginWaiting(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const pending of waiting) {
      if (this.#hasPlaceFor(pending)) this.#begin(pending);
      else this.#waiting.push(pending);
    }
  }

  /** Gives a call's place back; false if nobody waits for the call any more. */
  #comesBack(pending: Pending): boolean {
    const { ofMailbox } = pending;
    ofMailbox.running--;
    this.#running--;
    this.#shares.taken--;
    const isInTime = this.#pending.delete(pending);
    if (!isInTime) {
      ofMailbox.overdue--;
      this.#overdue--;
      if (this.#overdue === 0) this.#tellOfAnswer();
      this.#doDeferred();
    }
    this.#beginWaiting();
    this.#forgetIdle(pending);
    return isInTime;
  }

  /** Forgets the mailbox of a call, if that was its last one. */
  #forgetIdle({ call: { mailbox }, ofMailbox }: Pending): void {
    if (ofMailbox.running > 0) return;
    if (this.#waiting.some((other) => other.ofMailbox === ofMailbox)) return;
    this.#mailboxes.delete(mailbox);
  }

  #doDeferred(): void {
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const { mailbox, work } of deferred) this.whenAnswering(mailbox, work);
  }

  /** Sees to it that somebody looks at that time. */
  #watch(atMs: number): void {
    if (atMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(() => this.#expire(), Math.max(1, atMs - performance.now()));
    this.#timer.unref();
  }

  /** Tells those whose time is up, and looks again when the next one's is. */
  #expire(): void {
    this.#timerAtMs = Infinity;
    const nowMs = performance.now();
    let nextAtMs = Infinity;
    const expired: Pending[] = [];
    for (const pending of this.#pending) {
      const atMs = pending.sinceMs + pending.call.timeoutMs;
      if (atMs <= nowMs) expired.push(pending);
      else nextAtMs = Math.min(nextAtMs, atMs);
    }
    for (const pending of expired) this.#giveUp(pending, nowMs);
    if (expired.length > 0) this.#refuseWaiting();
    if (nextAtMs < Infinity) this.#watch(nextAtMs);
  }

  #giveUp(pending: Pending, nowMs: number): void {
    const { mailbox, doing, timeoutMs } = pending.call;
    this.#pending.delete(pending);
    if (pending.state === "runs") {
      if (this.#overdue++ === 0) this.#tellOfSilence(pending, nowMs);
      pending.state = "overdue";
      pending.ofMailbox.overdue++;
    } else {
      this.#waiting.splice(this.#waiting.indexOf(pending), 1);
      this.#forgetIdle(pending);
    }
    const waited = `waited ${timeoutMs / 1_000} s to ${doing}`;
    pending.fail(new DiskTimeout(`"${mailbox}" does not answer: ${waited}`));
  }

  /** What waits for a place that it will not get is told so now. */
  #refuseWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ call }) => this.#refusal(call) === undefined);
    for (const pending of waiting) {
      const refusal = this.#refusal(pending.call);
      if (refusal === undefined) continue;
      this.#pending.delete(pending);
      this.#forgetIdle(pending);
      pending.fail(refusal);
    }
  }

  #tellOfSilence({ call: { mailbox, doing }, sinceMs }: Pending, nowMs: number): void {
    this.#overdueSinceMs = sinceMs;
    log.error("filesystem does not answer", {
      mailbox,
      filesystem: this.#filesystem,
      waitedTo: doing,
      waitedMs: Math.round(nowMs - sinceMs),
    });
  }

  #tellOfAnswer(): void {
    log.info("filesystem answers again", {
      filesystem: this.#filesystem,
      afterMs: Math.round(performance.now() - this.#overdueSinceMs),
    });
  }
}

/** What a function gives, its exception as a rejection. */
function invoked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}
