/**
 * What deliverers left in tmp/ that did not come to the end of it: maildir(5) says to remove what was not
 * touched for 36 hours, since a deliverer gives up after one day.
 */

import { DiskTimeout, pathIn } from "./disk.ts";
import { HeldTmp } from "./held_tmp.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";

/** 36 hours, ms. */
export const STALE_MS = 129_600_000;

/** Looked at in one go, from anywhere on: a folder of more is emptied by and by, whatever of it has to stay. */
const MOST_AT_ONCE = 1_000;

/**
 * Removes what is stale; returns how many files that was. What cannot be removed is left. Nothing is, where a link
 * stands in the place of tmp/: it may lead to mail.
 *
 * @param mostAtOnce files that are looked at.
 * @throws {DiskTimeout} If the disk does not answer.
 * @throws {StorageFailure} If a link on the way to the Maildir is not to be followed.
 * @throws {Error} What `node:fs` says of tmp/ itself; ENOTDIR or ELOOP of a link.
 */
export async function removeStaleFiles(
  disk: MailboxDisk,
  nowMs = Date.now(),
  mostAtOnce = MOST_AT_ONCE,
): Promise<number> {
  const tmp = await HeldTmp.open(disk);
  try {
    let removed = 0;
    for (const entry of someOf(await tmp.entries(), mostAtOnce)) {
      if (!entry.isFile()) continue;
      const path = pathIn(tmp.path, entry.name);
      try {
        const { atimeMs, mtimeMs, ctimeMs } = await disk.lstat(path);
        // Of all of them, since a clock may have been wrong when one of them was set.
        if (nowMs - Math.max(atimeMs, mtimeMs, ctimeMs) < STALE_MS) continue;
        await disk.unlink(path);
        removed++;
      } catch (error) {
        if (error instanceof DiskTimeout) throw error;
        // It went meanwhile, or is somebody else's.
      }
    }
    return removed;
  } finally {
    await tmp.close();
  }
}

function someOf<T>(entries: readonly T[], most: number): readonly T[] {
  if (entries.length <= most) return entries;
  const from = Math.floor(Math.random() * entries.length);
  return [...entries.slice(from), ...entries.slice(0, from)].slice(0, most);
}
