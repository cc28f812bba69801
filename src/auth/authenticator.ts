/**
 * Decides who is let in: asks the directories in their order, checks passwords, and has failures counted.
 *
 * The first directory that knows a user decides. One that cannot tell ends the login as `unavailable`,
 * since a user whom it keeps out must not get in by the next; one that checks passwords itself and says
 * no knows nobody, so the next is asked.
 *
 * Nobody learns who exists: not by the answer, and not by its time. A name is looked up in one spelling,
 * whatever was sent (see login_names.ts). With one directory that hands out
 * password hashes, an unknown user costs one hash as a known one does. With more, or with one that
 * checks passwords itself and takes the time that it takes, a refusal comes at the next full second.
 * `disabled` is only said to who has proved to be that user.
 *
 * *Knows* directories, passwords, names, the guard against guessing. *Does not know* POP3, mechanisms,
 * files.
 */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { REFUSAL_GRID_MS, SECRETS_GRID_MS, USER_NAME_OCTETS } from "../limits.ts";
import { AccountAccess } from "./account_access.ts";
import { andThen, type Soon } from "./at_once.ts";
import type { AccountDirectory, DirectoryEntry } from "./directory.ts";
import type { PasswordChecker } from "./hash_pool.ts";
import type { LoginDesk, LoginOutcome, ScramShape, SecretKind } from "./login.ts";
import { type LoginAttempt, type LoginGuard, NO_GUARD } from "./login_guard.ts";
import {
  type LoginNames,
  type NameRules,
  PLAIN_NAMES,
  readLoginNames,
  readProvedNames,
} from "./login_names.ts";
import type { WeakSchemes } from "./password_schemes/scheme.ts";
import { type PasswordAttempt, PasswordVerifier } from "./password_verifier.ts";
import { chooseShape } from "./scram/shapes.ts";
import { isPossiblePassword } from "./stored_password.ts";
import { foldedName } from "./user_name.ts";

const logger = getLogger(["popkeep", "auth"]);

export interface AuthenticatorOptions {
  /** At least one, in the order that they are asked. */
  readonly directories: readonly AccountDirectory[];
  readonly hashPool: PasswordChecker;
  /** How long a right password is remembered; 0 not at all. */
  readonly passwordMemoryMs: number;
  readonly weakSchemes?: WeakSchemes;
  readonly names?: NameRules;
  /** Names of users who may act as anybody. */
  readonly masterUsers?: readonly string[];
  readonly guard?: LoginGuard;
  /** Told of each use of an app password. */
  readonly noteAppPassword?: (user: string, name: string, address: string | undefined) => void;
  /** What `madeUp` is made of; 32 octets that stay the same over a restart. */
  readonly madeUpKey?: Uint8Array;
  /** Any clock that does not run backwards, ms. */
  readonly nowMs?: () => number;
  /** Waits so many ms. */
  readonly wait?: (ms: number) => Promise<unknown>;
}

const REFUSED: LoginOutcome = { kind: "refused" };
const UNAVAILABLE = { kind: "unavailable" } as const;
const DELAYED = { kind: "delayed" } as const;

/** What a client sent, and from where. */
interface Login {
  readonly user: string;
  /** "" where the client wants to be who it logs in as. */
  readonly actAs: string;
  readonly address: string | undefined;
}

interface PasswordSearch {
  readonly login: Login;
  readonly attempt: PasswordAttempt;
}

interface NamedSearch extends PasswordSearch {
  readonly names: LoginNames;
}

