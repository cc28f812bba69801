/**
 * Checks a password against what a directory hands out of a user, or pretends to where there is nobody.
 *
 * Nobody learns from the time it takes whether a user exists: for an unknown user, and for one whose
 * stored password cannot be checked, a decoy of the directory's own kind is hashed in the same pool, and
 * its result is not looked at.
 *
 * *Knows* the pool, the memory of right passwords, app passwords. *Does not know* directories beyond
 * their decoys, addresses beyond whose turn it is, or what a right password leads to.
 */

import { Buffer } from "node:buffer";
import { getLogger } from "@logtape/logtape";
import { matchingAppPassword } from "./app_passwords.ts";
import type { Soon } from "./at_once.ts";
import type { AccountDirectory, DirectoryEntry } from "./directory.ts";
import type { Turn } from "./fair_queue.ts";
import type { PasswordCheck, PasswordChecker } from "./hash_pool.ts";
import { type AttemptDigest, PasswordMemory } from "./password_memory.ts";
import { decoyPassword, isHashFault, readStoredPassword } from "./stored_password.ts";
import type { WeakSchemes } from "./password_schemes/scheme.ts";

const logger = getLogger(["popkeep", "auth"]);

export interface PasswordVerifierOptions {
  readonly hashPool: PasswordChecker;
  /** How long a right password is remembered; 0 not at all. */
  readonly passwordMemoryMs: number;
  /** Schemes that are honoured although they are weak. */
  readonly weakSchemes?: WeakSchemes;
  /** Any clock that does not run backwards, ms. */
  readonly nowMs: () => number;
}

/** One attempt to log in by password. */
export interface PasswordAttempt {
  /** The name that was looked up. */
  readonly name: string;
  readonly password: Uint8Array;
  readonly turn: Turn;
}

/** `right` names the app password where it was one. */
export type Verdict =
  | { readonly kind: "right"; readonly appPassword?: string }
  | { readonly kind: "wrong" | "unavailable" };

const RIGHT: Verdict = { kind: "right" };
const WRONG: Verdict = { kind: "wrong" };

export class PasswordVerifier {
  readonly #hashPool: PasswordChecker;
  readonly #memory: PasswordMemory;
  readonly #weak: WeakSchemes | undefined;
  /** Checks under way, by their digest: the same attempt at the same time is one hash. */
  readonly #running = new Map<string, Promise<PasswordCheck>>();
  /** Entries whose password field was read and found good. */
  readonly #checkable = new WeakSet<DirectoryEntry>();

  constructor({ hashPool, passwordMemoryMs, weakSchemes, nowMs }: PasswordVerifierOptions) {
    this.#hashPool = hashPool;
    this.#weak = weakSchemes;
    this.#memory = new PasswordMemory({ keepMs: passwordMemoryMs, nowMs });
  }

  /** Whether the password is the entry's, or one of its app passwords. At once where that is remembered. */
  verify(
    entry: DirectoryEntry,
    directory: AccountDirectory,
    attempt: PasswordAttempt,
  ): Soon<Verdict> {
    const appPassword = matchingAppPassword(entry.appPasswords ?? [], attempt.password);
    if (appPassword !== undefined) return { kind: "right", appPassword };
    if (!this.#isCheckable(entry)) return this.#hashDecoy(directory, attempt);
    const { account: { user }, storedPassword } = entry;
    const digest = this.#memory.digest(user, storedPassword, attempt.password);
    if (this.#memory.recalls(user, digest)) return RIGHT;
    // Not used: choosing one takes time too, as it does for who is not there.
    directory.decoyFor?.(attempt.name);
    return this.#hash(storedPassword, attempt, digest).then((check) => {
      if (check === "unavailable") return { kind: check };
      if (check === "wrong") return WRONG;
      this.#memory.remember(user, digest);
      return RIGHT;
    });
  }

  /** Does what `verify` does for somebody; it is never right. */
  async pretend(directory: AccountDirectory, attempt: PasswordAttempt): Promise<Verdict> {
    matchingAppPassword([], attempt.password);
    return await this.#hashDecoy(directory, attempt);
  }

  async #hashDecoy(directory: AccountDirectory, attempt: PasswordAttempt): Promise<Verdict> {
    const decoy = directory.decoyFor?.(attempt.name) ?? decoyPassword();
    const digest = this.#memory.digest(attempt.name, decoy, attempt.password);
    const check = await this.#hash(decoy, attempt, digest);
    return check === "unavailable" ? { kind: check } : WRONG;
  }

  #isCheckable(entry: DirectoryEntry): boolean {
    if (this.#checkable.has(entry)) return true;
    const { account, storedPassword } = entry;
    const read = readStoredPassword(storedPassword, this.#weak);
    if (!isHashFault(read)) {
      this.#checkable.add(entry);
      return true;
    }
    if (read.kind !== "locked") {
      logger.info("a user cannot log in", { user: account.user, reason: read.reason });
    }
    return false;
  }

  #hash(stored: string, attempt: PasswordAttempt, digest: AttemptDigest): Promise<PasswordCheck> {
    const name = Buffer.from(digest).toString("latin1");
    const running = this.#running.get(name) ??
      this.#hashPool.check(stored, attempt.password, attempt.turn)
        .finally(() => this.#running.delete(name));
    this.#running.set(name, running);
    return running;
  }
}
