/**
 * The interface of an account directory: where users, their secrets and their homes come from.
 *
 * There are two kinds, and one directory may be both:
 * - those that hand out what is stored (user file, SQL): `lookUp` finds the entry and the password is
 *   checked here;
 * - those that check a password themselves (PAM, LDAP by bind, checkpassword programs): `checkPassword`.
 *
 * Each answers within its own time limit, and a slow one holds up nobody but who waits for it.
 */

import type { Account } from "../maildrop/store.ts";
import type { AllowedNetworks } from "./allowed_networks.ts";
import type { Soon } from "./at_once.ts";
import type { SecretKind, UserSecrets } from "./login.ts";
import type { ScramShapeUse } from "./scram/shapes.ts";

export interface DirectoryEntry {
  readonly account: Account;
  /** The password field, `{SCHEME}hash`; "" where none is set or the directory does not hand it out. */
  readonly storedPassword: string;
  /** The right password is known to be right, and the account may not log in all the same. */
  readonly disabled: boolean;
  /** Where the user may log in from; undefined means anywhere. */
  readonly allowedNetworks?: AllowedNetworks;
  /** Undefined where there are none; absent too where the entry is locked. */
  readonly secrets?: UserSecrets;
  readonly appPasswords?: readonly AppPassword[];
  /** Who may open this mailbox with credentials of their own, as the directories spell their names. */
  readonly delegates?: readonly string[];
  /**
   * Why no more than the name is known, where the directory says something that cannot be understood. Nobody
   * gets in, and nothing that goes by the user's own settings must be done.
   */
  readonly fault?: string;
}

/** A user among all that a directory has. */
export interface ListedUser {
  /** As the directory spells the name; where it says none that is one, what it says in its place. */
  readonly user: string;
  /** All that `lookUp` would say of the account, where the list says it; absent means: look the user up. */
  readonly account?: Account;
  /** Why it cannot be told who that is. */
  readonly fault?: string;
}

/** A named secret for one program or device. Made by popkeep, long enough that a fast hash does. */
export interface AppPassword {
  /** Lower-case letters, digits, "-" and "_", 1 to 32; one of a kind within the user. */
  readonly name: string;
  /** `{SSHA256}...` */
  readonly storedPassword: string;
}

/** What a directory that checks passwords itself says. */
export type DirectoryCheck =
  | { readonly kind: "right"; readonly entry: DirectoryEntry }
  /** The user is not there, or the password is not right; it need not know which. */
  | { readonly kind: "wrong" };

export interface AccountDirectory {
  /** The word for it in settings and log: "user_file", "pam", "checkpassword", "ldap", "sql". */
  readonly kind: string;

  /** Which secrets some users have here now, so that mechanisms that need them can succeed. */
  readonly secretKinds: ReadonlySet<SecretKind>;

  /** How many users' SCRAM keys have which shape, as far as it is known; the most frequent ones. */
  readonly scramShapes?: readonly ScramShapeUse[];

  /** Whether `lookUp` finds users at all: false where only a password opens an entry. */
  readonly findsByName: boolean;

  /** All users, where it has them in memory; absent where they cannot be listed. */
  accounts?(): Iterable<Account>;

  /** Another object whenever `accounts` may say something else. */
  readonly edition?: object;

  /**
   * All users, each once or more often, read while they are asked for. Absent where the settings do not say how
   * to list them.
   *
   * @param most So many will do, to see whether it can.
   * @throws {Error} While it goes on, if the directory cannot tell any further: there may be more users.
   */
  listUsers?(most?: number): AsyncIterable<ListedUser>;

  /**
   * Finds a user by a name, which is in lower case where a client sent it; undefined if there is none. At
   * once where the entry is in memory; while it stays as it is, it is one object.
   *
   * @param address The client's, in whose turn it waits where there is something to wait for.
   * @throws {Error} If the directory cannot tell now whether the user exists. Its message is for the log
   *   and holds no secret.
   */
  lookUp(user: string, address?: string): Soon<DirectoryEntry | undefined>;

  /**
   * Why `lookUp`, which found nobody by this name, left out what is written of such a user; undefined if nothing is.
   * To logins that is nobody; mail for such a user is not to be given back.
   */
  whyNone?(user: string): string | undefined;

  /**
   * Checks a password where it is kept. Absent where `lookUp` hands out the password field.
   *
   * @param address The client's, undefined if not known.
   * @throws {Error} If it cannot be found out now, as for `lookUp`.
   */
  checkPassword?(
    user: string,
    password: Uint8Array,
    address: string | undefined,
  ): Promise<DirectoryCheck>;

  /**
   * A stored password to check in the place of one that this user does not have, so that it costs what
   * one of the directory's own costs: the same for the name in every spelling that `lookUp` takes for
   * one, and after a restart, as a real user's is. Absent where none is handed out.
   */
  decoyFor?(user: string): string;

  /** Looks whether what it keeps in memory is still so, where it is time to; undefined if not. Never rejects. */
  freshen?(): Promise<unknown> | undefined;

  /** Reads anew what it keeps in memory; false if that failed and all stays as it was, which is logged. */
  reload?(): Promise<boolean>;

  /** Gives back threads, processes and connections. What is under way may fail. */
  close?(): Promise<void>;
}
