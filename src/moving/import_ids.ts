/**
 * Puts an old server's unique-ids into a Maildir's list, as ids that were carried over (unique_id_list.ts).
 *
 * *Crashes.* The list is made anew beside the old one, written through, and renamed into its place, under the
 * list's lock: a kill or a power cut at any step leaves the old list or the whole new one, and a second run begins
 * again or finds everything done. So may popkeep serve the mailbox meanwhile: a session sees the list as it was.
 * Nothing of the old server's is opened for writing.
 *
 * *Invariant.* When `importIds` returns, what it says is in the file, on the disk, and was read back.
 *
 * *Knows* the list and the plan. *Does not know* where old ids come from.
 */

import type { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import { storageFailure } from "../maildir/disk.ts";
import { type DotLock, takeDotLock } from "../maildir/dot_lock.ts";
import { Sidecar } from "../maildir/sidecar.ts";
import { type ListChanges, removeUnfinished, rewrite } from "../maildir/sidecar_rewrite.ts";
import { Turns } from "../maildir/turns.ts";
import { UniqueIdLines } from "../maildir/unique_id_lines.ts";
import type { UniqueIdList } from "../maildir/unique_id_list.ts";
import { StorageFailure } from "../maildrop/store.ts";
import { type ImportPlan, planImport, shownFor } from "./import_plan.ts";
import type { OldIds } from "./old_ids.ts";
import type { PresentMessages } from "./present_messages.ts";

/** A live holder of the lock needs milliseconds, and a dead one is found out within 15 s. */
const LOCK_WAIT_MS = 30_000;

/** Others, whose lock was taken over, may still write; and shared filesystems remember for seconds. */
const TRIES_MS = [100, 1_000, 3_000, 5_000, 0] as const;

/** Lines are written when they are about so many octets. */
const PIECE_OCTETS = 1_048_576;

export interface ImportOptions {
  /** Whether old ids go before those that popkeep has given. */
  readonly replace: boolean;
  /** Whether nothing is to be changed. */
  readonly dryRun: boolean;
}

/**
 * Returns what was done, or would be.
 *
 * @throws {StorageFailure} If the list cannot be read or written; then it is as it was.
 */
export async function importIds(
  present: PresentMessages,
  old: OldIds,
  { replace, dryRun }: ImportOptions,
): Promise<ImportPlan> {
  try {
    const sidecar = new Sidecar(present.disk);
    if (!dryRun) {
      return await underLock(sidecar, (lock) => write(present, old, { sidecar, lock, replace }));
    }
    await sidecar.refresh();
    return planImport(present, old, sidecar.list, { replace });
  } catch (error) {
    throw storageFailure("import unique-ids", error);
  }
}

async function underLock<T>(sidecar: Sidecar, work: (lock: DotLock) => Promise<T>): Promise<T> {
  const { disk } = sidecar;
  const lock = await takeDotLock(sidecar.lockPath, { waitMs: LOCK_WAIT_MS, disk });
  if (lock === undefined) throw new StorageFailure("SYS/TEMP", "the unique-id list is in use");
  try {
    if (lock.tookOver) await removeUnfinished(disk);
    return await work(lock);
  } finally {
    await lock.release();
  }
}

interface Writing {
  readonly sidecar: Sidecar;
  readonly lock: DotLock;
  readonly replace: boolean;
}

async function write(
  present: PresentMessages,
  old: OldIds,
  { sidecar, lock, replace }: Writing,
): Promise<ImportPlan> {
  for (const pauseMs of TRIES_MS) {
    await sidecar.refreshFromFile();
    const plan = planImport(present, old, sidecar.list, { replace });
    if (plan.lines.length === 0) return plan;
    const lines = linesOf(present, plan, sidecar.list);
    if (await rewrite(sidecar, lock, Date.now(), lines, changesOf(plan, sidecar.list))) {
      await sidecar.refreshFromFile();
      mustSay(sidecar.list, present, plan);
      return plan;
    }
    await sleep(pauseMs);
  }
  throw new StorageFailure("SYS/TEMP", "others kept writing the unique-id list");
}

/** What becomes of the rows that lines stand in for. An id that was shown, and is not any more, stays known. */
function changesOf({ lines }: ImportPlan, { table }: UniqueIdList): ListChanges {
  const shown = new Map(lines.map(({ listRow, shown }) => [listRow, shown]));
  const isSame = (row: number) => shown.get(row) === shownFor(table, row);
  return {
    isLeftOut: isSame,
    isRemoved: (row) => shown.has(row) && !isSame(row),
  };
}

/** The lines that say what is planned, for a list from which those are gone that they stand in for. */
async function* linesOf(
  present: PresentMessages,
  plan: ImportPlan,
  list: UniqueIdList,
): AsyncGenerator<Buffer> {
  const { table } = present;
  const lines = new UniqueIdLines();
  const firstId = Math.max(list.firstFreeId(Date.now()), plan.next);
  lines.addNext(firstId);
  const turns = new Turns();
  for (const [index, { row, shown, listRow }] of plan.lines.entries()) {
    if (turns.isOver) await turns.next();
    const known = listRow < 0 ? undefined : list.table.exactOf(listRow);
    lines.addNewMessage(table, row, {
      id: firstId + index,
      storedOctets: table.storedOf(row),
      exactOctets: table.exactOf(row) ?? known,
      carried: shown,
    });
    if (lines.length < PIECE_OCTETS) continue;
    yield lines.octets;
    lines.clear();
  }
  yield lines.octets;
}

/** @throws {Error} If the list does not say what was planned: a fault of ours, and nobody may be told that it is done. */
function mustSay(list: UniqueIdList, { table }: PresentMessages, { lines }: ImportPlan): void {
  for (const { row, shown } of lines) {
    const found = list.findPresent(table.uniqueNameOf(row));
    if (found >= 0 && list.table.carriedOf(found) === shown) continue;
    throw new Error("The unique-id list does not say what was written into it");
  }
}
