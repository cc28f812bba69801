/**
 * What is known of a mailbox's messages, a row each, in columns: an object for each would take eight
 * times the memory, and there may be a million.
 *
 * | column  | octets | says                                                                          |
 * | ------- | -----: | ----------------------------------------------------------------------------- |
 * | name    |  1 + n | the unique name, up to a whole word (name_blocks.ts)                          |
 * | place   |      4 | where the name stands                                                         |
 * | id      |      8 | the unique-id                                                                 |
 * | stored  |      4 | octets of the file                                                            |
 * | exact   |      4 | octets as sent; not there before one of them is known                         |
 * | state   |      1 | folder, removed, misses, ... (below)                                          |
 * | info    |      1 | what stands behind the unique name in the file's name: which of `#infos`      |
 * | slot    |  5 to 8 | hash table, by unique name, of rows                                           |
 *
 * What few messages have stands beside the columns: sizes of 4 GiB and more, carried-over unique-ids, the
 * times since when files are missing. Rows are never taken out; a new list makes a new table.
 *
 * *Knows* how it is kept. *Does not know* the disk, nor the rules for ids (unique_id_list.ts).
 */

import type { Buffer } from "node:buffer";
import { NAME_OCTETS, NameBlocks, staged } from "./name_blocks.ts";
import { inRanges } from "./turns.ts";

/** What of a row's state is where. */
const IN_NEW = 1;
const IN_CUR = 2;
const IN_FOLDER = 3;
const REMOVED = 4;
const ONE_MISS = 8;
const MISSES = 24;
const BELIEVED = 32;
const SEEN = 64;
const LISTED_AS_FILE = 128;

const FIRST_ROWS = 8;
const UNKNOWN = 0xffff_ffff;
const TOO_LARGE = 0xffff_fffe;
/** Infos by number; what has this one has its own beside. */
const OTHER_INFO = 255;

/** Of slots of the hash table, so many are free at least. */
const FULLEST = 0.75;

export type FolderName = "new" | "cur";

export class MessageTable {
  #count = 0;
  readonly #names = new NameBlocks();
  #places = new Uint32Array(FIRST_ROWS);
  #ids = new Float64Array(FIRST_ROWS);
  #stored = new Uint32Array(FIRST_ROWS);
  #exact: Uint32Array<ArrayBuffer> | undefined;
  #states = new Uint8Array(FIRST_ROWS);
  #infoNumbers = new Uint8Array(FIRST_ROWS);
  /** Rows, counted from 1. */
  #slots = new Uint32Array(FIRST_ROWS * 2);
  #slotsUsed = 0;
  /** Where the name is, or would be, that `find` was asked for last. */
  #askedSlot = 0;
  readonly #infos: string[] = [""];
  readonly #otherInfos = new Map<number, string>();
  readonly #largeStored = new Map<number, number>();
  readonly #largeExact = new Map<number, number>();
  readonly #carried = new Map<number, string>();
  readonly #missingSinceS = new Map<number, number>();

  /** How many rows there are: 0 to `count` - 1. */
  get count(): number {
    return this.#count;
  }

