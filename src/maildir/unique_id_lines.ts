/**
 * Writing lines of the sidecar (unique_id_list.ts has the format) as octets, straight from the table.
 *
 * *Knows* the format. *Does not know* the disk.
 */

import { Buffer } from "node:buffer";
import { UNIQUE_ID_CHARACTERS } from "../limits.ts";
import type { MessageTable } from "./message_table.ts";
import { NAME_OCTETS } from "./name_blocks.ts";

const FIRST_OCTETS = 4_096;

/** What the longest line has: four numbers, and two fields of which each octet is escaped. */
const LINE_OCTETS = 4 * 17 + 3 * (NAME_OCTETS + UNIQUE_ID_CHARACTERS) + 8;

const SPACE = 0x20;
const DASH = 0x2d;
const LF = 0x0a;

/** What a message's line says; where its name stands is given beside it. */
export interface MessageLine {
  readonly id: number;
  readonly storedOctets: number;
  readonly exactOctets: number | undefined;
  readonly carried: string | undefined;
}

/** Lines that are about to be written. */
export class UniqueIdLines {
  #octets = Buffer.allocUnsafeSlow(FIRST_OCTETS);
  #end = 0;
  readonly #name = Buffer.alloc(NAME_OCTETS);

  /** What has been put in so far; valid until more is. */
  get octets(): Buffer {
    return this.#octets.subarray(0, this.#end);
  }

  get isEmpty(): boolean {
    return this.#end === 0;
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.#end = 0;
  }

  /** Puts in what is written already. */
  addText(text: string): void {
    this.#reserve(text.length);
    this.#end += this.#octets.write(text, this.#end, "latin1");
  }

  addNext(next: number): void {
    this.addText(`next ${next}\n`);
  }

  /** The line of a message that has its id. */
  addMessage(table: MessageTable, row: number): void {
    this.addNewMessage(table, row, {
      id: table.idOf(row),
      storedOctets: table.storedOf(row),
      exactOctets: table.exactOf(row),
      carried: table.carriedOf(row),
    });
  }

  /** The line that gives the message that a row names an id. */
  addNewMessage(table: MessageTable, row: number, line: MessageLine): void {
    this.#begin("+");
    this.#addNumber(line.id);
    this.#addNumber(line.storedOctets);
    this.#addNumber(line.exactOctets);
    if (line.carried === undefined) this.#addNothing();
    else this.#addField(this.#name, this.#name.write(line.carried, "latin1"));
    this.#addField(this.#name, table.writeName(row, this.#name, 0));
    this.#endLine();
  }

  addSizes(table: MessageTable, row: number): void {
    this.#begin("=");
    this.#addNumber(table.idOf(row));
    this.#addNumber(table.storedOf(row));
    this.#addNumber(table.exactOf(row));
    this.#endLine();
  }

  addRemoved(id: number): void {
    this.#begin("-");
    this.#addNumber(id);
    this.#endLine();
  }

  addMissing(id: number, sinceS: number): void {
    this.#begin("?");
    this.#addNumber(id);
    this.#addNumber(sinceS);
    this.#endLine();
  }

  #begin(kind: string): void {
    this.#reserve(LINE_OCTETS);
    this.#octets[this.#end++] = kind.charCodeAt(0);
  }

  #addNothing(): void {
    this.#octets[this.#end++] = SPACE;
    this.#octets[this.#end++] = DASH;
  }

  #addNumber(value: number | undefined): void {
    if (value === undefined) return this.#addNothing();
    this.#octets[this.#end++] = SPACE;
    this.#end = writeDecimal(value, this.#octets, this.#end);
  }

  #addField(field: Uint8Array, length: number): void {
    this.#octets[this.#end++] = SPACE;
    // "-" alone stands for nothing, so a field that is just that is escaped too.
    const isDash = length === 1 && field[0] === DASH;
    for (let at = 0; at < length; at++) {
      const octet = field[at]!;
      if (octet <= 0x20 || octet === 0x7f || octet === 0x25 || isDash) {
        const hex = octet.toString(16).toUpperCase().padStart(2, "0");
        this.#end += this.#octets.write(`%${hex}`, this.#end, "latin1");
      } else this.#octets[this.#end++] = octet;
    }
  }

  #endLine(): void {
    this.#octets[this.#end++] = LF;
  }

  #reserve(octets: number): void {
    if (this.#end + octets <= this.#octets.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#octets.length * 2, this.#end + octets));
    larger.set(this.octets);
    this.#octets = larger;
  }
}

/** Digits of a whole number that are worked out at a time, so that integers are all that it takes. */
const HALF = 100_000_000;

/** Writes a whole number in decimal digits, and returns where they end. */
export function writeDecimal(value: number, target: Uint8Array, at: number): number {
  if (value < HALF) return writeDigits(value, target, at, 1);
  return writeDigits(value % HALF, target, writeDecimal(Math.floor(value / HALF), target, at), 8);
}

function writeDigits(value: number, target: Uint8Array, at: number, least: number): number {
  let digits = 1;
  for (let rest = value | 0; rest >= 10; rest = (rest / 10) | 0) digits++;
  const end = at + Math.max(digits, least);
  let rest = value | 0;
  for (let place = end - 1; place >= at; place--) {
    const tenth = (rest / 10) | 0;
    target[place] = 48 + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}
