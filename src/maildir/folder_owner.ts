/**
 * Whose it is what popkeep makes as root: messages, folders and lists in homes, and what is in a home is its
 * owner's.
 *
 * *Knows* users and groups of the system. *Does not know* what is made.
 */

import process from "node:process";
import { factsOf, warmFacts } from "../platform/warm_files.ts";
import type { DiskFile } from "./disk_file.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";

/**
 * Gives what root has made to the owner of the folder that it is in; others make only what is their own. What
 * is open, never a name: the owner may have put a link under that, to what he would like to own.
 *
 * @throws {Error} What `node:fs` says.
 */
export async function giveToOwnerOf(
  disk: MailboxDisk,
  folder: string,
  made: DiskFile,
): Promise<void> {
  if (process.geteuid?.() !== 0) return;
  const facts = warmFacts(folder, { follow: true }) ?? factsOf(await disk.stat(folder));
  const { userId, groupId } = facts;
  if (userId !== 0 || groupId !== 0) await made.chown(userId, groupId);
}
