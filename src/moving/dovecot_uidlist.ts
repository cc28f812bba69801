/**
 * `dovecot-uidlist`, Dovecot's list of UIDs in a Maildir, versions 1 and 3 (maildir-uidlist.c):
 *
 *     3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1
 *     25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,
 *     25017 W2481 P4f2a.7 O12 :1276533073.M242911P3632.kurkku:2,F
 *
 * or, as version 1, `1 UIDVALIDITY NEXT` and lines `UID NAME`. Of the fields before the ` :` three matter here: `P`,
 * the unique-id that POP3 shows whatever the format (empty: the file's name), `O`, the place in POP3's order (those
 * that have one come first, by it), `G`, the GUID.
 *
 * A name that comes twice has the later UID, as Dovecot reads it. Of a file whose UIDs do not rise Dovecot takes
 * nothing, and gives new UIDs to all; but what its lines say is what clients were shown, so they count here, and
 * the remarks say so.
 *
 * Only what is said of present messages is kept: memory does not depend on the file's length.
 *
 * *Knows* lines. *Does not know* the disk.
 */

import type { Buffer } from "node:buffer";
import type { MessageTable } from "../maildir/message_table.ts";
import { NAME_OCTETS, staged } from "../maildir/name_blocks.ts";
import { OldListFault, remarkOf } from "./old_ids.ts";

/** UIDs are below this (RFC 3501 §9 nz-number; maildir-uidlist.c). */
const UID_END = 0xffff_ffff;

const MOST_DIGITS = 10;

const SPACE = 0x20;
const SLASH = 0x2f;
const COLON = 0x3a;

export class DovecotUidlist {
  uidValidity = 0;
  /** By row of the present messages; 0 where there is none. */
  readonly uids: Uint32Array;
  /** Fields P, O and G of those that have them, by row. */
  readonly pop3Ids = new Map<number, string>();
  readonly pop3Orders = new Map<number, number>();
  readonly guids = new Map<number, string>();
  readonly #present: MessageTable;
  #version: 1 | 3 | undefined;
  #lastUid = 0;
  #damaged = 0;
  #disordered = 0;
  #repeated = 0;

  constructor(present: MessageTable) {
    this.#present = present;
    this.uids = new Uint32Array(present.count);
  }

  /**
   * Takes a line, the header first.
   *
   * @throws {OldListFault} If the first line is no header of a known version.
   */
  take(line: Buffer | undefined): void {
    if (this.#version === undefined) this.#takeHeader(line);
    else if (line === undefined || !this.#takeMessage(line)) this.#damaged++;
  }

  /** Whether there was a header. */
  get hasHeader(): boolean {
    return this.#version !== undefined;
  }

  /** What was odd, a clause each. */
  get remarks(): string[] {
    return [
      ...remarkOf(this.#damaged, "left out that cannot be read"),
      ...remarkOf(
        this.#disordered,
        "out of the order of UIDs, taken as they stand: Dovecot would take none of the list and give new UIDs to all",
      ),
      ...remarkOf(
        this.#repeated,
        "with a file that was named before: the last UID counts, as in Dovecot",
      ),
    ];
  }

  #takeHeader(line: Buffer | undefined): void {
    const text = line?.toString("latin1") ?? "";
    const [version, ...fields] = text.split(" ");
    const validity = version === "3"
      ? fields.find((field) => field.startsWith("V"))?.slice(1)
      : version === "1"
      ? fields[0]
      : undefined;
    const uidValidity = wholeNumber(validity ?? "", UID_END + 1);
    if (uidValidity === undefined || uidValidity === 0) {
      throw new OldListFault("its first line is none of a dovecot-uidlist of version 1 or 3");
    }
    this.#version = version === "3" ? 3 : 1;
    this.uidValidity = uidValidity;
  }

  /** False if it is no line of the format. */
  #takeMessage(line: Buffer): boolean {
    // Octet by octet: there may be millions of lines, and few of them of messages that are here.
    const uidEnd = endOfDigits(line);
    const uid = uidEnd > 0 && uidEnd <= MOST_DIGITS ? wholeNumberAt(line, uidEnd) : 0;
    if (uid === 0 || uid >= UID_END || line[uidEnd] !== SPACE) return false;
    let restAt = uidEnd;
    while (line[restAt] === SPACE) restAt++;
    const fileAt = this.#version === 3 ? behindFields(line, restAt) : restAt;
    if (fileAt < 0 || line.includes(SLASH, fileAt)) return false;
    const colon = line.indexOf(COLON, fileAt);
    const nameEnd = colon < 0 ? line.length : colon;
    if (nameEnd === fileAt || nameEnd - fileAt > NAME_OCTETS) return false;
    if (uid <= this.#lastUid) this.#disordered++;
    else this.#lastUid = uid;
    staged.putOctets(line, fileAt, nameEnd);
    const row = this.#present.find();
    if (row >= 0) this.#note(row, uid, fieldsIn(line, restAt, fileAt));
    return true;
  }

  #note(row: number, uid: number, fields: readonly string[]): void {
    if (this.uids[row] !== 0) {
      this.#repeated++;
      for (const map of [this.pop3Ids, this.pop3Orders, this.guids]) map.delete(row);
    }
    this.uids[row] = uid;
    for (const field of fields) {
      const value = field.slice(1);
      if (field.startsWith("P")) this.pop3Ids.set(row, value);
      else if (field.startsWith("G")) this.guids.set(row, value);
      else if (field.startsWith("O")) {
        const order = wholeNumber(value, UID_END + 1);
        if (order !== undefined) this.pop3Orders.set(row, order);
      }
    }
  }

  /** Rows that have a UID, as POP3 lists them: by `O` where there is one, before all others, and by UID. */
  rowsInOrder(): number[] {
    const rows: number[] = [];
    for (let row = 0; row < this.uids.length; row++) if (this.uids[row] !== 0) rows.push(row);
    const orderOf = (row: number) => this.pop3Orders.get(row) ?? Infinity;
    return rows.sort((one, other) => {
      const [a, b] = [orderOf(one), orderOf(other)];
      return a === b ? this.uids[one]! - this.uids[other]! : a - b;
    });
  }
}

/** Where the file's name begins in a line of version 3, behind its fields; -1 if there is none. */
function behindFields(line: Buffer, from: number): number {
  if (line[from] === COLON) return from + 1;
  for (let at = line.indexOf(COLON, from); at >= 0; at = line.indexOf(COLON, at + 1)) {
    if (line[at - 1] === SPACE) return at + 1;
  }
  return -1;
}

/** The fields between two places; what parts them and the colon behind them give empty ones. */
function fieldsIn(line: Buffer, from: number, to: number): string[] {
  return to === from ? [] : line.toString("latin1", from, to - 1).split(" ");
}

function endOfDigits(line: Buffer): number {
  let at = 0;
  while (line[at]! >= 48 && line[at]! <= 57) at++;
  return at;
}

function wholeNumberAt(line: Buffer, end: number): number {
  let value = 0;
  for (let at = 0; at < end; at++) value = value * 10 + line[at]! - 48;
  return value;
}

function wholeNumber(digits: string, end: number): number | undefined {
  if (!/^[0-9]{1,10}$/.test(digits)) return undefined;
  const value = Number(digits);
  return value < end ? value : undefined;
}
