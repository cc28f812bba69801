/** The interface of what keeps guessers from trying on and on; see guessing/ for the one that does. */

import { countedAddress } from "../counted_address.ts";
import type { Soon } from "./at_once.ts";
import type { Turn } from "./fair_queue.ts";

export interface LoginGuard {
  /**
   * Asks without beginning anything whether logins of this user from this address are refused now.
   *
   * @param address The client's; those whose address is not known are counted as one.
   * @param user The name whose secret is tried, "" where none was said; in the one spelling that the
   *   directories are asked for, or each spelling has limits of its own.
   */
  isDelayed(address: string | undefined, user: string): Promise<boolean>;

  /**
   * Begins a login: says that it may be looked at, or how it ends. May wait for others of this address,
   * and comes at once where there is nothing to wait for. Parameters are those of `isDelayed`.
   */
  begin(address: string | undefined, user: string): Soon<AttemptOrRefusal>;
}

/** One login that may be looked at. Exactly one of its methods is to be called, once. */
export interface LoginAttempt {
  readonly kind: "open";

  /** In which turn its password is hashed. */
  readonly turn: Turn;

  /**
   * The credentials are wrong, or nobody has that name. Resolves when the answer may be given.
   *
   * @param tried Octets that are the same for the same secret: the password, or what a proof tells of it.
   *   Undefined where a mechanism shows none; then every failure counts.
   */
  failed(tried?: Uint8Array): Promise<void>;

  /** The credentials are right, and the login is granted. */
  succeeded(): Soon<void>;

  /** Nothing was found out about them, or they are right and the login is not granted all the same. */
  dropped(): void;
}

/** `delayed` and `unavailable` are the login's outcome. */
export type AttemptOrRefusal =
  | LoginAttempt
  | { readonly kind: "delayed" }
  /** Too many logins wait. */
  | { readonly kind: "unavailable" };

/** An attempt that is not counted. */
export function freeAttempt(source: string, known: boolean): LoginAttempt {
  return {
    kind: "open",
    turn: { source, known },
    failed: () => Promise.resolve(),
    succeeded: () => {},
    dropped: () => {},
  };
}

/** Counts nothing. */
export const NO_GUARD: LoginGuard = {
  isDelayed: () => Promise.resolve(false),
  begin: (address) => freeAttempt(address === undefined ? "" : countedAddress(address), false),
};
