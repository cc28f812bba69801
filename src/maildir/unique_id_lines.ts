/**
 * Writing lines of the sidecar (unique_id_list.ts has the format), straight from the table.
 *
 * *Knows* the format. *Does not know* the disk.
 */

import { Buffer } from "node:buffer";
import { writeDecimal } from "../maildrop/decimal.ts";
import type { MessageTable } from "./message_table.ts";
import { NAME_OCTETS, staged } from "./name_blocks.ts";

const FIRST_OCTETS = 4_096;

/** A message's line, what is carried over apart: a name all of escapes, three numbers, and what parts them. */
const MOST_OCTETS = 3 * NAME_OCTETS + 64;

const LF = 0x0a;
const SPACE = 0x20;
const PERCENT = 0x25;
const PLUS = 0x2b;
const DASH = 0x2d;
const DELETE = 0x7f;

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

  /** What has been put in so far; valid until more is. */
  get octets(): Buffer {
    return this.#octets.subarray(0, this.#end);
  }

  /** How many octets that is. */
  get length(): number {
    return this.#end;
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.#end = 0;
  }

  /** Puts in what is written already, a character an octet. */
  addText(text: string): void {
    this.#makeRoom(text.length);
    this.#end += this.#octets.write(text, this.#end, "latin1");
  }

  #makeRoom(octets: number): void {
    const needed = this.#end + octets;
    if (needed <= this.#octets.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#octets.length * 2, needed));
    larger.set(this.octets);
    this.#octets = larger;
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
    const carried = line.carried === undefined ? "-" : escapeField(line.carried);
    this.#makeRoom(MOST_OCTETS + carried.length);
    const octets = this.#octets;
    let at = this.#end;
    octets[at++] = PLUS;
    octets[at++] = SPACE;
    at = writeDecimal(line.id, octets, at);
    octets[at++] = SPACE;
    at = writeDecimal(line.storedOctets, octets, at);
    octets[at++] = SPACE;
    if (line.exactOctets === undefined) octets[at++] = DASH;
    else at = writeDecimal(line.exactOctets, octets, at);
    octets[at++] = SPACE;
    if (line.carried === undefined) octets[at++] = DASH;
    else at += octets.write(carried, at, "latin1");
    octets[at++] = SPACE;
    table.stageName(row);
    at = writeStagedName(octets, at);
    octets[at++] = LF;
    this.#end = at;
  }

  addSizes(table: MessageTable, row: number): void {
    const exactOctets = table.exactOf(row) ?? "-";
    this.addText(`= ${table.idOf(row)} ${table.storedOf(row)} ${exactOctets}\n`);
  }

  addRemoved(id: number): void {
    this.addText(`- ${id}\n`);
  }

  addMissing(id: number, sinceS: number): void {
    this.addText(`? ${id} ${sinceS}\n`);
  }
}

/** Writes the staged name as `escapeField` would, but octet by octet: there may be a million. */
function writeStagedName(target: Uint8Array, from: number): number {
  const { length, octets } = staged;
  let at = from;
  for (let place = 1; place <= length; place++) {
    const octet = octets[place]!;
    const isUnsafe = octet <= SPACE || octet === DELETE || octet === PERCENT ||
      octet === DASH && length === 1;
    if (isUnsafe) {
      target[at++] = PERCENT;
      target[at++] = hexDigit(octet >> 4);
      target[at++] = hexDigit(octet & 15);
    } else target[at++] = octet;
  }
  return at;
}

/** The octet of a digit of 0 to 15. */
function hexDigit(value: number): number {
  return value < 10 ? 48 + value : 55 + value;
}

// deno-lint-ignore no-control-regex -- control octets are what must not stand in a line
const UNSAFE = /[\x00-\x20\x7f%]/;

// deno-lint-ignore no-control-regex -- the same, all of them
const EACH_UNSAFE = /[\x00-\x20\x7f%]/g;

function escapeField(text: string): string {
  // "-" alone stands for nothing, so a field that is just that is escaped too.
  if (text === "-") return "%2D";
  if (!UNSAFE.test(text)) return text;
  return text.replace(
    EACH_UNSAFE,
    (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
