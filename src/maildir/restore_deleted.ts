/**
 * Puts messages that were removed back into their Maildir, each under the unique-id that clients know it by.
 *
 * The list of unique-ids comes first: it says again which id is whose, on the disk, and only then do the files
 * come, both under the lock of the list. So whoever finds a file finds its id; who has read the list before has
 * to take the lock to give another one, and reads it again then. Killed between the two, there is an id without a
 * file, as of any message that is missing for a moment: the next try goes on from there.
 *
 * The list is made anew also where it has the ids in force: the session that removed the messages may be about to
 * write down that they went, and a server may know it already. The new list tells both (`Mailbox.beginRemoval`).
 *
 * An id goes to the message whose name it was given to, and to no other: where the list has it for another, or
 * the name has another by now, or it cannot have been given yet, the message comes back under a new one.
 *
 * *Knows* the list and the folders. *Does not know* who asks.
 */

import { StorageFailure } from "../maildrop/store.ts";
import { type DeletedFile } from "./deleted_messages.ts";
import { eachOf, isMissing, pathIn, storageFailure } from "./disk.ts";
import { type DotLock, takeDotLock } from "./dot_lock.ts";
import { uniqueNameOf } from "./file_name.ts";
import { listFolder } from "./folder.ts";
import { syncFolder } from "./folder_sync.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";
import { MessageTable } from "./message_table.ts";
import { staged } from "./name_blocks.ts";
import { Sidecar } from "./sidecar.ts";
import { removeUnfinished, rewrite } from "./sidecar_rewrite.ts";
import type { UniqueIdList } from "./unique_id_list.ts";

/** A live holder of the lock needs milliseconds; a dead one is found out sooner than this. */
const LOCK_WAIT_MS = 30_000;

/** Times that the list is written while others write all the same. */
const TRIES = 5;

/** Files at once. */
const WIDTH = 16;

/**
 * - `restored`: it is back as it was.
 * - `renumbered`: it is back, and gets a new unique-id: its own was another's, or it never had one.
 * - `there`: a message of its name is in the mailbox; it stays where it is.
 * - `gone`: it is not among the deleted any more, or no plain file.
 */
export type Restoration = "restored" | "renumbered" | "there" | "gone";

export interface Restored {
  readonly file: DeletedFile;
  readonly outcome: Restoration;
  /** Of its file; 0 for what is gone. */
  readonly octets: number;
}

/**
 * Restores messages, of several with one name the one that was removed last.
 *
 * @param dryRun Says what would become of them, and changes nothing.
 * @throws {StorageFailure} If the mailbox cannot be looked at, or ids cannot be written down: then none is back. If
 * a file cannot be moved: then some may be.
 */