  /** Octets of memory, about. */
  get octets(): number {
    const columns = this.#places.byteLength + this.#ids.byteLength + this.#stored.byteLength +
      (this.#exact?.byteLength ?? 0) + this.#states.byteLength + this.#infoNumbers.byteLength;
    const beside = this.#otherInfos.size + this.#largeStored.size + this.#largeExact.size +
      this.#carried.size + this.#missingSinceS.size;
    return columns + this.#names.octets + this.#slots.byteLength + beside * 100;
  }

  /**
   * Adds a row for the staged name, which `find` has just been asked for. From then on the name is this
   * row's.
   */
  add(): number {
    if (this.#count === this.#ids.length) {
      this.#resize(Math.ceil(this.#count * (this.#count < 65_536 ? 1.5 : 1.125)));
    }
    if (this.#slotsUsed >= this.#slots.length * FULLEST) {
      this.#rehash(this.#slotsUsed * 2);
      this.find();
    }
    const row = this.#count++;
    this.#places[row] = this.#names.add();
    if (this.#exact !== undefined) this.#exact[row] = UNKNOWN;
    if (this.#slots[this.#askedSlot] === 0) this.#slotsUsed++;
    this.#slots[this.#askedSlot] = row + 1;
    return row;
  }

  /** The row that the staged name belongs to, or -1. */
  find(): number {
    this.#askedSlot = this.#slotOfStaged(this.#slots);
    return this.#slots[this.#askedSlot]! - 1;
  }

  /** The same for a name whose characters are octets. */
  findText(uniqueName: string): number {
    if (uniqueName.length > NAME_OCTETS) return -1;
    staged.putText(uniqueName);
    return this.find();
  }

  /** The row here that has the name of another table's row, or -1. */
  findNameOf(table: MessageTable, row: number): number {
    if (this.#count === 0) return -1;
    table.#names.stage(table.#places[row]!);
    return this.find();
  }

  #slotOfStaged(slots: Uint32Array): number {
    let slot = Math.floor(staged.hash / 0x1_0000_0000 * slots.length);
    for (let row; (row = slots[slot]!) !== 0;) {
      if (this.#names.isStagedAt(this.#places[row - 1]!)) break;
      if (++slot === slots.length) slot = 0;
    }
    return slot;
  }

  #rehash(rows: number): void {
    const slots = emptySlots(rows);
    if (this.#slotsUsed > 0) {
      const { text } = staged;
      this.#putInto(slots, 0, this.#slots.length);
      staged.putText(text);
    }
    this.#slots = slots;
  }

  /** Puts the rows of some slots into a new hash table; another name is staged afterwards. */
  #putInto(slots: Uint32Array, from: number, to: number): void {
    for (let slot = from; slot < to; slot++) {
      const row = this.#slots[slot]!;
      if (row === 0) continue;
      this.#names.stage(this.#places[row - 1]!);
      slots[this.#slotOfStaged(slots)] = row;
    }
  }

  #resize(rows: number): void {
    this.#places = resized(this.#places, new Uint32Array(rows));
    this.#ids = resized(this.#ids, new Float64Array(rows));
    this.#stored = resized(this.#stored, new Uint32Array(rows));
    this.#states = resized(this.#states, new Uint8Array(rows));
    this.#infoNumbers = resized(this.#infoNumbers, new Uint8Array(rows));
    if (this.#exact !== undefined) this.#exact = resized(this.#exact, new Uint32Array(rows));
  }

  /** Makes room for so many rows in all, which then are added without a pause. */
  reserve(rows: number): void {
    if (rows > this.#ids.length) this.#resize(rows);
    if (rows > this.#slots.length * FULLEST) this.#rehash(rows);
  }

  /** Rows that can be added before more room is made, at once and for all that are there. */
  get freeRows(): number {
    const slots = Math.floor(this.#slots.length * FULLEST) - this.#slotsUsed;
    return Math.min(this.#ids.length - this.#count, slots);
  }

  /** As `reserve`, but lets others have their turn; nothing may be asked of the table or added meanwhile. */
  async makeRoom(rows: number): Promise<void> {
    if (rows > this.#ids.length) this.#resize(rows);
    if (rows <= this.#slots.length * FULLEST) return;
    const slots = emptySlots(rows);
    await inRanges(this.#slots.length, (from, to) => this.#putInto(slots, from, to));
    this.#slots = slots;
  }

  /** Gives back memory that rows to come would have had, where it is much. */
  fit(): void {
    if (this.#ids.length > this.#count * 1.1 + FIRST_ROWS) this.#resize(this.#count);
    if (this.#slots.length * FULLEST > (this.#slotsUsed + FIRST_ROWS) * 2) {
      this.#rehash(Math.ceil(this.#slotsUsed * 1.1));
    }
  }

  idOf(row: number): number {
    return this.#ids[row]!;
  }

  setId(row: number, id: number): void {
    this.#ids[row] = id;
  }

  /** The row with that id, by halving, where rows are in order of ids; or -1. */
  findId(id: number): number {
    let low = 0;
    let high = this.#count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.#ids[middle]!;
      if (found === id) return middle;
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Stages the row's unique name. */
  stageName(row: number): void {
    this.#names.stage(this.#places[row]!);
  }

  uniqueNameOf(row: number): string {
    return this.#names.textAt(this.#places[row]!);
  }

  /** Writes the octets of the unique name, and returns where they end. */
  writeName(row: number, target: Uint8Array, at: number): number {
    return this.#names.write(this.#places[row]!, target, at);
  }

  /** Writes the octets of the file's name, and returns where they end. */
  writeFileName(row: number, target: Buffer, at: number): number {
    const end = this.writeName(row, target, at);
    const info = this.#infoOf(row);
    return info === "" ? end : end + target.write(info, end, "latin1");
  }

  /** Octets of the file. */
  storedOf(row: number): number {
    const octets = this.#stored[row]!;
    return octets === TOO_LARGE ? this.#largeStored.get(row) ?? octets : octets;
  }

  setStored(row: number, octets: number): void {
    this.#stored[row] = Math.min(octets, TOO_LARGE);
    if (octets >= TOO_LARGE) this.#largeStored.set(row, octets);
  }

  /** Octets as sent, before byte-stuffing; undefined until counted. */
  exactOf(row: number): number | undefined {
    const octets = this.#exact?.[row] ?? UNKNOWN;
    if (octets === UNKNOWN) return undefined;
    return octets === TOO_LARGE ? this.#largeExact.get(row) : octets;
  }

  setExact(row: number, octets: number | undefined): void {
    if (octets === undefined && this.#exact === undefined) return;
    this.#exact ??= new Uint32Array(this.#ids.length).fill(UNKNOWN);
    this.#exact[row] = octets === undefined ? UNKNOWN : Math.min(octets, TOO_LARGE);
    if (octets !== undefined && octets >= TOO_LARGE) this.#largeExact.set(row, octets);
  }

  /** A unique-id of another server that clients know the message by. */
  carriedOf(row: number): string | undefined {
    return this.#carried.size === 0 ? undefined : this.#carried.get(row);
  }

  setCarried(row: number, carried: string): void {
    this.#carried.set(row, carried);
  }

  /** The folder that the file was in when last seen; undefined when it was in none. */
  folderOf(row: number): FolderName | undefined {
    const folder = this.#states[row]! & IN_FOLDER;
    return folder === 0 ? undefined : folder === IN_NEW ? "new" : "cur";
  }

  isInFolder(row: number): boolean {
    return (this.#states[row]! & IN_FOLDER) !== 0;
  }

  /** Octets of the file's name, a character each; the unique name where it was not seen yet. */
  fileNameOf(row: number): string {
    return this.uniqueNameOf(row) + this.#infoOf(row);
  }

  #infoOf(row: number): string {
    const number = this.#infoNumbers[row]!;
    return number === OTHER_INFO ? this.#otherInfos.get(row) ?? "" : this.#infos[number]!;
  }

  /** Says where the file is. Its name is the unique name and `info`. */
  setPlace(row: number, folder: FolderName | undefined, info: string): void {
    const inFolder = folder === undefined ? 0 : folder === "new" ? IN_NEW : IN_CUR;
    this.#states[row] = this.#states[row]! & ~IN_FOLDER | inFolder;
    if (this.#infoNumbers[row] === OTHER_INFO) this.#otherInfos.delete(row);
    let number = this.#infos.indexOf(info);
    if (number < 0 && this.#infos.length < OTHER_INFO) number = this.#infos.push(info) - 1;
    if (number < 0) this.#otherInfos.set(row, info);
    this.#infoNumbers[row] = number < 0 ? OTHER_INFO : number;
  }

  /** Takes the place that another table's row has. */
  copyPlace(row: number, table: MessageTable, from: number): void {
    this.setPlace(row, table.folderOf(from), table.#infoOf(from));
  }

  /** Says that the file is in no folder; what it was called is not forgotten. */
  setNowhere(row: number): void {
    this.#states[row] = this.#states[row]! & ~IN_FOLDER;
  }

  /** Whether popkeep removed the file. */
  isRemoved(row: number): boolean {
    return (this.#states[row]! & REMOVED) !== 0;
  }

  setRemoved(row: number): void {
    this.#states[row] = this.#states[row]! | REMOVED;
  }

  /**
   * Listings in a row that did not have the file, 3 for more; 0 also before this process has made one, when
   * that it has no folder says nothing.
   */
  missesOf(row: number): number {
    return (this.#states[row]! & MISSES) / ONE_MISS;
  }

  addMiss(row: number): void {
    if ((this.#states[row]! & MISSES) !== MISSES) this.#states[row] = this.#states[row]! + ONE_MISS;
  }

  forgetMisses(row: number): void {
    this.#states[row] = this.#states[row]! & ~MISSES;
  }

  /** When the file was first found missing, seconds since 1970. */
  missingSinceOf(row: number): number | undefined {
    return this.#missingSinceS.size === 0 ? undefined : this.#missingSinceS.get(row);
  }

  setMissingSince(row: number, seconds: number | undefined): void {
    if (seconds !== undefined) this.#missingSinceS.set(row, seconds);
    else if (this.#missingSinceS.size > 0) this.#missingSinceS.delete(row);
  }

  /** Whether an exact size that came from a name has been looked into, as far as it is. */
  isBelieved(row: number): boolean {
    return (this.#states[row]! & BELIEVED) !== 0;
  }

  setBelieved(row: number): void {
    this.#states[row] = this.#states[row]! | BELIEVED;
  }

  /** Whether the file was seen by the look that is going on. */
  isSeen(row: number): boolean {
    return (this.#states[row]! & SEEN) !== 0;
  }

  setSeen(row: number): void {
    this.#states[row] = this.#states[row]! | SEEN;
  }

  /** Whether a listing said that it is a plain file. */
  isListedAsFile(row: number): boolean {
    return (this.#states[row]! & LISTED_AS_FILE) !== 0;
  }

  setListedAsFile(row: number): void {
    this.#states[row] = this.#states[row]! | LISTED_AS_FILE;
  }

  /** Begins a look: no file is seen yet. */
  forgetSeen(): void {
    for (let row = 0; row < this.#count; row++) this.#states[row] = this.#states[row]! & ~SEEN;
  }
}

function emptySlots(rows: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(Math.ceil(Math.max(rows, FIRST_ROWS) / FULLEST) + 1);
}

function resized<T extends Uint8Array | Uint32Array | Float64Array>(before: T, after: T): T {
  after.set(before.length > after.length ? before.subarray(0, after.length) : before);
  return after;
}
