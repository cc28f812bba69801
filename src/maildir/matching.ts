/**
 * One look at the folders, matched with the list of unique-ids: where each row's file is, and which files
 * belong to no row.
 *
 * new/ is taken before cur/. A message in both is in cur/ as far as anybody is told; such twins, which most
 * often are one that moved between the listings, let nobody trust this look at new/ later.
 *
 * *Knows* rows and listings. *Does not know* the disk. All of it lets others have their turn.
 */

import { isMessageName, type Listed } from "./folder.ts";
import { type FolderName, MessageTable } from "./message_table.ts";
import { NAME_OCTETS, staged } from "./name_blocks.ts";
import { Turns } from "./turns.ts";
import type { UniqueIdList } from "./unique_id_list.ts";

export class Matching {
  /** Files that belong to no row of the list. */
  readonly newcomers = new MessageTable();
  readonly #table: MessageTable;
  /** Rows whose file is in new/ by its listing and in cur/ by what is known; with the name's rest. */
  readonly #movedBack = new Map<number, string>();
  #hasTwins = false;
  #unreadable = 0;

  /** @param list read before the folders are listed, so that a row which is not found is missing. */
  constructor(list: UniqueIdList) {
    this.#table = list.table;
    this.#table.forgetSeen();
  }

  /** Whether one unique name was seen in both folders. */
  get hasTwins(): boolean {
    return this.#hasTwins;
  }

  /** Names that this runtime cannot open; they are left out. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** What is known of a folder holds: listing it would say nothing new. */
  keep(folder: FolderName): void {
    const table = this.#table;
    for (let row = 0; row < table.count; row++) {
      if (table.folderOf(row) === folder) table.setSeen(row);
    }
  }

  /** Takes a listing of a folder. */
  async take(folder: FolderName, listed: readonly Listed[]): Promise<void> {
    const turns = new Turns();
    // Most of a mailbox never seen before; nothing where it is known.
    const strangers = listed.length - this.#table.count;
    if (strangers > 0) this.newcomers.reserve(this.newcomers.count + strangers);
    for (const one of listed) {
      if (turns.isOver) await turns.next();
      const { name } = one;
      const isMessage = isMessageName(name);
      if (isMessage === "unreadable") this.#unreadable++;
      if (isMessage !== true || name.length > NAME_OCTETS) continue;
      const colon = name.indexOf(":");
      staged.putText(name);
      if (colon >= 0) staged.cutTo(colon);
      this.#takeName(folder, one);
    }
  }

  /** Takes one file, whose unique name is staged. */
  #takeName(folder: FolderName, listed: Listed): void {
    const table = this.#table;
    const info = listed.name.slice(staged.length);
    const row = table.find();
    if (row < 0 || table.isRemoved(row)) return this.#takeNewcomer(folder, listed, info);
    if (folder === "new" && table.folderOf(row) === "cur") {
      this.#movedBack.set(row, info);
      return;
    }
    if (table.isSeen(row) && table.folderOf(row) !== folder) this.#hasTwins = true;
    this.#see(row, folder, info);
  }

  #takeNewcomer(folder: FolderName, listed: Listed, info: string): void {
    const { newcomers } = this;
    let row = newcomers.find();
    if (row < 0) row = newcomers.add();
    else if (newcomers.folderOf(row) !== folder) this.#hasTwins = true;
    newcomers.setPlace(row, folder, info);
    if (listed.isFile()) newcomers.setListedAsFile(row);
  }

  #see(row: number, folder: FolderName, info: string): void {
    this.#table.setPlace(row, folder, info);
    this.#table.setMissingSince(row, undefined);
    this.#table.setSeen(row);
  }

  /** When both folders are taken or kept: what was not seen is in no folder. */
  finish(): void {
    const table = this.#table;
    for (const [row, info] of this.#movedBack) {
      if (table.isSeen(row)) this.#hasTwins = true;
      else this.#see(row, "new", info);
    }
    for (let row = 0; row < table.count; row++) {
      if (table.isSeen(row)) {
        table.forgetMisses(row);
      } else {
        table.setNowhere(row);
        table.addMiss(row);
      }
    }
  }

  /** Tells the list where the files of these newcomers are, which have its rows from `first` on. */
  async placeAdded(list: UniqueIdList, first: number, newcomers: Uint32Array): Promise<void> {
    const turns = new Turns();
    for (let index = 0; index < newcomers.length; index++) {
      if (turns.isOver) await turns.next();
      list.table.copyPlace(first + index, this.newcomers, newcomers[index]!);
    }
  }

  /** Tells the list, which has more lines or is another one now, where the files are that were seen. */
  async place(list: UniqueIdList): Promise<void> {
    if (list.table !== this.#table) await placeAs(this.#table, list.table);
    await placeAs(this.newcomers, list.table);
  }
}

/** Gives rows the places that rows of the same name have in another table. */
async function placeAs(known: MessageTable, table: MessageTable): Promise<void> {
  const turns = new Turns();
  for (let from = 0; from < known.count; from++) {
    if (turns.isOver) await turns.next();
    if (!known.isInFolder(from)) continue;
    const row = table.findNameOf(known, from);
    if (row < 0 || table.isRemoved(row)) continue;
    table.copyPlace(row, known, from);
    table.setMissingSince(row, undefined);
    table.forgetMisses(row);
  }
}
