/**
 * What it means that new/ or cur/ is not there: a mailbox that nothing was delivered to yet, or a fault.
 * Clients that see an empty mailbox forget what they know of it, so that is never said of one that is
 * only out of reach.
 *
 * *Knows* what is known of the messages. *Does not know* who asks.
 */

import { StorageFailure } from "../maildrop/store.ts";
import { isMissing } from "./disk.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";
import type { FolderName, MessageTable } from "./message_table.ts";

/** A folder that changed this shortly ago and has no new/ and no cur/ may be a Maildir that is being made. */
const IN_THE_MAKING_MS = 10_000;

/**
 * Returns if a mailbox without new/ and cur/ is an empty one.
 *
 * @throws {StorageFailure} If it had messages, or is a folder that is no Maildir.
 */
export async function mayBeMissing(disk: MailboxDisk, table: MessageTable): Promise<void> {
  let changedMs: number;
  try {
    changedMs = (await disk.lstat(disk.path)).mtimeMs;
  } catch (error) {
    if (!isMissing(error)) throw error;
    if (table.count > 0) {
      throw new StorageFailure("SYS/TEMP", `"${disk.path}" was there and is not any more`);
    }
    return;
  }
  // A delivery makes the folder first, and then what is in it.
  if (table.count === 0 && Math.abs(Date.now() - changedMs) < IN_THE_MAKING_MS) return;
  throw new StorageFailure("SYS/PERM", `"${disk.path}" has no new/ and no cur/: no Maildir`);
}

/**
 * A folder that had messages and is not there any more: they are not removed, it is put aside.
 *
 * @throws {StorageFailure} If it had any.
 */
export function mustBeEmpty(path: string, table: MessageTable, folder: FolderName): void {
  for (let row = 0; row < table.count; row++) {
    if (table.folderOf(row) !== folder) continue;
    throw new StorageFailure("SYS/TEMP", `"${path}/${folder}" was there and is not any more`);
  }
}
