/**
 * What a stored message is on the wire: the one place that decides it. Used to send and to count, so
 * that a size and the octets sent can never disagree.
 *
 * Rules: a bare LF becomes CRLF; CRLF stays; a lone CR and NUL stay as they are; a last line without
 * a line end gets CRLF; an empty message is zero octets. So the result is empty or ends with CRLF,
 * and every LF in it stands behind a CR.
 *
 * Chunks may be cut anywhere: the result does not depend on where. Costs one pass; a chunk that holds
 * no bare LF is not copied. Byte-stuffing comes later and is not counted (RFC 1939 §11).
 *
 * The octet kernel does the same for whole messages on their way to a client, with the stuffing, and is
 * held to what is here by tests/property. Here it is what counts, at ten times the speed.
 *
 * *Knows* line ends. *Does not know* headers, stuffing, files.
 */

import { Buffer } from "node:buffer";
import { MESSAGE_START, octetKernel, SOURCE_OCTETS } from "../octet_kernel/octet_kernel.ts";

const CR = 13;
const LF = 10;
const CRLF = Uint8Array.of(CR, LF);
const NOTHING = new Uint8Array(0);

/** Makes a stored message canonical, chunk by chunk; for one message. */
export class Canonicaliser {
  /** The last octet taken; -1 before the first. */
  #previous = -1;
  #octets = 0;

  /** Canonical octets given back so far. */
  get octets(): number {
    return this.#octets;
  }

  /** Returns the next canonical octets: `chunk` itself where nothing is to change, else a new array. */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return NOTHING;
    const bare = indexOfBareLf(chunk, this.#previous, 0);
    const canonical = bare < 0 ? chunk : rewriteFrom(chunk, bare);
    this.#previous = chunk[chunk.length - 1]!;
    this.#octets += canonical.length;
    return canonical;
  }

  /** Returns what must follow the last chunk: CRLF if the last line has no end, else nothing. */
  end(): Uint8Array {
    if (this.#previous < 0 || this.#previous === LF) return NOTHING;
    this.#previous = LF;
    this.#octets += CRLF.length;
    return CRLF;
  }
}

/** Counts the octets that a `Canonicaliser` gives for the same chunks, and makes none of them. */
export class CanonicalCounter {
  #previous = MESSAGE_START;
  #octets = 0;

  push(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length; from += SOURCE_OCTETS) {
      const part = chunk.length <= SOURCE_OCTETS
        ? chunk
        : chunk.subarray(from, from + SOURCE_OCTETS);
      this.#octets += part.length + bareLineEndsIn(part, this.#previous);
      this.#previous = part[part.length - 1]!;
    }
  }

  /** Returns the count for the whole message; call it once, after the last chunk. */
  end(): number {
    return this.#octets + (this.#previous === LF ? 0 : CRLF.length);
  }
}

function bareLineEndsIn(chunk: Uint8Array, previous: number): number {
  return octetKernel === undefined
    ? countBareLineEnds(chunk, previous)
    : octetKernel.countBareLineEnds(chunk, previous);
}

/** What the octet kernel counts, for runtimes without it. */
export function countBareLineEnds(chunk: Uint8Array, previous: number): number {
  let count = 0;
  let bare = indexOfBareLf(chunk, previous, 0);
  for (; bare >= 0; bare = indexOfBareLf(chunk, previous, bare + 1)) count++;
  return count;
}

/** Where the first LF without a CR before it is, at `from` or later; -1 if nowhere. */
function indexOfBareLf(chunk: Uint8Array, previous: number, from: number): number {
  let at = chunk.indexOf(LF, from);
  while (at >= 0 && (at === 0 ? previous : chunk[at - 1]) === CR) at = chunk.indexOf(LF, at + 1);
  return at;
}

/**
 * Copies `chunk` with CR before each bare LF; `first` is where the first one is.
 *
 * Eight octets are copied at a time and looked at afterwards for an LF: measured at two to three times
 * the speed of a loop over octets, and of `indexOf` and `set` for each line, on both runtimes.
 */
function rewriteFrom(chunk: Uint8Array, first: number): Uint8Array {
  const length = chunk.length;
  // At worst every octet is a bare LF; eight more since the copy may write past what it keeps.
  const output = Buffer.allocUnsafeSlow(first + (length - first) * 2 + 8);
  output.set(chunk.subarray(0, first));
  const source = new DataView(chunk.buffer, chunk.byteOffset, length);
  const target = new DataView(output.buffer, output.byteOffset, output.length);
  output[first] = CR;
  output[first + 1] = LF;
  let from = first + 1;
  let to = first + 2;
  const lastEight = length - 8;
  while (from <= lastEight) {
    const low = source.getInt32(from, true);
    const high = source.getInt32(from + 4, true);
    target.setInt32(to, low, true);
    target.setInt32(to + 4, high, true);
    if (!hasLf(low) && !hasLf(high)) {
      from += 8;
      to += 8;
      continue;
    }
    while (chunk[from] !== LF) {
      from++;
      to++;
    }
    if (chunk[from - 1] !== CR) output[to++] = CR;
    output[to++] = LF;
    from++;
  }
  for (; from < length; from++) {
    const octet = chunk[from]!;
    if (octet === LF && chunk[from - 1] !== CR) output[to++] = CR;
    output[to++] = octet;
  }
  return output.subarray(0, to);
}

/** Whether one of a word's four octets is LF: after the XOR it is the one that is zero. */
function hasLf(word: number): boolean {
  const xored = word ^ 0x0a0a0a0a;
  return ((xored - 0x01010101) & ~xored & 0x80808080) !== 0;
}
