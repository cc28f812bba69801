/**
 * The header of a message, as octets, from its stored form: what stands before the first empty line. Of a header
 * that is longer than any real one the beginning is taken.
 *
 * *Knows* line ends. *Does not know* fields, where it came from.
 */

import { Buffer } from "node:buffer";
import type { AwaitedMessage } from "../maildir/message_file.ts";

/** Most that is taken of a header, octets. */
export const HEADER_OCTETS = 262_144;

const LF = 0x0a;
const CR = 0x0d;

/** Reads a message's header; does not close it. */
export async function readHeaderOctets(message: AwaitedMessage): Promise<Buffer> {
  const header = new HeaderOctets();
  while (!header.isWhole) {
    const chunk = await message.read();
    if (chunk === undefined) break;
    header.push(chunk);
  }
  return header.octets;
}

/** Takes a message's octets in pieces, until it has the header. */
export class HeaderOctets {
  #octets = Buffer.alloc(0);
  /** Where the next look for the empty line begins. */
  #lookedAt = 0;
  #isWhole = false;

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** What has come of it, without the empty line. */
  get octets(): Buffer {
    return this.#octets;
  }

  push(chunk: Uint8Array): void {
    if (this.#isWhole) return;
    const room = HEADER_OCTETS - this.#octets.length;
    this.#octets = Buffer.concat([this.#octets, chunk.subarray(0, room)]);
    const end = this.#emptyLine();
    if (end !== undefined) this.#octets = this.#octets.subarray(0, end);
    this.#isWhole = end !== undefined || this.#octets.length === HEADER_OCTETS;
  }

  /** Where the empty line begins, if it has come. */
  #emptyLine(): number | undefined {
    const octets = this.#octets;
    for (let at = this.#lookedAt; at < octets.length;) {
      const end = octets.indexOf(LF, at);
      if (end < 0) break;
      if (end === at || (end === at + 1 && octets[at] === CR)) return at;
      at = end + 1;
      this.#lookedAt = at;
    }
    return undefined;
  }
}

/** The header's fields with their folded lines, without line ends, a character an octet. */
export function* fieldsOf(header: Buffer): Generator<string> {
  let field: string | undefined;
  for (const line of header.toString("latin1").split(/\r?\n/)) {
    if (field !== undefined && /^[ \t]/.test(line)) field += line;
    else {
      if (field !== undefined && field !== "") yield field;
      field = line;
    }
  }
  if (field !== undefined && field !== "") yield field;
}
