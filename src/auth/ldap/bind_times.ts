/**
 * How long binds took lately, so that a name for which there is nobody to bind as takes as long as one that
 * is there: the server alone knows what a password costs it.
 *
 * What a name takes is drawn from the last binds each time, as a name that is there would also take now
 * this long, now that. Until there was a bind, a name that is not there is told quickly.
 *
 * *Knows* time. *Does not know* names.
 */

/** Binds that are remembered. */
const LENGTH = 64;

export interface BindTimesOptions {
  /** Any clock that does not run backwards, ms. */
  readonly nowMs?: () => number;
  /** 0 to less than 1. */
  readonly random?: () => number;
  readonly wait?: (ms: number) => Promise<void>;
}

export class BindTimes {
  readonly #options: Required<BindTimesOptions>;
  readonly #lastMs: number[] = [];
  #next = 0;

  constructor(options: BindTimesOptions = {}) {
    this.#options = {
      nowMs: () => performance.now(),
      random: Math.random,
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      ...options,
    };
  }

  /** Does it, and remembers how long it took if it came to an end. */
  async measure<T>(bind: () => Promise<T>): Promise<T> {
    const beganMs = this.#options.nowMs();
    const result = await bind();
    this.#lastMs[this.#next] = this.#options.nowMs() - beganMs;
    this.#next = (this.#next + 1) % LENGTH;
    return result;
  }

  /** Takes as long as a bind. */
  async pretend(): Promise<void> {
    const drawn = this.#lastMs[Math.floor(this.#options.random() * this.#lastMs.length)];
    if (drawn !== undefined) await this.#options.wait(drawn);
  }
}
