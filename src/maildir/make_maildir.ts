/**
 * A Maildir for mail that comes: the folder, and in it cur/, tmp/ and new/, with what leads there. When it is
 * there, so are the names that lead to it, whatever becomes of the machine: also where another delivery has
 * made them, which may not have come as far as that yet.
 *
 * Readers take new/ and cur/ for the sign of a Maildir, and a folder without them for a fault. So a Maildir of
 * which there is nothing yet is made under another name beside its place, and put there when it is whole. That
 * name is the same for all who make it: what one who was killed has left, the next one goes on with.
 */

import { createHash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { basename, dirname } from "node:path";
import { errnoOf, isMissing, storageFailure } from "./disk.ts";
import { giveToOwnerOf } from "./folder_owner.ts";
import { syncFolder } from "./folder_sync.ts";
import { refuseForeignLinks } from "./followed_links.ts";
import { isSettled } from "./list_durability.ts";
import { MailboxDisk } from "./mailbox_disk.ts";

/** Mail is its owner's alone. */
const FOLDER_MODE = 0o700;

/** Folders above a Maildir that are made with it at most: a domain's, a user's, and what a layout has besides. */
const MOST_ABOVE = 8;

/** cur/ first, for readers; new/ last: where it is, mail can come. */
const PARTS = ["cur", "tmp", "new"] as const;

/** Times that others can put a Maildir into its place, or take ours away, before that is no accident. */
const TRIES = 5;

export interface MakeOptions {
  /**
   * A folder above the Maildir that has to be there, and is not made: a disk that is not mounted is no place
   * for mail.
   */
  readonly root: string;
  /** Time that a call to the disk gets, ms. */
  readonly timeoutMs?: number;
}

/**
 * Makes what is missing of a Maildir; does nothing where it has been whole for long.
 *
 * @throws {StorageFailure} If it cannot be made, or its names may not be on the disk.
 */
export async function makeMaildir(disk: MailboxDisk, options: MakeOptions): Promise<void> {
  try {
    const newFolder = await found(disk, `${disk.path}/new`);
    const isWhole = newFolder !== undefined &&
      await found(disk, `${disk.path}/tmp`) !== undefined;
    if (isWhole && isSettled(newFolder)) return;
    const made = new Set<string>();
    if (!isWhole) await make(disk, options, made);
    await syncNames(disk, options, made);
  } catch (error) {
    throw storageFailure("make a Maildir", error);
  }
}

/** @param made Gets the folders in which something was made. */
async function make(disk: MailboxDisk, options: MakeOptions, made: Set<string>): Promise<void> {
  await refuseForeignLinks(disk, disk.path);
  for (const path of await missingAbove(disk, options.root)) await makeFolder(disk, path, made);
  for (let tries = 1; !await isAnything(disk, disk.path); tries++) {
    try {
      if (await putInPlace(disk, options, made)) return;
    } catch (error) {
      // Another delivery has put into its place what both were making.
      if (!isMissing(error) || tries === TRIES) throw error;
    }
  }
  for (const part of PARTS) await makeFolder(disk, `${disk.path}/${part}`, made);
}

/** Makes a whole Maildir and gives it its name. False if there is something of that name by now. */
async function putInPlace(
  disk: MailboxDisk,
  { timeoutMs }: MakeOptions,
  made: Set<string>,
): Promise<boolean> {
  // No user's folder begins with a dot; a name that is as long as names may be has no room for more.
  const hash = createHash("sha256").update(basename(disk.path)).digest("hex").slice(0, 16);
  const making = `${dirname(disk.path)}/.popkeep-${hash}`;
  await makeFolder(disk, making, made);
  for (const part of PARTS) await makeFolder(disk, `${making}/${part}`, made);
  await syncFolder(new MailboxDisk(making, { timeoutMs }));
  try {
    await disk.rename(making, disk.path);
    return true;
  } catch (error) {
    // A folder takes the place of an empty one only, so never of one that mail may be in.
    if (!["ENOTEMPTY", "EEXIST"].includes(errnoOf(error))) throw error;
  }
  for (const path of [...PARTS.map((part) => `${making}/${part}`), making]) {
    await disk.removeFolder(path).catch(() => {});
  }
  return false;
}

/**
 * Has the disk know all names from the Maildir's root to what is in it, where they are young: the folders above
 * one that is settled are older still.
 *
 * @param made The folders in which something was made by us.
 */
async function syncNames(
  disk: MailboxDisk,
  { root, timeoutMs }: MakeOptions,
  made: ReadonlySet<string>,
): Promise<void> {
  await syncFolder(disk);
  for (let path = disk.path;;) {
    const above = dirname(path);
    if (!made.has(above) && isSettled(await disk.stat(path))) return;
    try {
      await syncFolder(new MailboxDisk(above, { timeoutMs }));
    } catch (error) {
      // What we may not even read, such as a folder of homes, another delivery has made nothing in.
      if (made.has(above) || errnoOf(error) !== "EACCES") throw error;
    }
    if (!isBelow(above, root)) return;
    path = above;
  }
}

/** The folders between `root` and the Maildir that are not there, the highest first. */
async function missingAbove(disk: MailboxDisk, root: string): Promise<string[]> {
  const missing: string[] = [];
  for (
    let path = dirname(disk.path);
    await found(disk, path) === undefined;
    path = dirname(path)
  ) {
    if (!isBelow(path, root) || missing.length === MOST_ABOVE) {
      throw Object.assign(new Error(`"${path}" is not there`), { code: "EAGAIN" });
    }
    missing.unshift(path);
  }
  return missing;
}

function isBelow(path: string, root: string): boolean {
  return path !== root && path.startsWith(root === "/" ? root : `${root}/`);
}

/** What is at a path, where links lead; undefined if nothing is. */
async function found(disk: MailboxDisk, path: string): Promise<Stats | undefined> {
  try {
    return await disk.stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether there is anything of that name, a link that leads nowhere too. */
async function isAnything(disk: MailboxDisk, path: string): Promise<boolean> {
  try {
    await disk.lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Makes a folder where there is none, for the owner of the one that it is in. */
async function makeFolder(disk: MailboxDisk, path: string, made: Set<string>): Promise<void> {
  const above = dirname(path);
  try {
    await disk.makeFolder(path, FOLDER_MODE);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    return;
  }
  made.add(above);
  const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
  const folder = await disk.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    await giveToOwnerOf(disk, above, folder);
  } finally {
    await folder.close();
  }
}
