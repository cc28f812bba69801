/**
 * Makes guessing slow, and then stops it, without shutting out those who know their password.
 *
 * - Failed logins are counted by address (of IPv6, by networks of 64 and of 48 bits) and by account name, whether
 *   anybody has that name or not, for a window of time that begins with the first one.
 * - The first few from an address are answered at once; each further answer waits twice as long as the one
 *   before. The wait comes after the check, so it holds no thread.
 * - An address with too many is refused for a while, but for users who logged in from there lately and have
 *   not failed as often themselves. When it comes back within the window, one more failure refuses it again.
 * - An account with too many is closed for a while to those addresses that failed for it, unless the user
 *   logged in from there lately. Everybody else is still looked at: nobody can shut a user out by guessing.
 * - The same secret again for the same account from the same address counts once: a telephone with an old
 *   password does not shut out its office.
 * - No more are under way at once from one address than it may still fail, and besides a few of each user
 *   who logged in from there lately.
 * - A login forgives a few failures of the same account from the same address, once a window. It does not
 *   set the address's count back: who has an account here would guess another's between logins of his own;
 *   and not without end: who stole one secret of an account (an app password) would guess the others.
 *
 * *Knows* names and addresses, time. *Does not know* directories, or what a secret is.
 */

import { getLogger } from "@logtape/logtape";
import { join } from "node:path";
import {
  FAILED_LOGIN_LONGEST_DELAY_MS,
  FAILED_LOGINS_FILE_OCTETS,
  FORGIVEN_FAILED_LOGINS,
  FREE_FAILED_LOGINS,
  FREE_FAILED_LOGINS_OF_ACCOUNT,
  KNOWN_LOGINS_AT_ONCE,
  LOGINS_WAITING,
  LOGINS_WAITING_OF_ADDRESS,
  SITE_ADDRESSES,
} from "../../limits.ts";
import { addressesIn, type AllowedNetworks } from "../allowed_networks.ts";
import type { Soon } from "../at_once.ts";
import {
  type AttemptOrRefusal,
  freeAttempt,
  type LoginAttempt,
  type LoginGuard,
} from "../login_guard.ts";
import { readStateFile, StateFile } from "../state_file.ts";
import { FailedLogins } from "./failed_logins.ts";
import { encodeKeptFailures, type KeptFailures, parseKeptFailures } from "./kept_failures.ts";
import { GuessingKeys, type LoginKeys } from "./keys.ts";
import { Turnstile } from "./turnstile.ts";
import { UnderWay } from "./under_way.ts";
import { Waits } from "./waits.ts";

const logger = getLogger(["popkeep", "auth"]);

const FILE_NAME = "failed_logins.json";

export interface GuessingOptions {
  readonly maxFailuresOfAddress: number;
  readonly maxFailuresOfAccount: number;
  /** How long a failure counts. */
  readonly windowMs: number;
  /** How long an address or account is blocked. */
  readonly blockMs: number;
  /** The first wait; 0 waits never. */
  readonly delayMs: number;
  /** Addresses and `address/bits` that are neither counted nor held up. */
  readonly neverBlocked: readonly string[];
}

/** What surrounds a guard. */
export interface GuessingPlace {
  /** Where what is remembered is kept over a restart; in memory alone without. */
  readonly folder?: string;
  /** For tests, which do not wait. */
  readonly waits?: Waits;
}

interface Remembered {
  readonly logins: FailedLogins;
  readonly keys: GuessingKeys;
}

/** Who begins a login. */
interface Beginner {
  readonly address: string | undefined;
  readonly user: string;
  readonly keys: LoginKeys;
  /** The user logged in from there lately. */
  readonly isKnown: boolean;
  /** Who is known mostly does not: strangers beside him may wait long for a directory of theirs. */
  readonly isInLine: boolean;
}

