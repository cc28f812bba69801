/**
 * Names on the disk: what was made or renamed in a folder is there after a power cut only if the folder was
 * synced, whatever became of the file.
 */

import { constants } from "node:fs";
import { errnoOf } from "./disk.ts";
import { diskWork } from "./disk_work.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";

/** Makes all names in the mailbox's folder durable. Filesystems that cannot sync a folder do it by themselves. */
export async function syncFolder(disk: MailboxDisk): Promise<void> {
  const folder = await disk.open(disk.path, constants.O_RDONLY);
  try {
    diskWork.syncs++;
    await folder.sync();
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EBADF"].includes(errnoOf(error))) throw error;
  } finally {
    await folder.close();
  }
}
