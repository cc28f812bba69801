/**
 * From which addresses an account was logged in to lately, so that guessing from elsewhere does not shut
 * out its owner. Bounded: the pair that logged in least lately is forgotten first.
 *
 * *Knows* keys and the time of day. *Does not know* names or addresses.
 */

/** A time is written anew after this, ms: a client that polls every minute must not make a file change. */
const GRAIN_MS = 86_400_000;

/** As it is kept over a restart: the key of account and address, and when it logged in, time of day, ms. */
export type KeptLogin = readonly [pair: string, loginMs: number];

export interface KnownLoginsOptions {
  readonly keepMs: number;
  readonly maxPairs: number;
}

export class KnownLogins {
  readonly #options: KnownLoginsOptions;
  /** The least lately noted first. */
  readonly #loginMs = new Map<string, number>();

  constructor(options: KnownLoginsOptions) {
    this.#options = options;
  }

  /** Notes a login that happened now; false if that was known well enough. */
  note(pair: string): boolean {
    const nowMs = Date.now();
    const notedMs = this.#loginMs.get(pair);
    if (notedMs !== undefined && notedMs <= nowMs && nowMs - notedMs < GRAIN_MS) return false;
    this.#set(pair, nowMs);
    return true;
  }

  has(pair: string): boolean {
    const loginMs = this.#loginMs.get(pair);
    return loginMs !== undefined && this.#isRecent(loginMs);
  }

  dump(): KeptLogin[] {
    return [...this.#loginMs].filter(([, loginMs]) => this.#isRecent(loginMs));
  }

  /** Takes back what was dumped, but for what is too old or lies in the future. */
  restore(kept: readonly KeptLogin[]): void {
    for (const [pair, loginMs] of kept) {
      if (loginMs <= Date.now() && this.#isRecent(loginMs)) this.#set(pair, loginMs);
    }
  }

  #isRecent(loginMs: number): boolean {
    return Date.now() - loginMs < this.#options.keepMs;
  }

  #set(pair: string, loginMs: number): void {
    this.#loginMs.delete(pair);
    this.#loginMs.set(pair, loginMs);
    if (this.#loginMs.size <= this.#options.maxPairs) return;
    for (const oldest of this.#loginMs.keys()) {
      this.#loginMs.delete(oldest);
      return;
    }
  }
}