export class GuessingGuard implements LoginGuard {
  readonly #keys: GuessingKeys;
  readonly #logins: FailedLogins;
  readonly #file: StateFile | undefined;
  readonly #waits: Waits;
  readonly #turnstile = new Turnstile({
    maxInLineOfKey: LOGINS_WAITING_OF_ADDRESS,
    maxInLine: LOGINS_WAITING,
  });
  readonly #known = new UnderWay(KNOWN_LOGINS_AT_ONCE);
  #options: GuessingOptions;
  #isNeverBlocked: AllowedNetworks;

  /** Use `openGuessingGuard`. */
  constructor(options: GuessingOptions, remembered: Remembered, place: GuessingPlace) {
    this.#options = options;
    this.#isNeverBlocked = addressesIn(options.neverBlocked);
    this.#logins = remembered.logins;
    this.#keys = remembered.keys;
    this.#waits = place.waits ?? new Waits();
    if (place.folder === undefined) return;
    this.#file = new StateFile(join(place.folder, FILE_NAME), {
      content: () => encodeKeptFailures(this.#keys.text, this.#logins),
    });
  }

  /**
   * Goes on with other limits. What was counted stays, and lasts as long as it was to.
   *
   * @throws {Error} If an address of `neverBlocked` is none; then nothing has changed.
   */
  reload(options: GuessingOptions): void {
    this.#isNeverBlocked = addressesIn(options.neverBlocked);
    this.#options = options;
    this.#logins.times = options;
  }

  async isDelayed(address: string | undefined, user: string): Promise<boolean> {
    return !this.#isNeverBlocked(address) && await this.#isBlocked(this.#keys.of(address, user));
  }

  /** At once for who is known and has not failed: the usual login. */
  begin(address: string | undefined, user: string): Soon<AttemptOrRefusal> {
    const keys = this.#keys.of(address, user);
    if (this.#isNeverBlocked(address)) return freeAttempt(keys.address, true);
    const isKnown = this.#logins.knownLogins.has(keys.known);
    const isInLine = !isKnown || !this.#known.enter(keys.pair);
    const beginner = { address, user, keys, isKnown, isInLine };
    const isClear = !isInLine && !this.#logins.counts("failures_of_pair").mayHave(keys.pair);
    return isClear ? this.#attempt(beginner) : this.#enter(beginner);
  }

  async #enter(beginner: Beginner): Promise<AttemptOrRefusal> {
    const { keys, isInLine } = beginner;
    const entered = isInLine
      ? await this.#turnstile.enter(keys.address, () => this.#allowance(keys))
      : await this.#isBlocked(keys)
      ? "delayed"
      : "inside";
    if (entered !== "inside") {
      if (!isInLine) this.#known.leave(keys.pair);
      return { kind: entered === "crowded" ? "unavailable" : "delayed" };
    }
    return this.#attempt(beginner);
  }

  #attempt({ address, user, keys, isKnown, isInLine }: Beginner): LoginAttempt {
    let open = true;
    const leave = () => {
      if (open && isInLine) this.#turnstile.leave(keys.address);
      else if (open) this.#known.leave(keys.pair);
      open = false;
    };
    return {
      kind: "open",
      turn: { source: keys.address, known: isKnown },
      failed: async (tried) => {
        let failures;
        try {
          failures = await this.#countFailure({ address, user, keys, tried });
        } finally {
          leave();
        }
        await this.#waits.wait(this.#delayMs(failures));
      },
      succeeded: () => {
        const noting = this.#noteSuccess(keys);
        return noting === undefined ? leave() : noting.finally(leave);
      },
      dropped: leave,
    };
  }

  /** The key of all digests, for who makes the same; see `GuessingKeys`. */
  get key(): string {
    return this.#keys.text;
  }

  /** Whether a login needs nothing of the guard but to fail: the user logged in from there and has not failed since. */
  isClear(address: string | undefined, user: string): boolean {
    const { known, pair } = this.#keys.of(address, user);
    return this.#logins.knownLogins.has(known) &&
      !this.#logins.counts("failures_of_pair").mayHave(pair);
  }

  /** Counts the failure of a login that was clear when it began elsewhere, and waits as `failed` does. */
  async failedElsewhere(
    address: string | undefined,
    user: string,
    tried: Uint8Array | undefined,
  ): Promise<void> {
    const keys = this.#keys.of(address, user);
    await this.#waits.wait(this.#delayMs(await this.#countFailure({ address, user, keys, tried })));
  }

  /** Ends all waits, and those to come: for a server that is about to stop. It goes on counting. */
  hasten(): void {
    this.#waits.end();
  }

  /** Writes what is to be kept. */
  async close(): Promise<void> {
    this.hasten();
    await this.#file?.close();
  }

  /** How many logins from this address may be under way. */
  async #allowance(keys: LoginKeys): Promise<number | "delayed"> {
    if (await this.#isBlocked(keys)) return "delayed";
    const failures = await this.#logins.counts("failures_of_address").read(keys.address);
    // One in any case: after a block that ended within the window each may try once more.
    return Math.max(1, this.#options.maxFailuresOfAddress - failures);
  }

  async #isBlocked({ address, site, account, pair, known }: LoginKeys): Promise<boolean> {
    const logins = this.#logins;
    const blocked = logins.counts("blocked_addresses");
    const isAddressBlocked = await blocked.read(address) > 0 ||
      site !== undefined && await blocked.read(site) > 0;
    if (account === undefined) return isAddressBlocked;
    const failures = await logins.counts("failures_of_pair").read(pair);
    // Who logged in from there lately pays for his own failures, and not for those of his neighbours.
    if (logins.knownLogins.has(known)) {
      return isAddressBlocked && failures >= this.#options.maxFailuresOfAddress;
    }
    return isAddressBlocked ||
      failures > 0 && await logins.counts("blocked_accounts").read(account) > 0;
  }

  /** Returns how many failures the wait is for: those of the address, or of the name where these are more. */
  async #countFailure({ address, user, keys, tried }: {
    readonly address: string | undefined;
    readonly user: string;
    readonly keys: LoginKeys;
    readonly tried: Uint8Array | undefined;
  }): Promise<number> {
    const logins = this.#logins;
    const { maxFailuresOfAddress, maxFailuresOfAccount } = this.#options;
    if (tried !== undefined && await logins.tried.add(this.#keys.ofTried(keys, tried)) > 1) {
      return await logins.counts("failures_of_address").read(keys.address);
    }
    this.#file?.changed();
    const ofAddress = await logins.counts("failures_of_address").add(keys.address);
    if (ofAddress >= maxFailuresOfAddress) {
      await this.#block("blocked_addresses", keys.address, { address, failures: ofAddress });
    }
    if (keys.site !== undefined) {
      const ofSite = await logins.counts("failures_of_site").add(keys.site);
      if (ofSite >= maxFailuresOfAddress * SITE_ADDRESSES) {
        await this.#block("blocked_addresses", keys.site, { address, failures: ofSite });
      }
    }
    if (keys.account !== undefined) {
      await logins.counts("failures_of_pair").add(keys.pair);
      const ofAccount = await logins.counts("failures_of_account").add(keys.account);
      if (ofAccount >= maxFailuresOfAccount) {
        await this.#block("blocked_accounts", keys.account, { user, failures: ofAccount });
      }
      // A name that many addresses try makes each of them wait, as if it had tried alone.
      if (!logins.knownLogins.has(keys.known)) {
        return Math.max(ofAddress, ofAccount - FREE_FAILED_LOGINS_OF_ACCOUNT + FREE_FAILED_LOGINS);
      }
    }
    return ofAddress;
  }

  async #block(
    name: "blocked_addresses" | "blocked_accounts",
    key: string,
    fields: { address?: string | undefined; user?: string; failures: number },
  ): Promise<void> {
    // More than one if it was blocked already, by one that was under way at the same time.
    if (await this.#logins.counts(name).add(key) > 1) return;
    const until = new Date(Date.now() + this.#options.blockMs).toISOString();
    if (name === "blocked_addresses") {
      logger.warning("too many failed logins; an address is refused", { ...fields, until });
    } else {
      logger.warning("too many failed logins; a user is refused to addresses that failed", {
        ...fields,
        until,
      });
    }
  }

  /** Undefined where it is done at once. */
  #noteSuccess(keys: LoginKeys): Promise<void> | undefined {
    if (this.#logins.knownLogins.note(keys.known)) this.#file?.changed();
    const hasFailed = this.#logins.counts("failures_of_pair").mayHave(keys.pair);
    return hasFailed ? this.#forgive(keys) : undefined;
  }

  async #forgive({ address, account, pair }: LoginKeys): Promise<void> {
    const logins = this.#logins;
    const failures = await logins.counts("failures_of_pair").read(pair);
    if (account === undefined || failures === 0) return;
    if (await logins.counts("forgiven").add(pair) > 1) return;
    const forgiven = Math.min(failures, FORGIVEN_FAILED_LOGINS);
    await logins.counts("failures_of_address").take(address, forgiven);
    await logins.counts("failures_of_account").take(account, forgiven);
    await logins.counts("failures_of_pair").take(pair, forgiven);
    this.#file?.changed();
  }

  #delayMs(failures: number): number {
    const beyond = failures - FREE_FAILED_LOGINS;
    if (beyond <= 0) return 0;
    return Math.min(this.#options.delayMs * 2 ** (beyond - 1), FAILED_LOGIN_LONGEST_DELAY_MS);
  }
}

/**
 * A guard that remembers what an earlier one wrote into the folder. To be closed. What cannot be read is
 * told in the log and begins anew.
 *
 * @throws {Error} If an address of `neverBlocked` is none.
 */
export async function openGuessingGuard(
  options: GuessingOptions,
  place: GuessingPlace = {},
): Promise<GuessingGuard> {
  const { folder } = place;
  const kept = folder === undefined ? undefined : await readKept(join(folder, FILE_NAME));
  const logins = new FailedLogins(options);
  if (kept !== undefined) await logins.restore(kept);
  return new GuessingGuard(options, { logins, keys: new GuessingKeys(kept?.key) }, place);
}

async function readKept(file: string): Promise<KeptFailures | undefined> {
  try {
    const text = await readStateFile(file, FAILED_LOGINS_FILE_OCTETS);
    if (text === undefined) return undefined;
    const kept = parseKeptFailures(text);
    if (kept === undefined) {
      logger.warning("the failed logins of before are damaged and forgotten", { file });
    }
    return kept;
  } catch (error) {
    logger.warning("the failed logins of before cannot be read and are forgotten", { file, error });
    return undefined;
  }
}
