/**
 * Writing lines of the sidecar (unique_id_list.ts has the format), straight from the table.
 *
 * *Knows* the format. *Does not know* the disk.
 */

import { Buffer } from "node:buffer";
import type { MessageTable } from "./message_table.ts";

const FIRST_OCTETS = 4_096;

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
    if (this.#end + text.length > this.#octets.length) this.#grow(this.#end + text.length);
    this.#end += this.#octets.write(text, this.#end, "latin1");
  }

  #grow(octets: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#octets.length * 2, octets));
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
    const name = escapeField(table.uniqueNameOf(row));
    this.addText(
      `+ ${line.id} ${line.storedOctets} ${line.exactOctets ?? "-"} ${carried} ${name}\n`,
    );
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
