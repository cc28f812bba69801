/**
 * What becomes of one user's mail with time, in all folders: old messages go, what was deleted long ago goes for
 * good, and so does what unfinished deliveries have left in tmp/.
 *
 * A mailbox that a session has open is left as it is, so that what the session lists stays there until it ends;
 * while messages are removed no session begins, which is why they go a few at a time. Two that do this at once, as
 * on two hosts, do no harm: each file goes once, under exactly the name that it was judged by.
 *
 * *Knows* Maildirs and ages. *Does not know* who is listed where, or settings.
 */

import { getLogger } from "@logtape/logtape";
import { purgeDeleted } from "../maildir/deleted_messages.ts";
import { errnoOf } from "../maildir/disk.ts";
import { refuseForeignLinks } from "../maildir/followed_links.ts";
import type { MailLocation } from "../maildir/mail_location.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { openTally } from "../maildir/maildirsize.ts";
import {
  findOldMessages,
  type NamedMessage,
  type OldMessage,
  removeOldMessages,
  withUniqueIds,
} from "../maildir/old_messages.ts";
import {
  countedMaildirs,
  countsFolder,
  countsMessage,
  folderNameAt,
  isFolderOf,
} from "../maildir/quota_folders.ts";
import { removeStaleFiles } from "../maildir/stale_files.ts";
import { type Account, StorageFailure } from "../maildrop/store.ts";
import { RemovedMessages } from "../maildrop/removed_messages.ts";
import { retentionAges, type RetentionPolicy } from "./retention_ages.ts";

const log = getLogger(["popkeep", "delivery"]);

/** Messages removed while no session may begin: some tens of milliseconds. */
const MOST_AT_ONCE = 64;

/** A mailbox in which no session begins for now. */
export interface Loan {
  /** Time that each call to the disk gets, ms. */
  readonly stepMs: number;
  /** Whether something may still be begun; to be asked before each message. */
  isHeld(): boolean;
  giveBack(): Promise<void>;
}

/** Lends a mailbox that no session has open; undefined where one has. */
export type BorrowMailbox = (path: string) => Promise<Loan | undefined>;

export interface TidyOptions {
  readonly policy: RetentionPolicy & { readonly deletedItemRetentionMs: number };
  /** Names of folders that do not count towards the user's quota. */
  readonly uncountedFolders: readonly string[];
  readonly borrow: BorrowMailbox;
  readonly timeoutMs: number;
  /** Removes nothing. */
  readonly dryRun?: boolean;
  /** Leaves old messages where they are, and does the rest. */
  readonly leavesOld?: boolean;
  readonly nowMs?: number;
  /** Has the rest done by and by. */
  readonly signal?: AbortSignal;
  /** Is told of a folder that another's link leads to, or that may not be read; without it that is the end. */
  readonly onRefused?: (folder: string, reason: string) => void;
}

/** What there was to do in one folder. */
export interface TidiedFolder {
  /** "INBOX", or the names from the top with `/` between them. */
  readonly folder: string;
  readonly path: string;
  /** Old messages that were found. */
  readonly messages: number;
  readonly octets: number;
  /** The youngest date of the oldest of them, ms since 1970; undefined if there are none. */
  readonly oldestMs: number | undefined;
  readonly removed: RemovedMessages;
  /** Messages that stay since a session has the mailbox open, or may have. */
  readonly inUse: number;
  /** Messages that could not be removed. */
  readonly failed: number;
  /** Deleted messages that went for good. */
  readonly purged: number;
  /** Unfinished deliveries that were removed. */
  readonly stale: number;
}

/**
 * Does it for all folders of a user's mailbox; a mailbox that is not there has none.
 *
 * @throws {StorageFailure} If it cannot be looked at.
 * @throws {Error} What `node:fs` says.
 */
export async function tidyMailbox(
  account: Account,
  location: MailLocation,
  options: TidyOptions,
): Promise<TidiedFolder[]> {
  const disk = new MailboxDisk(location.folders, options);
  const tidied: TidiedFolder[] = [];
  for (const path of await countedMaildirs(location, [], disk)) {
    if (options.signal?.aborted === true) break;
    try {
      const folder = await tidyFolder(account, location, path, options);
      if (folder !== undefined) tidied.push(folder);
    } catch (error) {
      if (options.onRefused === undefined || !isOfOneFolder(error)) throw error;
      options.onRefused(folderNameAt(location, path), error.message);
    }
  }
  return tidied;
}

/** Whether the next folder may do better: a disk that does not answer, or a server that does not, will not for it. */
function isOfOneFolder(error: unknown): error is Error {
  if (error instanceof StorageFailure) return error.kind === "SYS/PERM";
  return error instanceof Error && ["EACCES", "EPERM", "ELOOP"].includes(errnoOf(error));
}

