/**
 * Decides whether a user name and a password let somebody in.
 *
 * Nobody learns from the time it takes whether a user exists: for an unknown user, and for one whose
 * stored password cannot be checked, a decoy of the directory's own kind is hashed in the same pool, and
 * its result is not looked at. What is answered before any hash (no password, one too long) does not
 * depend on the user. `disabled` is only said to who knows the password.
 *
 * *Knows* the directory, the pool and the memory. *Does not know* POP3, SASL or files.
 */

import { Buffer } from "node:buffer";
import { getLogger } from "@logtape/logtape";
import { USER_NAME_OCTETS } from "../limits.ts";
import type { AccountDirectory, DirectoryEntry } from "./directory.ts";
import type { PasswordCheck, PasswordChecker } from "./hash_pool.ts";
import type { CheckPassword, LoginOutcome } from "./login.ts";
import { type AttemptDigest, PasswordMemory } from "./password_memory.ts";
import {
  decoyPassword,
  isHashFault,
  isPossiblePassword,
  readStoredPassword,
} from "./stored_password.ts";

const logger = getLogger(["popkeep", "auth"]);

export interface AuthenticatorOptions {
  readonly directory: AccountDirectory;
  readonly hashPool: PasswordChecker;
  /** How long a right password is remembered; 0 not at all. */
  readonly passwordMemoryMs: number;
  /** Any clock that does not run backwards, ms. */
  readonly nowMs?: () => number;
}

const REFUSED: LoginOutcome = { kind: "refused" };
const DISABLED: LoginOutcome = { kind: "disabled" };
const UNAVAILABLE: LoginOutcome = { kind: "unavailable" };

export class Authenticator {
  readonly #directory: AccountDirectory;
  readonly #hashPool: PasswordChecker;
  readonly #memory: PasswordMemory;
  /** Checks under way, by their digest: the same attempt at the same time is one hash. */
  readonly #running = new Map<string, Promise<PasswordCheck>>();

  constructor(options: AuthenticatorOptions) {
    this.#directory = options.directory;
    this.#hashPool = options.hashPool;
    const nowMs = options.nowMs ?? (() => performance.now());
    this.#memory = new PasswordMemory({ keepMs: options.passwordMemoryMs, nowMs });
  }

  /**
   * For connections whose address is not known. Users with `allow_nets` are refused by it: a restriction
   * that cannot be checked is not met.
   */
  readonly checkPassword: CheckPassword = (user, password) =>
    this.#check(user, password, undefined);

  /** For the connections of one client address, which `allow_nets` is held against. */
  checkPasswordFrom(address: string): CheckPassword {
    return (user, password) => this.#check(user, password, address);
  }

  async #check(
    user: string,
    password: Uint8Array,
    address: string | undefined,
  ): Promise<LoginOutcome> {
    if (!isPossiblePassword(password)) return REFUSED;
    try {
      const entry = await this.#lookUp(user);
      const checkable = entry !== undefined && this.#isCheckable(entry);
      const check = checkable
        ? await this.#verify(entry, password, user)
        : await this.#pretend(user, password);
      if (check === "unavailable") return UNAVAILABLE;
      if (!checkable || check === "wrong") return REFUSED;
      return this.#admit(entry, address);
    } catch (error) {
      logger.error("a login could not be checked", {
        reason: error instanceof Error ? error.message : String(error),
      });
      return UNAVAILABLE;
    }
  }

  async #lookUp(user: string): Promise<DirectoryEntry | undefined> {
    // A name that is nobody's is not looked up; what follows takes as long as for any unknown one.
    if (user === "" || Buffer.byteLength(user, "utf8") > USER_NAME_OCTETS) return undefined;
    return await this.#directory.lookUp(user);
  }

  #isCheckable({ account, storedPassword }: DirectoryEntry): boolean {
    const read = readStoredPassword(storedPassword);
    if (!isHashFault(read)) return true;
    if (read.kind !== "locked") {
      logger.info("a user cannot log in", { user: account.user, reason: read.reason });
    }
    return false;
  }

  async #verify(
    { account: { user }, storedPassword }: DirectoryEntry,
    password: Uint8Array,
    name: string,
  ): Promise<PasswordCheck> {
    const digest = this.#memory.digest(user, storedPassword, password);
    if (this.#memory.recalls(user, digest)) return "right";
    // Not used: choosing one takes time too, as it does for who is not there.
    this.#directory.decoyFor?.(name);
    const check = await this.#hash(storedPassword, password, digest);
    if (check === "right") this.#memory.remember(user, digest);
    return check;
  }

  /** Does what `#verify` does, and whatever comes out of it means nothing. */
  async #pretend(user: string, password: Uint8Array): Promise<PasswordCheck> {
    const decoy = this.#directory.decoyFor?.(user) ?? decoyPassword();
    return await this.#hash(decoy, password, this.#memory.digest(user, decoy, password));
  }

  #hash(stored: string, password: Uint8Array, digest: AttemptDigest): Promise<PasswordCheck> {
    const name = Buffer.from(digest).toString("latin1");
    const running = this.#running.get(name) ??
      this.#hashPool.check(stored, password).finally(() => this.#running.delete(name));
    this.#running.set(name, running);
    return running;
  }

  /** The password is right; what else may stand in the way. */
  #admit(
    { account, disabled, allowedNetworks }: DirectoryEntry,
    address: string | undefined,
  ): LoginOutcome {
    if (allowedNetworks !== undefined && !allowedNetworks(address)) {
      // Told apart from a wrong password by the log only, as in Dovecot.
      logger.info("allow_nets keeps a user out", { user: account.user, address });
      return REFUSED;
    }
    return disabled ? DISABLED : { kind: "granted", account };
  }
}
