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
 * Rules that every reader follows, so that all hosts see the same whatever the writers did:
 * 1. Only lines that end with LF count: a torn last line never happened.
 * 2. Ids of `+` lines rise through the file. A `+` line whose id is not above all before it, or whose
 *    name already has an id, is void: the first one wins. So two writers that both believed that they
 *    held the lock cannot give one id to two messages.
 * 3. The next id is above every id of every line, and not below `next`.
 *
 * The counter is also never below the clock, in microseconds since 1970, when ids are given (see
 * `firstFreeId`). So ids given after the file was lost, cut short or put back from an old copy are
 * still above all that were given before, though nothing on disk remembers them. Within one file they
 * are consecutive where one delivery brought several messages ([MS-STANXPOP3] C0007 to C0009).
 *
 * *Knows* the text, and how it is read; unique_id_lines.ts writes it. *Does not know* the disk; sidecar.ts
 * does.
 */

import { Buffer } from "node:buffer";
import { parseUniqueId } from "../maildrop/unique_id.ts";
import { MessageTable } from "./message_table.ts";
import { NAME_OCTETS } from "./name_blocks.ts";

export const HEADER = "popkeep-uidlist 1\n";

/** Ids stay exact in a double up to here; microseconds reach it in the year 2255. */
const LARGEST_ID = Number.MAX_SAFE_INTEGER;

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
   */
  firstFreeId(nowMs: number): number {
    return Math.max(this.#next, Math.floor(nowMs) * 1000);
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
  apply(octets: Uint8Array, from: number, to: number): boolean {
    // Nearly all lines are messages, and there may be a million.
    if (octets[from] === PLUS) return this.#applyMessage(octets, from, to);
    const line = Buffer.from(octets.buffer, octets.byteOffset + from, to - from);
    const fields = line.toString("latin1").split(" ");
    switch (fields[0]) {
      case "=":
        return fields.length === 4 && this.#applySizes(fields);
      case "-":
        return fields.length === 2 && this.#applyRemoved(fields);
      case "?":
        return fields.length === 3 && this.#applyMissing(fields);
      case "next": {
        const next = wholeNumber(fields[1]);
        if (next === undefined || fields.length !== 2) return false;
        this.#next = Math.max(this.#next, next);
        return true;
      }
      default:
        return false;
    }
  }

  #applyMessage(octets: Uint8Array, from: number, to: number): boolean {
    const afterId = octets[from + 1] === SPACE ? endOfField(octets, from + 2, to) : to;
    const afterStored = endOfField(octets, afterId + 1, to);
    const afterExact = endOfField(octets, afterStored + 1, to);
    const afterCarried = endOfField(octets, afterExact + 1, to);
    if (afterCarried >= to || endOfField(octets, afterCarried + 1, to) !== to) return false;
    const id = wholeNumberAt(octets, from + 2, afterId);
    const storedOctets = wholeNumberAt(octets, afterId + 1, afterStored);
    if (id === undefined || storedOctets === undefined) return false;
    let exactOctets: number | undefined;
    if (!isNothing(octets, afterStored + 1, afterExact)) {
      exactOctets = wholeNumberAt(octets, afterStored + 1, afterExact);
      if (exactOctets === undefined) return false;
    }
    let carried: string | undefined;
    if (!isNothing(octets, afterExact + 1, afterCarried)) {
      carried = unescapedText(octets, afterExact + 1, afterCarried);
      if (carried === undefined || parseUniqueId(carried) === undefined) return false;
    }
    const name = unescaped(octets, afterCarried + 1, to);
    if (name === undefined || !isUniqueName(name)) return false;
    const row = this.#add(id, name);
    if (row < 0) return true;
    this.table.setStored(row, storedOctets);
    this.table.setExact(row, exactOctets);
    if (carried !== undefined) this.table.setCarried(row, carried);
    return true;
  }

  /** Adds a row; -1 if the line is void. */
  #add(id: number, name: Span): number {
    const { table } = this;
    this.#next = Math.max(this.#next, id + 1);
    const rises = table.count === 0 || id > table.idOf(table.count - 1);
    const known = table.find(name.octets, name.from, name.to);
    const isFile = name.to - name.from <= NAME_OCTETS;
    if (!rises || !isFile || known >= 0 && !table.isRemoved(known)) {
      this.#spareLines++;
      return -1;
    }
    const row = table.add(name.octets, name.from, name.to);
    table.setId(row, id);
    return row;
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
    this.#next = Math.max(this.#next, id + 1);
    this.#spareLines++;
    return true;
  }
}

/** Octets from one place to another. */
interface Span {
  readonly octets: Uint8Array;
  readonly from: number;
  readonly to: number;
}

function isUniqueName({ octets, from, to }: Span): boolean {
  if (from === to || octets[from] === DOT) return false;
  for (let at = from; at < to; at++) if (octets[at] === SLASH) return false;
  return true;
}

/** Where the field that begins at `from` ends: at a space, or at `to`. */
function endOfField(octets: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && octets[at] !== SPACE) at++;
  return Math.min(at, to);
}

/** Decimal digits, from one place to another, as a number. */
function wholeNumberAt(octets: Uint8Array, from: number, to: number): number | undefined {
  if (to <= from || to - from > 16) return undefined;
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = octets[at]! - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value < LARGEST_ID ? value : undefined;
}

function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return value < LARGEST_ID ? value : undefined;
}

/** Whether a field is the "-" that stands for nothing. */
function isNothing(octets: Uint8Array, from: number, to: number): boolean {
  return to - from === 1 && octets[from] === DASH;
}

/** A field without its escapes; undefined if one of them is none. */
function unescaped(octets: Uint8Array, from: number, to: number): Span | undefined {
  let at = from;
  while (at < to && octets[at] !== PERCENT) at++;
  if (at === to) return { octets, from, to };
  const plain = new Uint8Array(to - from);
  let end = 0;
  for (at = from; at < to; at++) {
    let octet = octets[at]!;
    if (octet === PERCENT) {
      const high = at + 2 < to ? hexDigit(octets[at + 1]!) : -1;
      const low = at + 2 < to ? hexDigit(octets[at + 2]!) : -1;
      if (high < 0 || low < 0) return undefined;
      octet = high * 16 + low;
      at += 2;
    }
    plain[end++] = octet;
  }
  return { octets: plain, from: 0, to: end };
}

function unescapedText(octets: Uint8Array, from: number, to: number): string | undefined {
  const span = unescaped(octets, from, to);
  if (span === undefined) return undefined;
  let text = "";
  for (let at = span.from; at < span.to; at++) text += String.fromCharCode(span.octets[at]!);
  return text;
}

/** 0 to 15, or -1. */
function hexDigit(octet: number): number {
  if (octet >= 48 && octet <= 57) return octet - 48;
  return octet >= 65 && octet <= 70 ? octet - 55 : -1;
}