/** Undefined where there is no Maildir. */
async function tidyFolder(
  account: Account,
  location: MailLocation,
  path: string,
  options: TidyOptions,
): Promise<TidiedFolder | undefined> {
  const { policy, dryRun = false, leavesOld = false, nowMs = Date.now() } = options;
  const disk = new MailboxDisk(path, options);
  if (!await isMaildir(disk)) return undefined;
  // Whatever the settings have to be done: all of it removes mail.
  for (const part of ["new", "cur"]) await refuseForeignLinks(disk, `${path}/${part}`);
  const folder = folderNameAt(location, path);
  const ages = retentionAges(
    policy,
    account,
    folder,
    (mask, name) => isFolderOf(mask, name, location),
    ({ field, found }) => {
      log.error("a user's retention is not understood; no mail goes by it", {
        user: account.user,
        field,
        found,
      });
    },
  );
  const old = leavesOld ? [] : await findOldMessages(disk, ages, nowMs);
  const removal = new Removal(disk, location, options);
  const { deletedItemRetentionMs: keptMs } = policy;
  if (!dryRun) {
    try {
      await removal.remove(old);
    } finally {
      if (removal.removed.messages > 0) tellRemoved(account, folder, path, removal.removed);
    }
  }
  return {
    folder,
    path,
    messages: old.length,
    octets: old.reduce((sum, { storedOctets }) => sum + storedOctets, 0),
    oldestMs: old[0]?.sinceMs,
    removed: removal.removed,
    inUse: removal.inUse,
    failed: removal.failed,
    purged: dryRun ? 0 : await purgeDeleted(disk, keptMs, nowMs),
    stale: dryRun ? 0 : await removeStaleFiles(disk, nowMs).catch(() => 0),
  };
}

async function isMaildir(disk: MailboxDisk): Promise<boolean> {
  for (const folder of ["cur", "new"]) {
    try {
      if ((await disk.stat(`${disk.path}/${folder}`)).isDirectory()) return true;
    } catch (error) {
      if (!["ENOENT", "ENOTDIR"].includes(errnoOf(error))) throw error;
    }
  }
  return false;
}

function tellRemoved(
  { user }: Account,
  folder: string,
  mailbox: string,
  { messages, octets, uniqueIds, uniqueIdsLeftOut }: RemovedMessages,
): void {
  log.info("messages removed", {
    user,
    ...(folder === "INBOX" ? {} : { folder }),
    mailbox,
    by: "retention",
    messages,
    octets,
    uniqueIds,
    ...(uniqueIdsLeftOut > 0 ? { uniqueIdsLeftOut } : {}),
  });
}

/** The removal of one folder's old messages, a few at a time. */
class Removal {
  readonly removed = new RemovedMessages();
  inUse = 0;
  failed = 0;
  readonly #disk: MailboxDisk;
  readonly #location: MailLocation;
  readonly #options: TidyOptions;

  constructor(disk: MailboxDisk, location: MailLocation, options: TidyOptions) {
    this.#disk = disk;
    this.#location = location;
    this.#options = options;
  }

  async remove(old: readonly OldMessage[]): Promise<void> {
    const named = await withUniqueIds(this.#disk, old);
    for (let from = 0; from < named.length;) {
      if (this.#options.signal?.aborted === true) return;
      const some = named.slice(from, from + MOST_AT_ONCE);
      const loan = await this.#options.borrow(this.#disk.path);
      let begun = 0;
      if (loan !== undefined) {
        try {
          begun = await this.#removeSome(some, loan);
        } finally {
          await loan.giveBack();
        }
      }
      if (begun === 0) {
        this.inUse = named.length - from;
        return;
      }
      from += begun;
    }
  }

  /** Returns how many it has begun with, the first ones: less than all where the loan came to its end. */
  async #removeSome(messages: readonly NamedMessage[], loan: Loan): Promise<number> {
    const { policy, uncountedFolders } = this.#options;
    const counts = countsFolder(this.#location, this.#disk.path, uncountedFolders);
    const tally = counts
      ? await openTally(new MailboxDisk(this.#location.folders, this.#options))
      : undefined;
    const counted: { octets: number }[] = [];
    try {
      const timeoutMs = Math.min(this.#options.timeoutMs, loan.stepMs);
      const disk = new MailboxDisk(this.#disk.path, { timeoutMs });
      const { begun, removed, failed, timeout } = await removeOldMessages(disk, messages, {
        keepsDeleted: policy.deletedItemRetentionMs > 0,
        mayGoOn: () => loan.isHeld(),
      });
      this.failed += failed;
      for (const { carried, fileName, id, storedOctets } of removed) {
        this.removed.addMessage(storedOctets, carried ?? (id === undefined ? undefined : `${id}`));
        if (countsMessage(fileName)) counted.push({ octets: storedOctets });
      }
      if (timeout !== undefined) throw timeout;
      return begun;
    } finally {
      await tally?.removed(counted);
    }
  }
}
