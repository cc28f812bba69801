/**
 * One look at the folders, matched with the list of unique-ids: where each row's file is, and which files
 * belong to no row.
 *
 * new/ is taken before cur/. A message in both is in cur/ as far as anybody is told; such twins, which most
 * often are one that moved between the listings, let nobody trust this look at new/ later.
 *
 * *Knows* rows and listings. *Does not know* the disk. All of it lets others have their turn.
 */

import type { Ghosts } from "./ghosts.ts";
import type { ListedNames } from "./listed_names.ts";
import { type FolderName, MessageTable } from "./message_table.ts";
import { inRanges, Turns } from "./turns.ts";
import type { UniqueIdList } from "./unique_id_list.ts";

/** However many names a folder has room for, room is made for no more newcomers than this before they come. */
const MOST_RESERVED = 1_000_000;

/** Names that are taken between two looks at the clock. */
const NAMES_A_LOOK = 256;

export class Matching {
  /** Files that belong to no row of the list. */
  readonly newcomers = new MessageTable();
  readonly #table: MessageTable;
  /** Rows whose file is in new/ by its listing and in cur/ by what is known; with the name's rest. */
  readonly #movedBack = new Map<number, string>();
  /** The parts of a listing come in one turn where they can. */
  readonly #turns = new Turns({ itemsALook: 1 });
  /** Folders of which a part was taken, that room was made for. */
  readonly #roomMade = new Set<FolderName>();
  readonly #ghosts: Ghosts | undefined;
  #hasTwins = false;
  #hasGhosts = false;
  #unreadable = 0;

  /**
   * @param list read before the folders are listed, so that a row which is not found is missing.
   * @param ghosts where the filesystem may go on showing what was removed.
   */
  constructor(list: UniqueIdList, ghosts?: Ghosts) {
    this.#table = list.table;
    this.#table.forgetSeen();
    this.#ghosts = ghosts;
    ghosts?.begin();
  }

  /** Whether one unique name was seen in both folders. */
  get hasTwins(): boolean {
    return this.#hasTwins;
  }

  /** Whether a file was left out since its message was removed a moment ago. */
  get hasGhosts(): boolean {
    return this.#hasGhosts;
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

  /** Takes a listing of a folder, or a part of one. */
  async take(folder: FolderName, names: ListedNames): Promise<void> {
    const turns = this.#turns;
    await this.#makeRoomFor(folder, names.expected);
    do {
      if (turns.isOver) await turns.next();
      const { newcomers } = this;
      if (newcomers.freeRows < NAMES_A_LOOK && newcomers.count > 0) {
        await newcomers.makeRoom(newcomers.count * 2 + NAMES_A_LOOK);
      }
    } while (this.#takeSome(folder, names));
    this.#unreadable += names.unreadable;
  }

  /** False when there are no more. */
  #takeSome(folder: FolderName, names: ListedNames): boolean {
    for (let taken = 0; taken < NAMES_A_LOOK; taken++) {
      if (!names.stageNext()) return false;
      this.#takeName(folder, names);
    }
    return true;
  }

  /** Makes room for most of a mailbox never seen before; for none where it is known. */
  async #makeRoomFor(folder: FolderName, expected: number): Promise<void> {
    const { newcomers } = this;
    if (this.#roomMade.has(folder)) return;
    this.#roomMade.add(folder);
    const strangers = Math.min(expected, MOST_RESERVED) - this.#table.count;
    if (strangers > this.#table.count) await newcomers.makeRoom(newcomers.count + strangers);
  }

  /** Takes one file, whose unique name is staged. */
  #takeName(folder: FolderName, names: ListedNames): void {
    const table = this.#table;
    const { info } = names;
    const row = table.find();
    if (row >= 0 && table.isRemoved(row)) {
      if (this.#ghosts?.leavesOut(table.idOf(row), performance.now()) === true) {
        // Its line is kept for as long as that.
        table.setSeen(row);
        return table.setNowhere(row);
      }
      return this.#takeNewcomer(folder, names);
    }
    if (row < 0) return this.#takeNewcomer(folder, names);
    if (folder === "new" && table.folderOf(row) === "cur") {
      this.#movedBack.set(row, info);
      return;
    }
    if (table.isSeen(row) && table.folderOf(row) !== folder) this.#hasTwins = true;
    this.#see(row, folder, info);
  }

  #takeNewcomer(folder: FolderName, { info, isFile }: ListedNames): void {
    const { newcomers } = this;
    let row = newcomers.find();
    if (row < 0) row = newcomers.add();
    else if (newcomers.folderOf(row) !== folder) this.#hasTwins = true;
    newcomers.setPlace(row, folder, info);
    if (isFile) newcomers.setListedAsFile(row);
  }

  #see(row: number, folder: FolderName, info: string): void {
    this.#table.setPlace(row, folder, info);
    this.#table.setMissingSince(row, undefined);
    this.#table.setSeen(row);
  }

  /** When both folders are taken or kept: what was not seen is in no folder. */
  finish(): void {
    const table = this.#table;
    this.#hasGhosts = this.#ghosts?.end() ?? false;
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
    await inRanges(newcomers.length, (from, to) => {
      for (let index = from; index < to; index++) {
        list.table.copyPlace(first + index, this.newcomers, newcomers[index]!);
      }
    });
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
