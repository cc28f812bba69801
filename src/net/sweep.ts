/**
 * The one timer behind all connections: it looks at each of them now and then.
 *
 * A timer a connection, set anew by each command, costs more than the commands. Here a command costs
 * the copy of a number (`nowMs`), and ten thousand connections cost one walk a tick. In return a limit
 * is kept to within three ticks, and always late: what happened is stamped with the time of the last
 * tick, which may be some time ago, so a limit counts as passed only after two ticks more. A program
 * that stood still (stopped, swapped out, too busy) must not take its own standstill for that of its
 * clients, whose commands wait to be read: no tick moves the clock on by more than two.
 *
 * *Knows*: a monotonic clock. *Does not know*: connections, what is done when a limit has passed.
 */

import { performance } from "node:perf_hooks";

/** By how many ticks the clock moves on at most when one was late. */
const MOST_TICKS_A_TICK = 2;

export interface Swept {
  /** Called once a tick. Must not throw. */
  sweep(): void;
}

export class Sweep {
  readonly tickMs: number;
  readonly #swept = new Set<Swept>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #nowMs = performance.now();
  /** When the last tick was, by the real clock. */
  #tickedMs = this.#nowMs;

  /** `tickMs` is how coarse the clock is: take a fraction of the shortest limit. */
  constructor(tickMs: number) {
    this.tickMs = tickMs;
  }

  /** The time of the last tick on a clock that never goes back, ms; while nobody is looked at, of now. */
  get nowMs(): number {
    return this.#swept.size === 0 ? performance.now() : this.#nowMs;
  }

  /** Whether more than `limitMs` have surely passed since `sinceMs`, a value of `nowMs`. */
  hasPassed(sinceMs: number, limitMs: number): boolean {
    return this.#nowMs - sinceMs >= limitMs + MOST_TICKS_A_TICK * this.tickMs;
  }

  /** Begins to call `swept.sweep`. The clock runs only while there is something to look at. */
  add(swept: Swept): void {
    if (this.#swept.size === 0) {
      this.#nowMs = this.#tickedMs = performance.now();
      this.#timer = setInterval(() => this.#tick(), this.tickMs);
    }
    this.#swept.add(swept);
  }

  delete(swept: Swept): void {
    this.#swept.delete(swept);
    if (this.#swept.size === 0) clearInterval(this.#timer);
  }

  #tick(): void {
    const realMs = performance.now();
    this.#nowMs += Math.min(realMs - this.#tickedMs, MOST_TICKS_A_TICK * this.tickMs);
    this.#tickedMs = realMs;
    for (const swept of this.#swept) swept.sweep();
  }
}

/** A tick that keeps `limitsMs` to within three eighths of the shortest, at most 4 and at least 1 a second. */
export function tickFor(limitsMs: readonly number[]): number {
  return Math.min(1_000, Math.max(250, Math.min(...limitsMs) / 8));
}
