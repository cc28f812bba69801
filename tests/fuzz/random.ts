/** Numbers by chance, the same ones for the same seed (mulberry32). */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  /** One of some. */
  of<T>(some: readonly T[]): T {
    return some[this.below(some.length)]!;
  }
}

/** The seed that the environment names (POPKEEP_SEED), or one by chance. */
export function chosenSeed(given: string | undefined): number {
  return given === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(given);
}
