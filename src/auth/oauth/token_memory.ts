/**
 * Remembers for a short time that a token was good and whose it is, so that a client which polls every
 * minute does not make us ask the authorization server every time.
 *
 * What is kept is a digest of the token under a key that is made when the process starts and leaves it
 * never. Only success is remembered, never beyond the token's own end, and a use does not prolong it.
 */

import { createHmac, randomBytes } from "node:crypto";
import { OAUTH_INTROSPECTION_MEMORY_ENTRIES, OAUTH_INTROSPECTION_MEMORY_MS } from "../../limits.ts";

interface Remembered {
  readonly user: string;
  readonly endsMs: number;
  readonly sinceMs: number;
}

export class TokenMemory {
  readonly #key = randomBytes(32);
  readonly #nowMs: () => number;
  readonly #maxEntries: number;
  /** By the token's digest, the oldest first. */
  readonly #entries = new Map<string, Remembered>();

  /** @param nowMs The time of day, ms: it is what tokens end by. */
  constructor(nowMs: () => number, maxEntries = OAUTH_INTROSPECTION_MEMORY_ENTRIES) {
    this.#nowMs = nowMs;
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  digest(token: string): string {
    return createHmac("sha256", this.#key).update(token).digest("base64");
  }

  /** The user of a token that was good not long ago. */
  recall(digest: string): string | undefined {
    const found = this.#entries.get(digest);
    return found !== undefined && this.#holds(found) ? found.user : undefined;
  }

  /** @param endsMs When the token ends; Infinity if it does not say. */
  remember(digest: string, user: string, endsMs: number): void {
    this.#entries.delete(digest);
    this.#entries.set(digest, { user, endsMs, sinceMs: this.#nowMs() });
    for (const [oldest, remembered] of this.#entries) {
      if (this.#holds(remembered) && this.#entries.size <= this.#maxEntries) break;
      this.#entries.delete(oldest);
    }
  }

  #holds({ endsMs, sinceMs }: Remembered): boolean {
    const nowMs = this.#nowMs();
    // Less than `sinceMs` when the clock was set back: nobody knows then how old it is.
    return nowMs >= sinceMs && nowMs < sinceMs + OAUTH_INTROSPECTION_MEMORY_MS && nowMs < endsMs;
  }
}
