/**
 * Counts that are forgotten after a time, in bounded memory: how often something failed lately.
 *
 * The counting is rate-limiter-flexible's. What it does not do is done here: the number of keys is
 * bounded, the one that was least lately added to being forgotten first, so that who is failing now
 * stays counted; and what is taken back from a dump is looked at.
 *
 * *Knows* the time of day, since counts outlive the process. *Does not know* what is counted.
 */

import type { RateLimiterMemory } from "rate-limiter-flexible";
// Not from the package's front door, which loads the clients of a dozen databases: 25 ms at each start.
import Limiter from "rate-limiter-flexible/lib/RateLimiterMemory.js";

/** What guessing needs of a place for counts; processes that share the work will share one. */
export interface Counts {
  /** 0 for what is not counted, or no longer. */
  read(key: string): Promise<number>;

  /** Adds one. The first one sets how long all are kept. Returns the count. */
  add(key: string): Promise<number>;

  /** Takes `less` away; never below 0. */
  take(key: string, less: number): Promise<void>;
}

/** A count as it is kept over a restart; `untilMs` is a time of day. */
export type KeptCount = readonly [key: string, count: number, untilMs: number];

export interface MemoryCountsOptions {
  /** From the first one on, ms. */
  readonly keepMs: number;
  readonly maxKeys: number;
}

const NewLimiter = Limiter as unknown as new (
  options: { readonly points: number; readonly duration: number; readonly keyPrefix: string },
) => RateLimiterMemory;

export class MemoryCounts implements Counts {
  readonly #limiter: RateLimiterMemory;
  readonly #maxKeys: number;
  /** The key that was least lately added to comes first. Some may have ended. */
  readonly #keys = new Set<string>();

  constructor({ keepMs, maxKeys }: MemoryCountsOptions) {
    this.#limiter = new NewLimiter({ points: 1, duration: keepMs / 1_000, keyPrefix: "" });
    this.#maxKeys = maxKeys;
  }

  /** Holds for what is counted from now on. */
  set keepMs(keepMs: number) {
    this.#limiter.duration = keepMs / 1_000;
  }

  async read(key: string): Promise<number> {
    const found = await this.#limiter.get(key);
    return found === null || found.msBeforeNext <= 0 ? 0 : found.consumedPoints;
  }

  /** False if it is certain at once that nothing is counted under the key, as of nearly all who log in. */
  mayHave(key: string): boolean {
    return this.#keys.has(key);
  }

  async add(key: string): Promise<number> {
    await this.#makeRoomFor(key);
    return (await this.#limiter.penalty(key)).consumedPoints;
  }

  async take(key: string, less: number): Promise<void> {
    const count = await this.read(key);
    if (count > 0) await this.#limiter.reward(key, Math.min(less, count));
  }

  /** What is counted now, in the order in which it would be forgotten. */
  dump(): KeptCount[] {
    const nowMs = Date.now();
    const records = new Map(
      this.#limiter.dump().storage.map((record) => [String(record.key), record]),
    );
    const kept: KeptCount[] = [];
    for (const key of this.#keys) {
      const record = records.get(key);
      if (record === undefined) this.#keys.delete(key);
      else if (record.value > 0 && Number(record.expiresAt) > nowMs) {
        kept.push([key, record.value, Math.round(Number(record.expiresAt))]);
      }
    }
    return kept;
  }

  /**
   * Takes back what was dumped. Left out is what has ended, and what ends later than anything that
   * began now would: then a clock was wrong when it was written, or is.
   */
  async restore(kept: readonly KeptCount[]): Promise<void> {
    const nowMs = Date.now();
    const latestMs = nowMs + this.#limiter.duration * 1_000 + 1;
    for (const [key, value, expiresAt] of kept) {
      if (expiresAt <= nowMs || expiresAt > latestMs) continue;
      await this.#makeRoomFor(key);
      this.#limiter.restore({ version: 1, storage: [{ key, value, expiresAt }] });
    }
  }

  async #makeRoomFor(key: string): Promise<void> {
    this.#keys.delete(key);
    this.#keys.add(key);
    if (this.#keys.size <= this.#maxKeys) return;
    for (const oldest of this.#keys) {
      this.#keys.delete(oldest);
      await this.#limiter.delete(oldest);
      return;
    }
  }
}
