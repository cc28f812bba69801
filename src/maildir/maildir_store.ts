/**
 * The waist's store, over Maildirs: which mailbox an account has, and which mailboxes are kept in
 * memory between sessions.
 */

import { getLogger } from "@logtape/logtape";
import type { Account, MaildropStore } from "../maildrop/store.ts";
import { MAILBOX_CACHE_OCTETS } from "../limits.ts";
import { StorageFailure } from "../maildrop/store.ts";
import { DiskTimeout } from "./disk.ts";
import { isLocationFault, mailLocation } from "./location.ts";
import { findMailFolder } from "./mail_folder.ts";
import type { MailLocation } from "./mail_location.ts";
import { Mailbox } from "./mailbox.ts";
import { MailboxDisk } from "./mailbox_disk.ts";
import { MailboxSnapshot } from "./mailbox_snapshot.ts";
import { MaildirDrop } from "./maildir_drop.ts";
import { OpenMailboxes } from "./open_mailboxes.ts";
import { openTally, type Tally } from "./maildirsize.ts";
import { countsFolder } from "./quota_folders.ts";

export interface MaildirStoreOptions {
  /** The setting `maildir`: a path with `{home}`, `{user}`, `{local}`, `{domain}`. */
  readonly maildir: string;
  readonly exactSizes: boolean;
  readonly sortOrder: "ascending" | "descending";
  readonly markRetrievedAsSeen: boolean;
  /** Whether what clients delete is put aside, to be kept for a time. */
  readonly keepsDeleted?: boolean;
  /** Names of an account's folders whose mail does not count towards its quota. */
  readonly ignoredFolders?: (account: Account) => readonly string[];
  /** Memory for mailboxes, octets; those that are open are kept whatever they take. */
  readonly cacheOctets?: number;
  /** Time that a call to the disk gets, ms. */
  readonly timeoutMs?: number;
}

const log = getLogger(["popkeep", "maildir"]);

interface Kept {
  readonly mailbox: Mailbox;
  sessions: number;
  /** Its memory when it was last counted into `#octets`. */
  counted: number;
}

export class MaildirStore implements MaildropStore {
  readonly #options: MaildirStoreOptions;
  readonly #openMailboxes: OpenMailboxes;
  /** In the order of last use, so that the first unused one is the one to forget. */
  readonly #kept = new Map<string, Kept>();
  readonly #mostOctets: number;
  /** Memory that all of them took when they were last counted. */
  #octets = 0;

  /** @param openMailboxes Shared with stores of other settings, whose sessions go on. */
  constructor(options: MaildirStoreOptions, openMailboxes = new OpenMailboxes()) {
    this.#options = options;
    this.#openMailboxes = openMailboxes;
    this.#mostOctets = options.cacheOctets ?? MAILBOX_CACHE_OCTETS.default;
  }

  open(account: Account): MaildirDrop | Promise<MaildirDrop> {
    const location = mailLocation(this.#options.maildir, account);
    if (isLocationFault(location)) throw new StorageFailure("SYS/PERM", location.fault);
    const { folder } = account;
    if (folder === undefined) return this.#openAt(location.inbox, location, account);
    return this.#folderPath(location, folder).then((path) => this.#openAt(path, location, account));
  }

  #openAt(
    path: string,
    location: MailLocation,
    account: Account,
  ): MaildirDrop | Promise<MaildirDrop> {
    const kept = this.#hold(path);
    const free = this.#openMailboxes.untilFree(path);
    if (free !== undefined) return free.then(() => this.#openHeld(kept, location, account));
    return this.#openHeld(kept, location, account);
  }

  #openHeld(
    kept: Kept,
    location: MailLocation,
    account: Account,
  ): MaildirDrop | Promise<MaildirDrop> {
    const ascending = kept.mailbox.refresh();
    if (ascending instanceof MailboxSnapshot) {
      return this.#dropOf(kept, ascending, location, account);
    }
    return this.#openInTime(kept, ascending, location, account);
  }

  async #openInTime(
    kept: Kept,
    refreshing: Promise<MailboxSnapshot>,
    location: MailLocation,
    account: Account,
  ): Promise<MaildirDrop> {
    try {
      const ascending = await refreshing;
      const { missing, path } = kept.mailbox;
      if (missing) await this.#checkMissing(path, location, account);
      return this.#dropOf(kept, ascending, location, account);
    } catch (error) {
      this.#release(kept);
      throw error;
    }
  }

  #dropOf(
    kept: Kept,
    ascending: MailboxSnapshot,
    location: MailLocation,
    account: Account,
  ): MaildirDrop {
    const { exactSizes, keepsDeleted = false, markRetrievedAsSeen, sortOrder } = this.#options;
    return new MaildirDrop({
      mailbox: kept.mailbox,
      snapshot: sortOrder === "ascending" ? ascending : ascending.descending,
      exactSizes,
      markRetrievedAsSeen,
      keepsDeleted,
      openTally: () => this.#openTally(kept.mailbox.path, location, account),
      onClose: () => this.#release(kept),
    });
  }

  /** Where messages removed from a Maildir are counted; undefined where they are not. */
  async #openTally(
    path: string,
    location: MailLocation,
    account: Account,
  ): Promise<Tally | undefined> {
    const ignored = this.#options.ignoredFolders?.(account) ?? [];
    if (!countsFolder(location, path, ignored)) return undefined;
    return await openTally(this.#diskAt(location.folders));
  }

  /** The Maildir of the folder that the client asked for, which has to be there. */
  async #folderPath(location: MailLocation, folder: string): Promise<string> {
    try {
      return await findMailFolder(location, folder, this.#diskAt(location.folders));
    } catch (error) {
      await this.#checkRoot(location);
      throw error;
    }
  }

  /** A missing mailbox is an empty one, unless what should hold it is missing too. */
  async #checkMissing(path: string, location: MailLocation, { user }: Account): Promise<void> {
    await this.#checkRoot(location);
    if (path !== location.inbox) {
      throw new StorageFailure("SYS/TEMP", `"${path}" was there and is not any more`);
    }
    log.info("mailbox does not exist yet", { user, mailbox: path });
  }

  async #checkRoot({ root }: MailLocation): Promise<void> {
    try {
      await this.#diskAt(root).stat(root);
    } catch (error) {
      if (error instanceof DiskTimeout) throw error;
      throw new StorageFailure("SYS/TEMP", `"${root}" cannot be looked into, or is not mounted`, {
        cause: error,
      });
    }
  }

  #diskAt(path: string): MailboxDisk {
    return new MailboxDisk(path, { timeoutMs: this.#options.timeoutMs });
  }

  #hold(path: string): Kept {
    const { exactSizes, timeoutMs } = this.#options;
    const kept = this.#kept.get(path) ??
      { mailbox: new Mailbox(path, { exactSizes, timeoutMs }), sessions: 0, counted: 0 };
    this.#kept.delete(path);
    this.#kept.set(path, kept);
    kept.sessions++;
    this.#openMailboxes.begin(path);
    return kept;
  }

  #release(kept: Kept): void {
    kept.sessions--;
    this.#openMailboxes.end(kept.mailbox.path);
    const octets = kept.mailbox.memoryOctets;
    this.#octets += octets - kept.counted;
    kept.counted = octets;
    if (this.#octets > this.#mostOctets) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const [path, { counted, sessions }] of this.#kept) {
      if (this.#octets <= this.#mostOctets) return;
      if (sessions > 0) continue;
      this.#kept.delete(path);
      this.#octets -= counted;
    }
  }
}
