/**
 * The sidecar `popkeep-uidlist`, version 1: one text file in each Maildir that owns its unique-ids.
 *
 *     popkeep-uidlist 1
 *     next 1795385109390214
 *     + 1795385109389772 2048 2101 - 1700000000.M1P1.host,S=2048
 *     + 1795385109389773 917 - 4f2a.7 1700000004.M9P1.host
 *     = 1795385109389773 917 940
 *     - 1795385109389772
 *     ? 1795385109389773 1795385200
 *
 * Every line ends with LF; fields are parted by one space. The first line names the format and its
 * version. Then, in any mix:
 *
 * | line                           | says                                                          |
 * | ------------------------------ | ------------------------------------------------------------- |
 * | `next ID`                      | no id below this may be given to a message any more           |
 * | `+ ID STORED EXACT CARRIED NAME` | a message: its id, octets of its file, octets as sent (`-`: not |
 * |                                | counted yet), unique-id carried over from another server (`-`: none, |
 * |                                | the id itself is shown), unique name                          |
 * | `= ID STORED EXACT`            | better sizes for that message                                 |
 * | `- ID`                         | popkeep removed that message                                  |
 * | `? ID SECONDS`                 | its file was not there; first missed then (seconds since 1970) |
 *
 * In NAME and CARRIED an octet up to 0x20, 0x7F or `%` is written `%XX`.
 *
 * What is CARRIED is shown instead of the id for as long as the message is there. It comes from an import
 * (src/moving), which may also give messages new places in the list: then it is the id that popkeep showed before.
 * No two messages have one, and none is an id that the counter can still come to.
 *
 * Rules that every reader follows, so that all hosts see the same whatever the writers did:
 * 1. Only lines that end with LF count: a torn last line never happened.
 * 2. Ids of `+` lines rise through the file. A `+` line whose id is not above all before it, or whose
 *    name already has an id, is void: the first one wins. So two writers that both believed that they
 *    held the lock cannot give one id to two messages.
 * 3. The next id is above every id of every line, and not below `next`.
 *
 * The counter is also never below the clock, in microseconds since 1970, when ids are given (see
 * `firstFreeId`). So ids given after the file was lost, cut short or put back from an old copy are
 * still above all that were given before, though nothing on disk remembers them (but within the same
 * millisecond: docs/design.md, 1). Within one file they are consecutive where one delivery brought several
 * messages ([MS-STANXPOP3] C0007 to C0009).
 *
 * *Knows* the text, and how it is read; unique_id_lines.ts writes it. *Does not know* the disk; sidecar.ts
 * does.
 */

import { Buffer } from "node:buffer";
import { StorageFailure } from "../maildrop/store.ts";
import { parseUniqueId } from "../maildrop/unique_id.ts";
import { MessageTable } from "./message_table.ts";
import { NAME_OCTETS, staged } from "./name_blocks.ts";

export const HEADER = "popkeep-uidlist 1\n";

/** Ids stay exact in a double up to here; microseconds reach it in the year 2255. */
const LARGEST_ID = Number.MAX_SAFE_INTEGER;

/** More than are ever given at a time: lines with ids beyond the largest would not be read back. */
const MOST_AT_ONCE = 2 ** 32;

const SPACE = 0x20;
const PERCENT = 0x25;
const PLUS = 0x2b;
const DASH = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;

export class UniqueIdList {
  /** In the order of ids, which is the order of the file. */
  readonly table = new MessageTable();
  #next = 1;
  /** Lines that a compaction would save, rows apart. */
  #spareLines = 0;

  /** No id below this may be given. */
  get next(): number {
    return this.#next;
  }

  get spareLines(): number {
    return this.#spareLines;
  }

