/**
 * Messages that leave the maildrop and are kept for a time: renamed into `popkeep-deleted/YYYY-MM-DD/` of
 * their Maildir, which neither POP3 nor Maildir++ nor a quota looks into.
 *
 * *Crash safety.* A message changes folders by one rename, so it is in the maildrop or among the deleted, never
 * in both and never in neither. The names that lead to the folder are on the disk before the first message
 * comes into it, and those of the messages when `sync` has returned. Where a folder cannot be made or the
 * rename fails (a full disk, a quota of the filesystem), the message stays where it is: it is never removed for
 * good instead, since who turned this on relies on it.
 *
 * *Knows* folders. *Does not know* who may remove what; deleted_name.ts has the names.
 */

import { StorageFailure } from "../maildrop/store.ts";
import { DiskTimeout, errnoOf, isMissing, pathIn } from "./disk.ts";
import {
  dayFolderName,
  dayOfFolder,
  DELETED_FOLDER,
  type DeletedMessage,
  deletedName,
  isFileName,
  parseDeletedName,
} from "./deleted_name.ts";
import { syncFolder } from "./folder_sync.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";
import { makeOwnFolder, ownFolder } from "./own_folder.ts";

const DAY_MS = 86_400_000;

/** Takes messages out of one Maildir, at one time; made for one piece of work, such as a session's UPDATE. */
export class DeletedMessages {
  readonly #disk: MailboxDisk;
  readonly #deletedMs: number;
  /** Day folders that are there, each with its name on the disk. */
  readonly #days = new Map<string, Promise<void>>();
  readonly #used = new Set<string>();

  constructor(disk: MailboxDisk, nowMs = Date.now()) {
    this.#disk = disk;
    this.#deletedMs = nowMs;
  }

  /**
   * Moves a message here from where its name says that it is.
   *
   * @throws {StorageFailure} If something stands in the place of a folder.
   * @throws {Error} What `node:fs` says; ENOENT if the message is not there (any more).
   */
  async take(message: Omit<DeletedMessage, "deletedMs">): Promise<void> {
    const disk = this.#disk;
    const deletedMs = this.#deletedMs;
    const day = `${DELETED_FOLDER}/${dayFolderName(deletedMs)}`;
    await this.#makeDay(day);
    const from = pathIn(`${disk.path}/${message.folder}`, message.fileName);
    const { prefix, fileName, fits } = deletedName({ ...message, deletedMs });
    try {
      if (
        fits && await this.#renamedShort(from, pathIn(`${disk.path}/${day}`, prefix + fileName))
      ) {
        this.#used.add(day);
        return;
      }
      const folder = `${day}/${prefix}`;
      await makeOwnFolder(disk, folder);
      await disk.rename(from, pathIn(`${disk.path}/${folder}`, fileName));
      this.#used.add(folder);
    } catch (error) {
      // It may be the folder that is gone.
      if (isMissing(error)) this.#days.delete(day);
      throw error;
    }
  }

