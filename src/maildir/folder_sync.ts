/**
 * Names on the disk: what was made or renamed in a folder is there after a power cut only if the folder was
 * synced, whatever became of the file.
 */

import { constants } from "node:fs";
import { errnoOf } from "./disk.ts";
import { diskWork } from "./disk_work.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";

/**
 * Makes all names in the mailbox's folder durable, or in one below it. Filesystems that cannot sync a folder
 * do it by themselves.
 */
export async function syncFolder(disk: MailboxDisk, below?: string): Promise<void> {
  const path = below === undefined ? disk.path : `${disk.path}/${below}`;
  const folder = await disk.open(path, constants.O_RDONLY);
  try {
    diskWork.syncs++;
    await folder.sync();
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EBADF"].includes(errnoOf(error))) throw error;
  } finally {
    await folder.close();
  }
}
