/**
 * When a daily pass is due, by a clock that may be set.
 *
 * A clock that goes ahead by more than an hour between two looks is not believed for a day: what is removed by a
 * wrong date is gone. By then the clock is right again, or somebody has read the log. One that goes back costs
 * nothing.
 *
 * *Knows* the two clocks that it is told. *Does not know* what is due.
 */

import { nextTimeOfDay } from "./time_of_day.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** What two clocks say at one moment. */
export interface Clocks {
  /** Ms since 1970. */
  readonly wallMs: number;
  /** Ms since any moment; nobody sets it, and it goes on while the machine sleeps. */
  readonly steadyMs: number;
}

export class DueTime {
  #time: string;
  #last: Clocks;
  #dueMs: number;
  /** Until then the clock is not believed. */
  #believedFromSteadyMs = -Infinity;

  /** @param time `HH:MM`; "" is never. */
  constructor(time: string, now: Clocks) {
    this.#time = time;
    this.#last = now;
    this.#dueMs = dueAfter(time, now.wallMs);
  }

  /** Ms since 1970. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Goes on with another time of day. */
  change(time: string, { wallMs }: Clocks): void {
    if (time === this.#time) return;
    this.#time = time;
    this.#dueMs = dueAfter(time, wallMs);
  }

  /**
   * Whether it is due now, and then not again before the next day. To be called every minute or so.
   *
   * @returns `aheadMs` where the clock went ahead; then it is not due.
   */
  look(now: Clocks): { readonly isDue: boolean; readonly aheadMs?: number } {
    const { wallMs, steadyMs } = now;
    const aheadMs = (wallMs - this.#last.wallMs) - (steadyMs - this.#last.steadyMs);
    this.#last = now;
    if (aheadMs > HOUR_MS) {
      this.#believedFromSteadyMs = steadyMs + DAY_MS;
      this.#dueMs = dueAfter(this.#time, wallMs + DAY_MS);
      return { isDue: false, aheadMs };
    }
    if (wallMs >= this.#dueMs) {
      this.#dueMs = dueAfter(this.#time, wallMs);
      return { isDue: steadyMs >= this.#believedFromSteadyMs };
    }
    // The clock went back.
    if (this.#dueMs - wallMs > 3 * DAY_MS) this.#dueMs = dueAfter(this.#time, wallMs);
    return { isDue: false };
  }
}

function dueAfter(time: string, wallMs: number): number {
  return time === "" ? Infinity : nextTimeOfDay(time, wallMs);
}