  /** False if the filesystem takes no name of this length, as those that encrypt names. */
  async #renamedShort(from: ReturnType<typeof pathIn>, to: typeof from): Promise<boolean> {
    try {
      await this.#disk.rename(from, to);
      return true;
    } catch (error) {
      if (errnoOf(error) !== "ENAMETOOLONG") throw error;
      return false;
    }
  }

  /** Once for all that come at the same time. */
  #makeDay(day: string): Promise<void> {
    let making = this.#days.get(day);
    if (making === undefined) {
      making = makeOwnFolder(this.#disk, DELETED_FOLDER)
        .then(() => makeOwnFolder(this.#disk, day));
      this.#days.set(day, making);
    }
    return making;
  }

  /** Has the disk know the new names. @throws {Error} What `node:fs` says. */
  async sync(): Promise<void> {
    for (const folder of this.#used) await syncFolder(this.#disk, folder);
  }
}

/** One message among the deleted, and where it is. */
export interface DeletedFile extends DeletedMessage {
  /** The folder that it is in, below the Maildir. */
  readonly place: string;
  /** What it is called there, a character an octet. */
  readonly storedName: string;
}

/**
 * The messages that were removed from a Maildir and are still kept, by day, the oldest day first. What is not
 * called as popkeep calls them, or is a link, is left out.
 *
 * @throws {StorageFailure} If something stands in the place of the folder.
 * @throws {Error} What `node:fs` says.
 */
export async function listDeleted(disk: MailboxDisk): Promise<DeletedFile[]> {
  const found: DeletedFile[] = [];
  for (const day of await dayFolders(disk)) {
    const place = `${DELETED_FOLDER}/${day}`;
    for (const { name, isFolder } of await entriesOf(disk, place)) {
      const message = parseDeletedName(name);
      if (message === undefined) continue;
      if (!isFolder && message.fileName !== "") found.push({ ...message, place, storedName: name });
      if (!isFolder || message.fileName !== "") continue;
      for (const inner of await entriesOf(disk, `${place}/${name}`)) {
        if (inner.isFolder || !isFileName(inner.name)) continue;
        const fileName = inner.name;
        found.push({ ...message, fileName, place: `${place}/${name}`, storedName: fileName });
      }
    }
  }
  return found;
}

/**
 * Removes for good what has been kept for so long, a day at a time: what was removed on a day is kept until
 * that day's end and `keptMs` more. Returns how many messages that were.
 *
 * What popkeep did not put there stays, and with it the folder that it is in.
 *
 * @throws {StorageFailure} If something stands in the place of the folder.
 * @throws {Error} What `node:fs` says of the folder.
 */
export async function purgeDeleted(
  disk: MailboxDisk,
  keptMs: number,
  nowMs = Date.now(),
): Promise<number> {
  let purged = 0;
  for (const day of await dayFolders(disk)) {
    if (dayOfFolder(day)! + DAY_MS + keptMs > nowMs) continue;
    const place = `${DELETED_FOLDER}/${day}`;
    for (const { name, isFolder } of await entriesOf(disk, place)) {
      const message = parseDeletedName(name);
      if (message === undefined || isFolder !== (message.fileName === "")) continue;
      const names = isFolder ? await entriesOf(disk, `${place}/${name}`) : [{ name }];
      const folder = isFolder ? `${place}/${name}` : place;
      for (const { name } of names) {
        if (await isDone(disk.unlink(pathIn(`${disk.path}/${folder}`, name)))) purged++;
      }
      if (isFolder) await isDone(disk.removeFolder(`${disk.path}/${folder}`));
    }
    await isDone(disk.removeFolder(`${disk.path}/${place}`));
  }
  return purged;
}

/** What cannot be removed, or went meanwhile, is left; a disk that hangs is not. */
async function isDone(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof DiskTimeout) throw error;
    return false;
  }
}

/** The names of the day folders, the oldest first. */
async function dayFolders(disk: MailboxDisk): Promise<string[]> {
  if (await ownFolder(disk, DELETED_FOLDER) === undefined) return [];
  return (await entriesOf(disk, DELETED_FOLDER))
    .filter(({ name, isFolder }) => isFolder && dayOfFolder(name) !== undefined)
    .map(({ name }) => name).sort();
}

/** Files and folders, and nothing else: a link is neither. */
async function entriesOf(disk: MailboxDisk, below: string) {
  try {
    if (await ownFolder(disk, below) === undefined) return [];
    const entries = await disk.entries(`${disk.path}/${below}`);
    return entries.filter((entry) => entry.isFile() || entry.isDirectory())
      .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
  } catch (error) {
    // Somebody else purges too, or has put something in its place.
    if (isMissing(error) || error instanceof StorageFailure && !(error instanceof DiskTimeout)) {
      return [];
    }
    throw error;
  }
}