export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #verifier: PasswordVerifier;
  readonly #guard: LoginGuard;
  readonly #names: NameRules;
  readonly #access: AccountAccess;
  readonly #madeUpKey: Uint8Array;
  readonly #nowMs: () => number;
  readonly #wait: (ms: number) => Promise<unknown>;
  /** Whether how long a refusal takes would tell which directory knows the user. */
  readonly #evensOut: boolean;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#wait = options.wait ?? sleep;
    this.#verifier = new PasswordVerifier({ ...options, nowMs: this.#nowMs });
    this.#guard = options.guard ?? NO_GUARD;
    this.#names = options.names ?? PLAIN_NAMES;
    this.#madeUpKey = options.madeUpKey ?? randomBytes(32);
    const { directories, masterUsers = [] } = options;
    this.#access = new AccountAccess({
      directories,
      masterUsers,
      delegates: this.#names.delegates,
    });
    this.#evensOut = directories.length > 1 ||
      directories.some(({ checkPassword }) => checkPassword !== undefined);
  }

  /** Secrets that some users have now: mechanisms that need others cannot succeed. */
  hasSecrets(kind: SecretKind): boolean {
    return this.#options.directories.some(({ secretKinds }) => secretKinds.has(kind));
  }

  /** Has directories look whether `hasSecrets` is still so; undefined if there is nothing to wait for. */
  freshen(): Promise<unknown> | undefined {
    const looks = this.#options.directories.flatMap((directory) => directory.freshen?.() ?? []);
    return looks.length === 0 ? undefined : Promise.all(looks);
  }

  /** Whether a user can be found by a name that was proved by other means than a password. */
  get findsByName(): boolean {
    return this.#options.directories.some(({ findsByName }) => findsByName);
  }

  /** One text for all spellings of a name that mean one account, known or not: what is looked up. */
  accountOf(user: string): string {
    return this.#read(user, "")?.login ?? foldedName(user.slice(0, USER_NAME_OCTETS));
  }

  /**
   * What the logins of one client are decided by.
   *
   * @param address The client's; undefined if it is not known. Users with `allow_nets` are refused then: a
   *   restriction that cannot be checked is not met.
   */
  deskFor(address: string | undefined): LoginDesk {
    // Who was given secrets to hold a proof against may be guessing; who brings a proof of another kind
    // (a ticket, a certificate) is not.
    let guessable = false;
    return {
      checkPassword: (user, password, actAs = "") =>
        this.#checkPassword({ user, actAs, address }, password),
      secretsOf: (user) => {
        guessable = true;
        return this.#secretsOf(user, address);
      },
      admit: (user, actAs = "", isVouched = !guessable) =>
        this.#admitProved({ user, actAs, address }, { isGuessable: guessable, isVouched }),
      refuse: (user, tried) => this.#refuse({ user, address }, tried),
      madeUp: (text) => this.#madeUp(text),
    };
  }

  #checkPassword(login: Login, password: Uint8Array): Soon<LoginOutcome> {
    const account = this.accountOf(login.user);
    return andThen(this.#guard.begin(login.address, account), (attempt) => {
      if (attempt.kind !== "open") return attempt;
      const sinceMs = this.#nowMs();
      const search = { login, attempt: { name: account, password, turn: attempt.turn } };
      return andThen(orUnavailable(() => this.#byPassword(search)), (outcome) => {
        const evened = outcome.kind === "refused" && this.#evensOut
          ? this.#evenOut(sinceMs, REFUSAL_GRID_MS)
          : undefined;
        return andThen(evened, () => settle(attempt, outcome, password));
      });
    });
  }

  #byPassword({ login, attempt }: PasswordSearch): Soon<LoginOutcome> {
    // What is said before any hash depends on the password alone.
    if (!isPossiblePassword(attempt.password)) return REFUSED;
    const names = this.#read(login.user, login.actAs);
    // Who nobody is goes the way of an unknown user, so that it takes as long.
    if (names === undefined) return this.#byNobody(attempt);
    return this.#askFrom(0, { login, attempt, names });
  }

  /** Asks the directories from this one on. */
  #askFrom(index: number, search: NamedSearch): Soon<LoginOutcome> {
    const directory = this.#options.directories[index];
    const { login: { address }, attempt, names } = search;
    if (directory === undefined) return this.#byNobody(attempt);
    if (directory.checkPassword !== undefined) {
      return directory.checkPassword(names.login, attempt.password, address).then((check) =>
        check.kind === "wrong"
          ? this.#askFrom(index + 1, search)
          : this.#access.open(check.entry, names, address)
      );
    }
    return andThen(
      directory.lookUp(names.login, address),
      (entry) =>
        entry === undefined
          ? this.#askFrom(index + 1, search)
          : this.#byEntry(entry, directory, search),
    );
  }

  #byEntry(
    entry: DirectoryEntry,
    directory: AccountDirectory,
    { login, attempt, names }: NamedSearch,
  ): Soon<LoginOutcome> {
    // Looked at before the password, which would be told by its time: a right one is remembered.
    if (!this.#access.mayComeFrom(entry, login.address)) {
      return this.#verifier.pretend(directory, attempt).then(() => REFUSED);
    }
    return andThen(this.#verifier.verify(entry, directory, attempt), (verdict) => {
      if (verdict.kind !== "right") return verdict.kind === "wrong" ? REFUSED : UNAVAILABLE;
      // An app password is for one program of one user: a master's must not open every mailbox.
      if (verdict.appPassword !== undefined && names.mailbox !== undefined) return REFUSED;
      return andThen(this.#access.open(entry, names, login.address), (outcome) => {
        this.#noteAppPassword(verdict.appPassword, outcome, { entry, login });
        return outcome;
      });
    });
  }

  /** Costs what somebody of the first directory that hands out hashes costs. */
  #byNobody(attempt: PasswordAttempt): Soon<LoginOutcome> {
    const hashing = this.#options.directories
      .find(({ checkPassword }) => checkPassword === undefined);
    if (hashing === undefined) return REFUSED;
    return this.#verifier.pretend(hashing, attempt)
      .then(({ kind }) => kind === "unavailable" ? UNAVAILABLE : REFUSED);
  }

  #noteAppPassword(
    name: string | undefined,
    outcome: LoginOutcome,
    { entry, login }: { readonly entry: DirectoryEntry; readonly login: Login },
  ): void {
    if (name === undefined || outcome.kind !== "granted") return;
    this.#options.noteAppPassword?.(entry.account.user, name, login.address);
  }

  async #secretsOf(
    user: string,
    address: string | undefined,
  ): ReturnType<LoginDesk["secretsOf"]> {
    const account = this.accountOf(user);
    const sinceMs = this.#nowMs();
    try {
      if (await this.#guard.isDelayed(address, account)) return DELAYED;
      const names = this.#read(user, "");
      const entry = names && await this.#access.find(names.login, address);
      // Chosen for who has keys too, since that takes time.
      const scramShape = this.#scramShapeFor(account);
      await this.#evenOut(sinceMs, SECRETS_GRID_MS);
      return {
        kind: "found",
        secrets: entry?.secrets ?? {},
        ...(scramShape === undefined ? {} : { scramShape }),
      };
    } catch (error) {
      logFailure(error);
      return UNAVAILABLE;
    }
  }

  /** Undefined where no user has keys. */
  #scramShapeFor(account: string): ScramShape | undefined {
    const uses = this.#options.directories.flatMap(({ scramShapes = [] }) => scramShapes);
    return chooseShape(uses, (text) => this.#madeUp(`SCRAM shape ${text} ${account}`));
  }

  #madeUp(text: string): Uint8Array {
    return createHmac("sha256", this.#madeUpKey).update(text).digest();
  }

  /** The client has a right proof: one that could be guessed or not, of the name it sent or of another. */
  async #admitProved(
    login: Login,
    { isGuessable, isVouched }: { readonly isGuessable: boolean; readonly isVouched: boolean },
  ): Promise<LoginOutcome> {
    const names = this.#read(
      login.user,
      login.actAs,
      isVouched ? readProvedNames : readLoginNames,
    );
    const account = names?.login ?? "";
    const attempt = await this.#guard.begin(login.address, account);
    // Who guessed right only after he was shut out is not told.
    if (attempt.kind !== "open" && isGuessable) return attempt;
    const outcome = await orUnavailable(async () => {
      const entry = names && await this.#access.find(names.login, login.address);
      if (names === undefined || entry === undefined) {
        const { user, address } = login;
        logger.info("a user who proved to be there is in no directory", { user, address });
        return REFUSED;
      }
      return await this.#access.open(entry, names, login.address);
    });
    if (attempt.kind !== "open") return outcome;
    // A right guess that is refused for another reason waits as a wrong one does, or it would be told.
    if (isGuessable) return await settle(attempt, outcome);
    if (outcome.kind === "granted") await attempt.succeeded();
    else attempt.dropped();
    return outcome;
  }

  async #refuse(
    { user, address }: Pick<Login, "user" | "address">,
    tried: Uint8Array | undefined,
  ): Promise<LoginOutcome> {
    const account = user === "" ? "" : this.accountOf(user);
    const attempt = await this.#guard.begin(address, account);
    return attempt.kind === "open" ? await settle(attempt, REFUSED, tried) : attempt;
  }

  /** Undefined for what is nobody's name; it is not looked up. */
  #read(
    user: string,
    actAs: string,
    read: typeof readLoginNames = readLoginNames,
  ): LoginNames | undefined {
    const names = [user, actAs];
    if (user === "" || names.some((name) => Buffer.byteLength(name, "utf8") > USER_NAME_OCTETS)) {
      return undefined;
    }
    return read(user, actAs, this.#names);
  }

  /** Waits for the next multiple of `gridMs` after `sinceMs`, where the time would tell something. */
  async #evenOut(sinceMs: number, gridMs: number): Promise<void> {
    if (!this.#evensOut) return;
    const tookMs = this.#nowMs() - sinceMs;
    await this.#wait(gridMs - tookMs % gridMs);
  }
}

/** Tells the guard what an attempt came to; a failure's answer waits there. */
function settle(
  attempt: LoginAttempt,
  outcome: LoginOutcome,
  tried?: Uint8Array,
): Soon<LoginOutcome> {
  if (outcome.kind === "refused") return attempt.failed(tried).then(() => outcome);
  if (outcome.kind === "granted") return andThen(attempt.succeeded(), () => outcome);
  attempt.dropped();
  return outcome;
}

function orUnavailable(decide: () => Soon<LoginOutcome>): Soon<LoginOutcome> {
  const fail = (error: unknown) => {
    logFailure(error);
    return UNAVAILABLE;
  };
  try {
    const outcome = decide();
    return outcome instanceof Promise ? outcome.catch(fail) : outcome;
  } catch (error) {
    return fail(error);
  }
}

function logFailure(error: unknown): void {
  logger.error("a login could not be checked", {
    reason: error instanceof Error ? error.message : String(error),
  });
}