  /**
   * The id that the next message gets: above all given ids, and not below the clock.
   *
   * @param nowMs milliseconds since 1970.
   * @throws {StorageFailure} If there are none left, as when the file was made to say so.
   */
  firstFreeId(nowMs: number): number {
    const first = Math.max(this.#next, Math.floor(nowMs) * 1000);
    if (first <= LARGEST_ID - MOST_AT_ONCE) return first;
    throw new StorageFailure("SYS/PERM", `the unique-id list leaves no ids after ${first - 1}`);
  }

  /**
   * Leaves an id out, never to be given. So a list that is then written in the place of this one is another one to
   * all who have read this, whatever else it says.
   */
  skipId(nowMs: number): void {
    this.#raiseNext(this.firstFreeId(nowMs));
  }

  /**
   * The row that a file of that name belongs to, or -1: none if popkeep removed that message, since a file
   * that then comes under its name is another one.
   */
  findPresent(uniqueName: string): number {
    const row = this.table.findText(uniqueName);
    return row >= 0 && this.table.isRemoved(row) ? -1 : row;
  }

  /** Takes one line after the header, without its LF. False if it is no line of this format. */
  apply(line: Buffer): boolean {
    // Nearly all lines are messages, and there may be a million.
    if (line[0] === PLUS) return this.#applyMessage(line);
    const fields = line.toString("latin1").split(" ");
    switch (fields[0]) {
      case "=":
        return fields.length === 4 && this.#applySizes(fields);
      case "-":
        return fields.length === 2 && this.#applyRemoved(fields);
      case "?":
        return fields.length === 3 && this.#applyMissing(fields);
      case "next": {
        // It may be one above the largest id: then there is none left.
        const next = wholeNumber(fields[1], LARGEST_ID);
        if (next === undefined || fields.length !== 2) return false;
        this.#next = Math.max(this.#next, next);
        return true;
      }
      default:
        return false;
    }
  }

  #applyMessage(line: Buffer): boolean {
    if (line[1] !== SPACE) return false;
    const idEnd = endOfDigits(line, 2);
    const storedEnd = endOfDigits(line, idEnd + 1);
    const exactIsKnown = line[storedEnd + 1] !== DASH;
    const exactEnd = exactIsKnown ? endOfDigits(line, storedEnd + 1) : storedEnd + 2;
    if (line[idEnd] !== SPACE || line[storedEnd] !== SPACE || line[exactEnd] !== SPACE) {
      return false;
    }
    const id = wholeNumberAt(line, 2, idEnd);
    const storedOctets = wholeNumberAt(line, idEnd + 1, storedEnd);
    const exactOctets = exactIsKnown ? wholeNumberAt(line, storedEnd + 1, exactEnd) : undefined;
    if (id === undefined || storedOctets === undefined) return false;
    if (exactIsKnown && exactOctets === undefined) return false;
    let nameFrom = exactEnd + 3;
    let carried: string | undefined;
    if (line[exactEnd + 1] !== DASH || line[exactEnd + 2] !== SPACE) {
      const carriedEnd = line.indexOf(SPACE, exactEnd + 1);
      if (carriedEnd < 0) return false;
      carried = unescaped(line.subarray(exactEnd + 1, carriedEnd))?.toString("latin1");
      if (carried === undefined || parseUniqueId(carried) === undefined) return false;
      nameFrom = carriedEnd + 1;
    }
    if (line.includes(SPACE, nameFrom)) return false;
    const name = unescaped(line.subarray(nameFrom));
    if (name === undefined || !isUniqueName(name)) return false;
    if (name.length > NAME_OCTETS) {
      this.#raiseNext(id);
      this.#void();
      return true;
    }
    staged.putOctets(name, 0, name.length);
    const row = this.#addFound(id, this.table.find());
    if (row < 0) return true;
    this.table.setStored(row, storedOctets);
    this.table.setExact(row, exactOctets);
    if (carried !== undefined) this.table.setCarried(row, carried);
    return true;
  }

  /**
   * Takes the line that gives an id to the message that a row of another table names, as `apply` would: for
   * who wrote it. Of a message that we removed under that name, the line that says so goes before.
   */
  takeNew(newcomers: MessageTable, newcomer: number, id: number): void {
    const { table } = this;
    newcomers.stageName(newcomer);
    const former = table.find();
    if (former >= 0) {
      table.setRemoved(former);
      this.#spare(table.idOf(former));
    }
    const row = this.#addFound(id, former);
    if (row < 0) return;
    table.setStored(row, newcomers.storedOf(newcomer));
    table.setExact(row, newcomers.exactOf(newcomer));
  }