export async function restoreDeleted(
  disk: MailboxDisk,
  files: readonly DeletedFile[],
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<Restored[]> {
  try {
    if (files.length === 0) return [];
    const sidecar = new Sidecar(disk);
    if (dryRun) {
      await sidecar.refresh();
      return (await planOf(sidecar, files)).results;
    }
    const lock = await takeDotLock(sidecar.lockPath, { waitMs: LOCK_WAIT_MS, disk });
    if (lock === undefined) throw new StorageFailure("SYS/TEMP", "the unique-id list is in use");
    try {
      if (lock.tookOver) await removeUnfinished(disk);
      const plan = await giveBackIds(sidecar, files, lock);
      return await moveBack(disk, plan.results);
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw storageFailure("restore messages", error);
  }
}

interface Plan {
  readonly results: Restored[];
  /** Those that the list is to have again, in ascending order of ids. */
  readonly restored: MessageTable;
}

/** Has the list say the ids; returns what is to be done with the files. */
async function giveBackIds(
  sidecar: Sidecar,
  files: readonly DeletedFile[],
  lock: DotLock,
): Promise<Plan> {
  for (let tries = 0; tries < TRIES; tries++) {
    await sidecar.refreshFromFile();
    const plan = await planOf(sidecar, files);
    if (!plan.results.some(({ outcome }) => outcome === "restored")) return plan;
    sidecar.list.skipId(Date.now());
    if (await rewrite(sidecar, lock, Date.now(), [], { restored: plan.restored })) {
      await sidecar.refreshFromFile();
      mustSay(sidecar.list, plan.restored);
      return plan;
    }
  }
  throw new StorageFailure("SYS/TEMP", "others kept writing the unique-id list");
}

/** @throws {Error} If the list does not say so: a fault of ours, and no file may come then. */
function mustSay({ table }: UniqueIdList, restored: MessageTable): void {
  for (let row = 0; row < restored.count; row++) {
    const found = table.findNameOf(restored, row);
    if (found < 0 || table.isRemoved(found) || table.idOf(found) !== restored.idOf(row)) {
      throw new Error(`The unique-id ${restored.idOf(row)} is not in the list`);
    }
  }
}

async function planOf(sidecar: Sidecar, files: readonly DeletedFile[]): Promise<Plan> {
  const { disk, list } = sidecar;
  const present = await presentNames(disk);
  const octets = new Map<DeletedFile, number | undefined>();
  await eachOf(files, WIDTH, async (file) => {
    octets.set(file, await octetsOf(disk, file));
  });
  const results: Restored[] = [];
  const toList: { readonly file: DeletedFile; readonly id: number; readonly octets: number }[] = [];
  const shown = new ShownIds(list);
  // The one that was removed last is the one that clients saw last.
  for (const file of files.toSorted((one, other) => other.deletedMs - one.deletedMs)) {
    const uniqueName = uniqueNameOf(file.fileName);
    const size = octets.get(file);
    if (size === undefined) {
      results.push({ file, outcome: "gone", octets: 0 });
      continue;
    }
    if (present.has(uniqueName)) {
      results.push({ file, outcome: "there", octets: size });
      continue;
    }
    present.add(uniqueName);
    const standing = standingOf(list, file, uniqueName);
    const isFree = standing !== "taken" && shown.take(file);
    results.push({ file, outcome: isFree ? "restored" : "renumbered", octets: size });
    if (isFree && standing === "lost") toList.push({ file, id: file.id!, octets: size });
  }
  toList.sort((one, other) => one.id - other.id);
  const restored = new MessageTable();
  for (const { file, id, octets } of toList) {
    staged.putText(uniqueNameOf(file.fileName));
    restored.find();
    const row = restored.add();
    restored.setId(row, id);
    restored.setStored(row, octets);
    const known = list.table.findId(id);
    if (known >= 0) restored.setExact(row, list.table.exactOf(known));
    if (file.carried !== undefined) restored.setCarried(row, file.carried);
  }
  return { results, restored };
}

/**
 * What the list says of the message's id.
 * - `kept`: that it is this message's.
 * - `lost`: nothing, or that the message was removed; it can be this message's again.
 * - `taken`: that it is another's, or that the name has another; or it cannot have been given.
 */
function standingOf(
  list: UniqueIdList,
  { id, carried }: DeletedFile,
  uniqueName: string,
): "kept" | "lost" | "taken" {
  const { table } = list;
  const named = table.findText(uniqueName);
  if (id === undefined) return "taken";
  const row = table.findId(id);
  if (row >= 0 && table.uniqueNameOf(row) !== uniqueName) return "taken";
  if (row >= 0 && !table.isRemoved(row)) return table.carriedOf(row) === carried ? "kept" : "taken";
  if (named >= 0 && named !== row && !table.isRemoved(named)) return "taken";
  // Ids are never above the clock, but where another host's was fast when it gave them.
  return id < list.firstFreeId(Date.now()) ? "lost" : "taken";
}

/** What clients see as unique-ids: of no two messages the same. */
class ShownIds {
  readonly #list: UniqueIdList;
  /** By what is shown. */
  #carried: Map<string, number> | undefined;
  readonly #taken = new Set<string>();

  constructor(list: UniqueIdList) {
    this.#list = list;
  }

  /** Whether the message is the only one that would be shown by its id; from then on it is. */
  take({ id, carried }: DeletedFile): boolean {
    const { table } = this.#list;
    const shown = carried ?? String(id);
    if (this.#taken.has(shown)) return false;
    const owner = this.#carriedIds().get(shown) ?? id;
    if (owner !== id) return false;
    const number = carried !== undefined && /^\d{1,15}$/.test(carried) ? Number(carried) : -1;
    const row = number === id ? -1 : table.findId(number);
    if (row >= 0 && !table.isRemoved(row) && table.carriedOf(row) === undefined) return false;
    this.#taken.add(shown);
    return true;
  }

  /** Of messages that are there. */
  #carriedIds(): Map<string, number> {
    if (this.#carried !== undefined) return this.#carried;
    this.#carried = new Map();
    const { table } = this.#list;
    for (let row = 0; row < table.count; row++) {
      const carried = table.carriedOf(row);
      if (carried !== undefined && !table.isRemoved(row)) {
        this.#carried.set(carried, table.idOf(row));
      }
    }
    return this.#carried;
  }
}

/** The unique names that are in the maildrop. */
async function presentNames(disk: MailboxDisk): Promise<Set<string>> {
  const names = new Set<string>();
  for (const folder of ["new", "cur"] as const) {
    await listFolder(disk, folder, (listed) => {
      while (listed.stageNext()) names.add(staged.text);
    });
  }
  return names;
}

/** Octets of a plain file; undefined for anything else, and for nothing. */
async function octetsOf(disk: MailboxDisk, file: DeletedFile): Promise<number | undefined> {
  try {
    const found = await disk.lstat(pathOf(disk, file));
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function pathOf(disk: MailboxDisk, { place, storedName }: DeletedFile) {
  return pathIn(`${disk.path}/${place}`, storedName);
}

async function moveBack(disk: MailboxDisk, planned: readonly Restored[]): Promise<Restored[]> {
  const results: Restored[] = [];
  const used = new Set<"new" | "cur">();
  await eachOf(planned, WIDTH, async (restored) => {
    const { file, outcome } = restored;
    if (outcome === "gone" || outcome === "there") {
      results.push(restored);
      return;
    }
    try {
      // No message has the name, as was seen, and under the lock nobody else brings one back.
      await disk.rename(pathOf(disk, file), pathIn(`${disk.path}/${file.folder}`, file.fileName));
      used.add(file.folder);
      results.push(restored);
    } catch (error) {
      if (!isMissing(error)) throw error;
      results.push({ file, outcome: "gone", octets: 0 });
    }
  });
  for (const folder of used) await syncFolder(disk, folder);
  return results;
}
