/**
 * Replacing the sidecar by a shorter one, or making the first: when it is worth it, what is kept, and
 * how a crash at any point leaves the old file or the new one.
 */

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import process from "node:process";
import { getLogger } from "@logtape/logtape";
import { warmFacts } from "../platform/warm_files.ts";
import { errnoOf } from "./disk.ts";
import type { DiskFile } from "./disk_file.ts";
import { diskWork } from "./disk_work.ts";
import type { DotLock } from "./dot_lock.ts";
import { refuseForeignLinks } from "./followed_links.ts";
import { giveToOwnerOf } from "./folder_owner.ts";
import { syncFolder } from "./folder_sync.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";
import { MessageTable } from "./message_table.ts";
import { type LinePieces, type Sidecar, SIDECAR_NAME } from "./sidecar.ts";
import { Turns } from "./turns.ts";
import { UniqueIdLines } from "./unique_id_lines.ts";
import { HEADER, type UniqueIdList } from "./unique_id_list.ts";

const log = getLogger(["popkeep", "maildir"]);

/**
 * A message that is missing keeps its id for this long: a listing may miss a file that is being
 * renamed, and a mailbox may be put back.
 */
const MISSING_GRACE_S = 3_600;

/** Lines are written when they are about so many octets. */
const PIECE_OCTETS = 1_048_576;

/** A lock that was put aside so long ago, also by the clock of another host, was left there. */
const ASIDE_MS = 3_600_000;

/** What filesystems say that have no second names of files. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** Below this many useless lines a compaction is not worth its fsync. */
const COMPACT_LINES = 64;

/** Whether enough of the file says nothing any more that a shorter one should replace it. */
export function needsRewrite(sidecar: Sidecar, nowMs: number): boolean {
  if (sidecar.hasTornEnd && !sidecar.disk.isOfThisMachine) return true;
  const { damaged, durability, list } = sidecar;
  if (damaged || durability.isDoubtful) return true;
  const { table } = list;
  let useless = list.spareLines;
  for (let row = 0; row < table.count; row++) {
    if (isDead(table, row, nowMs)) useless++;
  }
  return useless >= COMPACT_LINES && useless * 2 >= table.count;
}

/** What a list begins with, before the lines of messages. */
export function firstLines({ next }: UniqueIdList): UniqueIdLines {
  const lines = new UniqueIdLines();
  lines.addText(HEADER);
  lines.addNext(next);
  return lines;
}

/**
 * Makes the file where there is none and no message has an id yet, with `lines` from the first to the last.
 * The caller holds the lock. Durable when it returns, and this process shows nothing of the file before; others
 * may, who have written through what they read. So a crash or a full disk may leave no file or part of one,
 * which stays: it need not be made elsewhere and moved.
 *
 * Returns false when there is a file by now, or somebody wrote to it all the same.
 *
 * @throws {Error} What `node:fs` says: ENOSPC, EROFS, EACCES, ...
 */
export async function makeFirst(sidecar: Sidecar, lines: LinePieces): Promise<boolean> {
  const { disk, path } = sidecar;
  const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
  const flags = O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW;
  let file: DiskFile;
  try {
    diskWork.listOpens++;
    file = await disk.open(path, flags, { mode: 0o600 });
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
  try {
    await giveToOwnerOf(disk, disk.path, file);
    const isWhole = await sidecar.writeFirst(file, lines);
    await syncFolder(disk);
    return isWhole;
  } catch (error) {
    // It is left, however much of it there is: others may have read, synced and shown its whole lines. What
    // is torn is cut off by the next who writes, and one without a whole line is made anew.
    sidecar.durability.doubt();
    throw error;
  } finally {
    await file.close();
  }
}

/** What a new list says otherwise of the messages that are in the old one. */
export interface ListChanges {
  /** Rows that are left out, since others are added for their messages that show the same. */
  readonly isLeftOut?: (row: number) => boolean;
  /** Rows that count as removed: what was shown for them is never shown for another message. */
  readonly isRemoved?: (row: number) => boolean;
  /**
   * Messages that come back under ids that were theirs, in ascending order of them: each takes its place among the
   * others. None has the id of a message of another name that is in the list, nor the name of one that is in force
   * under another id.
   */
  readonly restored?: MessageTable;
}

/**
 * Replaces the file by one that holds what is in force, and `more` after it. The caller holds the lock
 * and has just refreshed from the file. Durable when it returns.
 *
 * Returns false, having replaced nothing, when the lock was lost meanwhile or somebody wrote all the same.
 *
 * @throws {StorageFailure} If tmp/ is a link that is not to be followed.
 * @throws {Error} What `node:fs` says: ENOSPC, EROFS, EACCES, ...
 */
export async function rewrite(
  sidecar: Sidecar,
  lock: DotLock,
  nowMs: number,
  more: LinePieces = [],
  changes: ListChanges = {},
): Promise<boolean> {
  const { disk, list, mailboxPath } = sidecar;
  const made = `${mailboxPath}/tmp/${SIDECAR_NAME}.${process.pid}.${
    randomBytes(8).toString("hex")
  }`;
  if (!sidecar.disk.isOfThisMachine && !await sidecar.provesRead()) return false;
  await makeTmp(disk);
  await removeUnfinished(disk);
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    diskWork.listOpens++;
    const file = await disk.open(made, flags, { mode: 0o600 });
    try {
      await giveToOwnerOf(disk, disk.path, file);
      for await (const piece of linesInForce(list, nowMs, changes)) await file.write(piece);
      for await (const piece of more) await file.write(piece);
      diskWork.syncs++;
      await file.datasync();
    } finally {
      await file.close();
    }
    if (!await lock.isHeld() || await sidecar.refreshFromFile() !== "unchanged") return false;
    if (sidecar.damaged) await keepDamaged(sidecar);
    if (!await putInPlace(sidecar, made)) return false;
  } finally {
    await disk.eventually(() => disk.unlink(made));
  }
  try {
    await syncFolder(disk);
  } catch (error) {
    sidecar.durability.doubt();
    throw error;
  }
  sidecar.durability.trust();
  return true;
}

