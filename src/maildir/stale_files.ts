/**
 * What deliverers left in tmp/ that did not come to the end of it: maildir(5) says to remove what was not
 * touched for 36 hours, since a deliverer gives up after one day.
 */

import type { MailboxDisk } from "./mailbox_disk.ts";
import { DiskTimeout, pathIn } from "./disk.ts";

/** 36 hours, ms. */
export const STALE_MS = 129_600_000;

/** Looked at in one go, from anywhere on: a folder of more is emptied by and by, whatever of it has to stay. */
const MOST_AT_ONCE = 1_000;

/**
 * Removes what is stale; returns how many files that was. What cannot be removed is left.
 *
 * @throws {DiskTimeout} If the disk does not answer.
 * @throws {Error} What `node:fs` says of tmp/ itself.
 */
export async function removeStaleFiles(disk: MailboxDisk, nowMs = Date.now()): Promise<number> {
  const folder = `${disk.path}/tmp`;
  let removed = 0;
  for (const entry of someOf(await disk.entries(folder))) {
    if (!entry.isFile()) continue;
    const path = pathIn(folder, entry.name);
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
}

function someOf<T>(entries: readonly T[]): readonly T[] {
  if (entries.length <= MOST_AT_ONCE) return entries;
  const from = Math.floor(Math.random() * entries.length);
  return [...entries.slice(from), ...entries.slice(0, from)].slice(0, MOST_AT_ONCE);
}
