/**
 * Unique-ids for messages that have none: new lines of the list, written by who holds its lock.
 *
 * *Invariant.* What has an id in the list when this returns has it on the disk.
 *
 * *Knows* the list and what was matched with it. *Does not know* folders.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { StorageFailure } from "../maildrop/store.ts";
import type { DotLock } from "./dot_lock.ts";
import { isReplacedElsewhere } from "./list_durability.ts";
import type { Matching } from "./matching.ts";
import type { MessageTable } from "./message_table.ts";
import { linesFor } from "./newcomers.ts";
import type { Sidecar } from "./sidecar.ts";
import { firstLines, makeFirst, needsRewrite, rewrite } from "./sidecar_rewrite.ts";
import { Turns } from "./turns.ts";

/**
 * Ids are tried to be written as often, while others, whose lock was taken over, still write too. Where nobody has,
 * what a shared filesystem remembers of the list is older than the lock: this is waited before the next try, so that
 * the last one comes when it has been forgotten (clients of GlusterFS: caches of a second each, of which one may
 * fill itself from another; three seconds were too few, on a busy machine).
 */
const TRIES_MS = [50, 300, 1_000, 2_000, 4_000, 0] as const;

/** What is in the list could not be made out: nothing may be shown, since messages with ids may be left out. */
export class ListUnclear extends StorageFailure {
  constructor(message: string) {
    super("SYS/TEMP", message);
  }
}

export interface Nameless {
  readonly sidecar: Sidecar;
  readonly matching: Matching;
  /** Of the newcomers, those that need an id. */
  readonly rows: Uint32Array;
  /** Held until this has ended. */
  readonly lock: DotLock;
}

/**
 * Gives ids to those that have none by now, and places all newcomers in the list. False if the lock was lost
 * meanwhile: then what was written may not be in the list that is there now.
 *
 * @throws {ListUnclear} If others write all the time, or a shared filesystem goes on showing what is no more.
 * @throws {Error} What `node:fs` says.
 */
export async function giveIds({ sidecar, matching, rows, lock }: Nameless): Promise<boolean> {
  const { newcomers } = matching;
  for (const [tries, pauseMs] of TRIES_MS.entries()) {
    // Where there was no file, making it will tell whether there is one by now.
    const isFirst = tries === 0 && !sidecar.exists && sidecar.list.table.count === 0;
    // Others may have given ids since we looked; then those are the ids.
    const seen = isFirst
      ? "unchanged"
      : await unlessOutdated(sidecar, () => sidecar.refreshFromFile());
    if (seen === undefined) {
      await sleep(pauseMs);
      continue;
    }
    if (seen !== "unchanged") await matching.place(sidecar.list);
    const without = await withoutId(sidecar.list.table, newcomers, rows);
    const { exists, durability: { isDoubtful } } = sidecar;
    if (without.length === 0 && exists && !isDoubtful) return true;
    const first = sidecar.list.table.count;
    const isAdded = await unlessOutdated(
      sidecar,
      () => writeIds(sidecar, newcomers, without, lock),
    );
    const change = await unlessOutdated(sidecar, () => sidecar.refreshFromFile());
    if (!sidecar.disk.isOfThisMachine && !await lock.isHeld()) {
      await matching.place(sidecar.list);
      return false;
    }
    if (isAdded && change === "unchanged" && sidecar.list.table.count === first + without.length) {
      await matching.placeAdded(sidecar.list, first, without);
      return true;
    }
    await matching.place(sidecar.list);
    if (change !== undefined && change !== "unchanged") continue;
    await sidecar.renewTime();
    await sleep(pauseMs);
  }
  throw new ListUnclear("others kept writing the unique-id list");
}

/** Those of the newcomers that have no id by now. */
async function withoutId(
  table: MessageTable,
  newcomers: MessageTable,
  rows: Uint32Array,
): Promise<Uint32Array> {
  if (table.count === 0) return rows;
  const turns = new Turns();
  const without = new Uint32Array(rows.length);
  let count = 0;
  for (const row of rows) {
    if (turns.isOver) await turns.next();
    const known = table.findNameOf(newcomers, row);
    const hasId = known >= 0 && !table.isRemoved(known) && table.isInFolder(known);
    if (!hasId) without[count++] = row;
  }
  return without.subarray(0, count);
}

/** Undefined where another host has replaced the list, and this one does not know its new file yet. */
async function unlessOutdated<T>(
  sidecar: Sidecar,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isReplacedElsewhere(sidecar.disk, error)) throw error;
    return undefined;
  }
}

/** Writes ids for newcomers. True if they are in force, and in the list behind what was there. */
async function writeIds(
  sidecar: Sidecar,
  newcomers: MessageTable,
  rows: Uint32Array,
  lock: DotLock,
): Promise<boolean> {
  const { exists, list } = sidecar;
  list.table.reserve(list.table.count + rows.length);
  if (!exists && list.table.count === 0) {
    const lines = linesFor(list, newcomers, rows, firstLines(list));
    return await makeFirst(sidecar, lines);
  }
  const lines = linesFor(list, newcomers, rows);
  if (exists && !needsRewrite(sidecar, Date.now())) return await sidecar.append(lines, true);
  await rewrite(sidecar, lock, Date.now(), lines);
  return false;
}
