/**
 * Folders of popkeep's own in a Maildir: made where they are missing, never a link that somebody put there.
 * When one is there, so is its name on the disk, also where another process has just made it.
 *
 * *Knows* folders. *Does not know* what is in them.
 */

import { constants, type Stats } from "node:fs";
import { StorageFailure } from "../maildrop/store.ts";
import { errnoOf, isMissing } from "./disk.ts";
import { giveToOwnerOf } from "./folder_owner.ts";
import { syncFolder } from "./folder_sync.ts";
import { isSettled } from "./list_durability.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";

/** Mail is its owner's alone. */
const FOLDER_MODE = 0o700;

/**
 * Makes the folder `below` of the Maildir, one level only, for the owner of the folder that it is in.
 *
 * @throws {StorageFailure} If something else stands there.
 * @throws {Error} What `node:fs` says: ENOSPC, EDQUOT, EACCES, ...
 */
export async function makeOwnFolder(disk: MailboxDisk, below: string): Promise<void> {
  const path = `${disk.path}/${below}`;
  let found = await ownFolder(disk, below);
  if (found !== undefined && isSettled(found)) return;
  if (found === undefined) {
    try {
      await disk.makeFolder(path, FOLDER_MODE);
      const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
      const made = await disk.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      try {
        await giveToOwnerOf(disk, aboveOf(path), made);
      } finally {
        await made.close();
      }
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      found = await ownFolder(disk, below);
    }
  }
  // Who has just made it may not have come as far as this.
  await syncFolder(disk, below.includes("/") ? aboveOf(below) : undefined);
}

/**
 * What is known of such a folder; undefined if there is none.
 *
 * @throws {StorageFailure} If something else stands there.
 */
export async function ownFolder(disk: MailboxDisk, below: string): Promise<Stats | undefined> {
  const path = `${disk.path}/${below}`;
  try {
    const found = await disk.lstat(path);
    if (found.isDirectory()) return found;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  throw new StorageFailure("SYS/PERM", `"${path}" is no folder`);
}

function aboveOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
