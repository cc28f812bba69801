/**
 * Byte-stuffing of multi-line responses (RFC 1939 §3): a line that begins with "." gets one more, so
 * that the terminator cannot occur inside. The first octet of a response's body begins a line too:
 * servers that start their state as if in the middle of one end such a message early.
 *
 * Messages are stuffed by the octet kernel, where there is one, on the same pass that ends their lines; it is
 * held to what is here by tests/property.
 *
 * Invariant: bodies come in canonical, so each line ends with CRLF and the terminator follows at once.
 */

import { Buffer } from "node:buffer";

const DOT = 46;
const LF = 10;
const LF_DOT = Buffer.from("\n.");

/** What ends a multi-line response whose last line is ended (or which has none). */
export const TERMINATOR: Uint8Array = Buffer.from(".\r\n");

/** Stuffs one multi-line response's body, chunk by chunk, wherever the chunks are cut. */
export class DotStuffer {
  #previous = LF;

  /** Returns the stuffed octets: `chunk` itself where no line begins with a dot, else a new array. */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const atStart = this.#previous === LF && octets[0] === DOT;
    this.#previous = octets[octets.length - 1]!;
    const first = octets.indexOf(LF_DOT);
    if (!atStart && first < 0) return chunk;

    const pieces: Uint8Array[] = [];
    if (atStart) pieces.push(TERMINATOR.subarray(0, 1));
    let from = 0;
    // Each piece ends behind an LF; the next begins with the dot, which is thus sent twice.
    for (let at = first; at >= 0; at = octets.indexOf(LF_DOT, from)) {
      pieces.push(octets.subarray(from, at + 2));
      from = at + 1;
    }
    pieces.push(octets.subarray(from));
    return Buffer.concat(pieces);
  }
}
