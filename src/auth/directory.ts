/** The interface of an account directory: where users, their stored passwords and their homes come from. */

import type { Account } from "../maildrop/store.ts";
import type { AllowedNetworks } from "./allowed_networks.ts";

export interface DirectoryEntry {
  readonly account: Account;
  /** The password field, `{SCHEME}hash`; "" where none is set. */
  readonly storedPassword: string;
  /** The right password is known to be right, and the account may not log in all the same. */
  readonly disabled: boolean;
  /** Where the user may log in from; undefined means anywhere. */
  readonly allowedNetworks?: AllowedNetworks;
}

export interface AccountDirectory {
  /**
   * Finds a user by the name that a client sent; undefined if there is none.
   *
   * @throws {Error} If the directory cannot tell now whether the user exists.
   */
  lookUp(user: string): Promise<DirectoryEntry | undefined>;

  /**
   * A stored password to check in the place of one that this user does not have, so that it costs what
   * one of the directory's own costs: the same for the name in every spelling that `lookUp` takes for
   * one, and after a restart, as a real user's is.
   */
  decoyFor(user: string): string;
}