  /**
   * Adds a row for the staged name, which `known` has been found to be the row of; -1 if the line is void.
   */
  #addFound(id: number, known: number): number {
    const { table } = this;
    this.#raiseNext(id);
    if (table.count > 0 && id <= table.idOf(table.count - 1)) return this.#void();
    if (known >= 0 && !table.isRemoved(known)) return this.#void();
    const row = table.add();
    table.setId(row, id);
    return row;
  }

  #raiseNext(id: number): void {
    this.#next = Math.max(this.#next, id + 1);
  }

  #void(): -1 {
    this.#spareLines++;
    return -1;
  }

  #applySizes(fields: readonly string[]): boolean {
    const id = wholeNumber(fields[1]);
    const storedOctets = wholeNumber(fields[2]);
    const exactOctets = fields[3] === "-" ? undefined : wholeNumber(fields[3]);
    if (id === undefined || storedOctets === undefined) return false;
    if (exactOctets === undefined && fields[3] !== "-") return false;
    const row = this.table.findId(id);
    if (row >= 0) {
      this.table.setStored(row, storedOctets);
      this.table.setExact(row, exactOctets);
    }
    return this.#spare(id);
  }

  #applyRemoved(fields: readonly string[]): boolean {
    const id = wholeNumber(fields[1]);
    if (id === undefined) return false;
    const row = this.table.findId(id);
    if (row >= 0) this.table.setRemoved(row);
    return this.#spare(id);
  }

  #applyMissing(fields: readonly string[]): boolean {
    const id = wholeNumber(fields[1]);
    const sinceS = wholeNumber(fields[2]);
    if (id === undefined || sinceS === undefined) return false;
    const row = this.table.findId(id);
    if (row >= 0) this.table.setMissingSince(row, sinceS);
    return this.#spare(id);
  }

  #spare(id: number): true {
    this.#raiseNext(id);
    this.#spareLines++;
    return true;
  }
}

function isUniqueName(name: Buffer): boolean {
  return name.length > 0 && name[0] !== DOT && !name.includes(SLASH);
}

function endOfDigits(line: Buffer, from: number): number {
  let at = from;
  for (let octet; (octet = line[at]) !== undefined && octet >= 48 && octet <= 57;) at++;
  return at;
}

/** Decimal digits, from one place to another, as a number. */
function wholeNumberAt(line: Buffer, from: number, to: number): number | undefined {
  if (to <= from || to - from > 16) return undefined;
  let value = 0;
  for (let at = from; at < to; at++) value = value * 10 + line[at]! - 48;
  return value < LARGEST_ID ? value : undefined;
}

function wholeNumber(text: string | undefined, most = LARGEST_ID - 1): number | undefined {
  if (text === undefined || !/^[0-9]{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= most ? value : undefined;
}

/** A field without its escapes; undefined if one of them is none. */
function unescaped(field: Buffer): Buffer | undefined {
  if (!field.includes(PERCENT)) return field;
  const plain = Buffer.alloc(field.length);
  let end = 0;
  for (let at = 0; at < field.length; at++) {
    let octet = field[at]!;
    if (octet === PERCENT) {
      const high = hexDigit(field[at + 1]);
      const low = hexDigit(field[at + 2]);
      if (high < 0 || low < 0) return undefined;
      octet = high * 16 + low;
      at += 2;
    }
    plain[end++] = octet;
  }
  return plain.subarray(0, end);
}

/** 0 to 15, or -1. */
function hexDigit(octet: number | undefined): number {
  if (octet === undefined) return -1;
  if (octet >= 48 && octet <= 57) return octet - 48;
  return octet >= 65 && octet <= 70 ? octet - 55 : -1;
}
