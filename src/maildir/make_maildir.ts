/**
 * A Maildir for mail that comes: the folder, and in it tmp/, cur/ and new/, with what leads there.
 *
 * Readers take new/ and cur/ for the sign of a Maildir, so tmp/ is made before them, and new/ last: where it
 * is, mail can come.
 */

import { dirname } from "node:path";
import { errnoOf, isMissing, storageFailure } from "./disk.ts";
import { refuseForeignLinks } from "./followed_links.ts";
import { syncFolder } from "./folder_sync.ts";
import { MailboxDisk } from "./mailbox_disk.ts";

/** Mail is its owner's alone. */
const FOLDER_MODE = 0o700;

/** Folders above a Maildir that are made with it at most: a domain's, a user's, and what a layout has besides. */
const MOST_ABOVE = 8;

/**
 * Makes what is missing of a Maildir; does nothing where it is whole.
 *
 * @param root A folder above it that has to be there, and is not made: a disk that is not mounted is no place
 * for mail.
 * @throws {StorageFailure} If it cannot be made.
 */
export async function makeMaildir(disk: MailboxDisk, root: string): Promise<void> {
  try {
    if (await isThere(disk, `${disk.path}/new`) && await isThere(disk, `${disk.path}/tmp`)) return;
    await refuseForeignLinks(disk, disk.path);
    const missing = await missingAbove(disk, root);
    for (const path of [...missing, disk.path]) await make(disk, path);
    for (const folder of ["tmp", "cur", "new"]) await make(disk, `${disk.path}/${folder}`);
    for (const path of [disk.path, ...missing.toReversed(), dirname(missing[0] ?? disk.path)]) {
      await syncFolder(new MailboxDisk(path));
    }
  } catch (error) {
    throw storageFailure("make a Maildir", error);
  }
}

/** The folders between `root` and the Maildir that are not there, the highest first. */
async function missingAbove(disk: MailboxDisk, root: string): Promise<string[]> {
  const missing: string[] = [];
  for (let path = dirname(disk.path); !await isThere(disk, path); path = dirname(path)) {
    const isBelow = path.startsWith(root === "/" ? root : `${root}/`);
    if (!isBelow || missing.length === MOST_ABOVE) {
      throw Object.assign(new Error(`"${path}" is not there`), { code: "EAGAIN" });
    }
    missing.unshift(path);
  }
  return missing;
}

async function isThere(disk: MailboxDisk, path: string): Promise<boolean> {
  try {
    await disk.stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function make(disk: MailboxDisk, path: string): Promise<void> {
  try {
    await disk.makeFolder(path, FOLDER_MODE);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}
