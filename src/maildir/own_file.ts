/**
 * A small file of popkeep's own in a Maildir, written as a whole: who reads it sees the old one or the new one,
 * whatever is killed when. The new one is written in tmp/, through to the disk, and renamed over the old one.
 *
 * *Knows* Maildirs. *Does not know* what is in the file.
 */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { deliveredName } from "./delivered_name.ts";
import { giveToOwnerOf } from "./folder_owner.ts";
import { refuseForeignLinks } from "./followed_links.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";

/** Mail, and what is known of it, is its owner's alone. */
const FILE_MODE = 0o600;

export interface OwnFileOptions {
  /** The Maildir whose tmp/ it is written in; the same. */
  readonly tmpOf?: string;
}

/**
 * Puts a file in its place, for the owner of the Maildir; returns its inode. What stood there under that name, a
 * link too, is gone. Whether the name is on the disk yet is left to the filesystem.
 *
 * @throws {Error} What `node:fs` says; then there is the old file, and nothing in tmp/ where the disk allows.
 */
export async function replaceOwnFile(
  disk: MailboxDisk,
  name: string,
  text: string,
  { tmpOf = disk.path }: OwnFileOptions = {},
): Promise<number> {
  await refuseForeignLinks(disk, `${tmpOf}/tmp`);
  const path = `${tmpOf}/tmp/${deliveredName()}.${name}`;
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  const file = await disk.open(path, flags, { mode: FILE_MODE });
  try {
    let inode: number;
    try {
      await giveToOwnerOf(disk, disk.path, file);
      await file.write(Buffer.from(text, "latin1"));
      await file.datasync();
      inode = (await file.stat()).ino;
    } finally {
      await file.close();
    }
    await disk.rename(path, `${disk.path}/${name}`);
    return inode;
  } catch (error) {
    await disk.eventually(() => disk.unlink(path));
    throw error;
  }
}
