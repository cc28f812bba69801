/**
 * Replacing the sidecar by a shorter one, or making the first: when it is worth it, what is kept, and
 * how a crash at any point leaves the old file or the new one.
 */

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chown, link, mkdir, open, rename, stat, unlink } from "node:fs/promises";
import process from "node:process";
import { getLogger } from "@logtape/logtape";
import { errnoOf, inTurns } from "./disk.ts";
import type { DotLock } from "./dot_lock.ts";
import { type Sidecar, SIDECAR_NAME, writeAll } from "./sidecar.ts";
import {
  encodeMessage,
  encodeMissing,
  encodeNext,
  encodeRemoved,
  type Entry,
  HEADER,
} from "./unique_id_list.ts";

const log = getLogger(["popkeep", "maildir"]);

/**
 * A message that is missing keeps its id for this long: a listing may miss a file that is being
 * renamed, and a mailbox may be put back.
 */
const MISSING_GRACE_S = 3_600;

/** Below this many useless lines a compaction is not worth its fsync. */
const COMPACT_LINES = 64;

/** Whether enough of the file says nothing any more that a shorter one should replace it. */
export function needsRewrite({ damaged, list }: Sidecar, nowMs: number): boolean {
  if (damaged) return true;
  let useless = list.spareLines;
  for (const entry of list.entries) {
    if (isDead(entry, nowMs)) useless++;
  }
  return useless >= COMPACT_LINES && useless * 2 >= list.entries.length;
}

/**
 * Replaces the file by one that holds what is in force, and `more` after it. The caller holds the lock
 * and has just refreshed from the file. Durable when it returns.
 *
 * Returns false, having replaced nothing, when the lock was lost meanwhile or somebody wrote all the same.
 *
 * @throws {Error} What `node:fs` says: ENOSPC, EROFS, EACCES, ...
 */
export async function rewrite(
  sidecar: Sidecar,
  lock: DotLock,
  nowMs: number,
  more = "",
): Promise<boolean> {
  const { list, mailboxPath, path } = sidecar;
  const text = HEADER + encodeNext(list.next) + await linesInForce(list.entries, nowMs) + more;
  const made = `${mailboxPath}/tmp/${SIDECAR_NAME}.${process.pid}.${
    randomBytes(8).toString("hex")
  }`;
  await makeTmp(mailboxPath);
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    const handle = await open(made, flags, 0o600);
    try {
      await writeAll(handle, text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await giveToOwner(mailboxPath, made);
    if (!await lock.isHeld() || await sidecar.refreshFromFile() !== "unchanged") return false;
    if (sidecar.damaged) await keepDamaged(sidecar);
    await rename(made, path);
  } finally {
    await unlink(made).catch(() => {});
  }
  await syncFolder(mailboxPath);
  return true;
}

async function linesInForce(entries: readonly Entry[], nowMs: number): Promise<string> {
  const lines: string[] = [];
  await inTurns(entries, (entry) => {
    if (isDead(entry, nowMs)) return;
    lines.push(encodeMessage(entry));
    if (entry.removed) lines.push(encodeRemoved(entry));
    const sinceS = entry.missingSinceS ?? (isMissed(entry) ? Math.floor(nowMs / 1000) : undefined);
    if (sinceS !== undefined) lines.push(encodeMissing(entry, sinceS));
  });
  return lines.join("");
}

/** True for an entry whose file was looked for and is not there. */
function isMissed(entry: Entry): boolean {
  return entry.misses > 0 && entry.folder === undefined;
}

/** True for an entry that no longer needs a line: its message is removed, or missing for long enough. */
function isDead(entry: Entry, nowMs: number): boolean {
  if (!isMissed(entry)) return false;
  if (entry.removed) return true;
  // That it was missing may have been written down long ago, and one listing may err.
  const { missingSinceS, misses } = entry;
  if (missingSinceS === undefined || misses < 2) return false;
  return nowMs / 1000 - missingSinceS > MISSING_GRACE_S;
}

async function makeTmp(mailboxPath: string): Promise<void> {
  const folder = `${mailboxPath}/tmp`;
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return;
    throw error;
  }
  await giveToOwner(mailboxPath, folder);
}

/** A server that runs as root makes files that belong to the mailbox's owner. */
async function giveToOwner(mailboxPath: string, path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(mailboxPath);
  if (uid !== 0 || gid !== 0) await chown(path, uid, gid);
}

/** A damaged file stays beside the new one for whoever wants to know what happened to it. */
async function keepDamaged({ mailboxPath, path }: Sidecar): Promise<void> {
  const kept = `${path}.damaged`;
  log.warn("unique-id list was damaged; rebuilt from what is readable", {
    mailbox: mailboxPath,
    kept,
  });
  await unlink(kept).catch(() => {});
  // A second name, so that the list is never without its own.
  await link(path, kept).catch(() => {});
}

/** Makes a rename in the folder durable. Filesystems that cannot sync a folder do it by themselves. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EBADF"].includes(errnoOf(error))) throw error;
  } finally {
    await handle.close();
  }
}