/**
 * Gives what was made the list's name. False if there is a list though none was seen: the client of a shared
 * filesystem says so of a file that another host has just put in the place of one that it knew.
 */
async function putInPlace({ disk, exists, path }: Sidecar, made: string): Promise<boolean> {
  if (exists || warmFacts(disk.path, { follow: true }) !== undefined) {
    await disk.rename(made, path);
    return true;
  }
  try {
    await disk.link(made, path);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    if (!NO_LINKS.has(errnoOf(error))) throw error;
    await disk.rename(made, path);
  }
  return true;
}

async function* linesInForce(
  list: UniqueIdList,
  nowMs: number,
  { isLeftOut, isRemoved, restored = new MessageTable() }: ListChanges,
): AsyncGenerator<Buffer> {
  const { table } = list;
  const lines = firstLines(list);
  const turns = new Turns();
  let nextRestored = 0;
  const addRestoredUpTo = (id: number) => {
    while (nextRestored < restored.count && restored.idOf(nextRestored) <= id) {
      lines.addMessage(restored, nextRestored++);
    }
  };
  for (let row = 0; row < table.count; row++) {
    if (turns.isOver) await turns.next();
    const id = table.idOf(row);
    addRestoredUpTo(id);
    // One of that name is the same message, or was removed before it.
    if (isDead(table, row, nowMs) || restored.findNameOf(table, row) >= 0) continue;
    if (isLeftOut?.(row) === true) continue;
    lines.addMessage(table, row);
    if (table.isRemoved(row) || isRemoved?.(row) === true) lines.addRemoved(id);
    const missedS = isMissed(table, row) ? Math.floor(nowMs / 1000) : undefined;
    const sinceS = table.missingSinceOf(row) ?? missedS;
    if (sinceS !== undefined) lines.addMissing(id, sinceS);
    if (lines.length >= PIECE_OCTETS) {
      yield lines.octets;
      lines.clear();
    }
  }
  addRestoredUpTo(Infinity);
  if (lines.length > 0) yield lines.octets;
}

/** True for a message whose file was looked for and is not there. */
function isMissed(table: MessageTable, row: number): boolean {
  return !table.isInFolder(row) && table.missesOf(row) > 0;
}

/** True for a message that no longer needs a line: it is removed, or missing for long enough. */
function isDead(table: MessageTable, row: number, nowMs: number): boolean {
  if (!isMissed(table, row)) return false;
  if (table.isRemoved(row)) return true;
  // That it was missing may have been written down long ago, and one listing may err.
  const missingSinceS = table.missingSinceOf(row);
  if (missingSinceS === undefined || table.missesOf(row) < 2) return false;
  return nowMs / 1000 - missingSinceS > MISSING_GRACE_S;
}

async function makeTmp(disk: MailboxDisk): Promise<void> {
  const folder = `${disk.path}/tmp`;
  // In another's tmp/ it would be another's to remove.
  await refuseForeignLinks(disk, folder);
  try {
    await disk.makeFolder(folder, 0o700);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return;
    throw error;
  }
  const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
  const made = await disk.open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    await giveToOwnerOf(disk, disk.path, made);
  } finally {
    await made.close();
  }
}

/**
 * What those left behind who were killed meanwhile: what they were making in tmp/, at which nobody is any more, as
 * who holds the lock knows; and a stale lock that they had put aside, where it is so old that nobody looks at it.
 *
 * Who was not killed, but slept so long that his lock was taken over, then has nothing any more to put in the place
 * of a list that others have added to.
 */
export async function removeUnfinished(disk: MailboxDisk): Promise<void> {
  await removeMade(disk).catch(() => {});
  const names = await disk.names(disk.path).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(`${SIDECAR_NAME}.lock.`)) continue;
    const path = `${disk.path}/${name}`;
    const changedMs = await disk.lstat(path).then(({ mtimeMs }) => mtimeMs, () => Date.now());
    if (Date.now() - changedMs > ASIDE_MS) await disk.unlink(path).catch(() => {});
  }
}

async function removeMade(disk: MailboxDisk): Promise<void> {
  const tmp = `${disk.path}/tmp`;
  await refuseForeignLinks(disk, tmp);
  for (const name of await disk.names(tmp)) {
    if (name.startsWith(`${SIDECAR_NAME}.`)) await disk.unlink(`${tmp}/${name}`).catch(() => {});
  }
}

/** A damaged file stays beside the new one for whoever wants to know what happened to it. */
async function keepDamaged({ disk, hasLines, list, mailboxPath, path }: Sidecar): Promise<void> {
  if (!hasLines) {
    // Emptied, or cut short before its first line ended: there is nothing to keep.
    if (list.table.count === 0) {
      log.warn("unique-id list had no line; messages get unique-ids anew", {
        mailbox: mailboxPath,
      });
    }
    return;
  }
  const kept = `${path}.damaged`;
  log.warn("unique-id list was damaged; rebuilt from what is readable", {
    mailbox: mailboxPath,
    kept,
  });
  await disk.unlink(kept).catch(() => {});
  // A second name, so that the list is never without its own.
  await disk.link(path, kept).catch(() => {});
}
