/**
 * Whose mailbox somebody may open who has proved who he is.
 *
 * The first directory that knows a user decides; one that cannot tell ends the login.
 *
 * *Knows* directories, master users and delegates. *Does not know* proofs, or how names are written.
 */

import { getLogger } from "@logtape/logtape";
import type { Account } from "../maildrop/store.ts";
import { andThen, type Soon } from "./at_once.ts";
import type { AccountDirectory, DirectoryEntry } from "./directory.ts";
import type { LoginOutcome } from "./login.ts";
import type { LoginNames } from "./login_names.ts";
import { isLocked } from "./stored_password.ts";

const logger = getLogger(["popkeep", "auth"]);

export interface AccountAccessOptions {
  /** In the order that they are asked. */
  readonly directories: readonly AccountDirectory[];
  /** Users who may act as anybody, as the directories spell their names. */
  readonly masterUsers: readonly string[];
  /** Whether users may act for those whose entries name them. */
  readonly delegates: boolean;
}

const REFUSED: LoginOutcome = { kind: "refused" };
const DISABLED: LoginOutcome = { kind: "disabled" };

export class AccountAccess {
  readonly #directories: readonly AccountDirectory[];
  readonly #masters: ReadonlySet<string>;
  readonly #delegates: boolean;
  /** Entries whose password field was read and has no lock. */
  readonly #unlocked = new WeakSet<DirectoryEntry>();

  constructor({ directories, masterUsers, delegates }: AccountAccessOptions) {
    this.#directories = directories;
    this.#masters = new Set(masterUsers);
    this.#delegates = delegates;
  }

  /**
   * What comes of a login whose proof was right: what else stands in the way, and whose mailbox it is.
   *
   * @param address The client's; undefined if it is not known.
   * @throws {Error} If a directory cannot tell.
   */
  open(
    entry: DirectoryEntry,
    names: LoginNames,
    address: string | undefined,
  ): Soon<LoginOutcome> {
    if (!this.mayComeFrom(entry, address)) return REFUSED;
    const { account, disabled } = entry;
    // A ticket or a token is no way around the lock: whoever set it meant the user, not the password alone.
    if (this.#isLocked(entry)) {
      logger.info("a locked user is kept out", { user: account.user, address });
      return REFUSED;
    }
    if (disabled) return DISABLED;
    if (names.mailbox === undefined) {
      return { kind: "granted", account: inFolder(account, names.folder) };
    }
    return andThen(
      this.find(names.mailbox, address),
      (owner) => this.#openOther(account, owner, { names, address }),
    );
  }

  #isLocked(entry: DirectoryEntry): boolean {
    if (this.#unlocked.has(entry)) return false;
    if (isLocked(entry.storedPassword)) return true;
    this.#unlocked.add(entry);
    return false;
  }

  /** `owner` is undefined where nobody has the mailbox's name. */
  #openOther(
    account: Account,
    owner: DirectoryEntry | undefined,
    { names, address }: { readonly names: LoginNames; readonly address: string | undefined },
  ): LoginOutcome {
    const isMaster = this.#masters.has(account.user);
    if (owner === undefined || !(isMaster || this.#mayOpen(account, owner))) {
      const { mailbox } = names;
      logger.info("a user may not act for another", { user: account.user, mailbox, address });
      return REFUSED;
    }
    // A master user sees to accounts that are closed, too; a delegate does not.
    if (owner.disabled && !isMaster) return DISABLED;
    const own = owner.account.user === account.user;
    return {
      kind: "granted",
      account: inFolder(owner.account, names.folder),
      ...(own ? {} : { actedBy: account.user }),
    };
  }

  /** Whether the user's `allow_nets` has the address; told apart from a wrong password by the log only. */
  mayComeFrom({ account, allowedNetworks }: DirectoryEntry, address: string | undefined): boolean {
    if (allowedNetworks === undefined || allowedNetworks(address)) return true;
    logger.info("allow_nets keeps a user out", { user: account.user, address });
    return false;
  }

  #mayOpen({ user }: Account, owner: DirectoryEntry): boolean {
    if (owner.account.user === user) return true;
    if (!this.#delegates) return false;
    return owner.delegates?.includes(user) ?? false;
  }

  /**
   * Who has this name, as login_names.ts makes it.
   *
   * @throws {Error} If a directory cannot tell.
   */
  find(name: string, address: string | undefined): Soon<DirectoryEntry | undefined> {
    return this.#findFrom(0, name, address);
  }

  /** Asks the directories from this one on. */
  #findFrom(
    index: number,
    name: string,
    address: string | undefined,
  ): Soon<DirectoryEntry | undefined> {
    const directory = this.#directories[index];
    if (directory === undefined) return undefined;
    if (!directory.findsByName) return this.#findFrom(index + 1, name, address);
    return andThen(
      directory.lookUp(name, address),
      (entry) => entry ?? this.#findFrom(index + 1, name, address),
    );
  }
}

function inFolder(account: Account, folder: string | undefined): Account {
  return folder === undefined ? account : { ...account, folder };
}
