/**
 * How long to wait before a worker that ended is started again: longer each time, so that one which cannot
 * run does not take the machine, and as short as at first once it has run for a while.
 *
 * Pure.
 */

/** The first wait, the longest, and how long a worker has to run for the next wait to be the first again, ms. */
export const RESTART_MS = { first: 100, longest: 10_000, settled: 60_000 } as const;

export class BackOff {
  #nextMs: number = RESTART_MS.first;

  /** The wait, after a run of so many ms. */
  after(runMs: number): number {
    if (runMs >= RESTART_MS.settled) this.#nextMs = RESTART_MS.first;
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(waitMs * 2, RESTART_MS.longest);
    return waitMs;
  }
}
