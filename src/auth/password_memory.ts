/**
 * Remembers for a short time that a password was right, so that a client which polls every minute does
 * not cost a hash every minute.
 *
 * What is kept of a user is a keyed digest (HMAC-SHA-256 under a key that is made when the process
 * starts and leaves it never) over user, stored hash and password: no password can be read from it, and
 * a changed stored hash makes it worthless by itself. Only success is remembered. A use does not prolong
 * it: after its time the hash is computed again.
 *
 * *Knows* octets. The clock is given. *Does not know* whether the user still exists: who asks has looked.
 */

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import { PASSWORD_MEMORY_ENTRIES } from "../limits.ts";

/** The keyed digest of one login attempt. */
export type AttemptDigest = Uint8Array;

export interface PasswordMemoryOptions {
  /** 0 remembers nothing. */
  readonly keepMs: number;
  /** Any clock that does not run backwards, ms. */
  readonly nowMs: () => number;
  readonly maxEntries?: number;
}

interface Remembered {
  readonly digest: AttemptDigest;
  readonly untilMs: number;
}

export class PasswordMemory {
  readonly #key = randomBytes(32);
  readonly #keepMs: number;
  readonly #nowMs: () => number;
  readonly #maxEntries: number;
  /** One for a user, the oldest first; as all are kept equally long, that is the order of their ends. */
  readonly #entries = new Map<string, Remembered>();

  constructor(options: PasswordMemoryOptions) {
    this.#keepMs = options.keepMs;
    this.#nowMs = options.nowMs;
    this.#maxEntries = options.maxEntries ?? PASSWORD_MEMORY_ENTRIES;
  }

  /** How many are kept; some of them may have ended. */
  get size(): number {
    return this.#entries.size;
  }

  digest(user: string, stored: string, password: Uint8Array): AttemptDigest {
    const hmac = createHmac("sha256", this.#key);
    // Each part is led by its length, so that no two attempts run together into the same octets.
    for (const part of [Buffer.from(user, "utf8"), Buffer.from(stored, "utf8"), password]) {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      hmac.update(length).update(part);
    }
    return hmac.digest();
  }

  remember(user: string, digest: AttemptDigest): void {
    if (this.#keepMs <= 0) return;
    const nowMs = this.#nowMs();
    this.#entries.delete(user);
    this.#entries.set(user, { digest, untilMs: nowMs + this.#keepMs });
    for (const [oldest, { untilMs }] of this.#entries) {
      if (untilMs > nowMs && this.#entries.size <= this.#maxEntries) break;
      this.#entries.delete(oldest);
    }
  }

  /** Whether this very attempt was right not long ago. */
  recalls(user: string, digest: AttemptDigest): boolean {
    const remembered = this.#entries.get(user);
    if (remembered === undefined || remembered.untilMs <= this.#nowMs()) return false;
    return timingSafeEqual(remembered.digest, digest);
  }
}
