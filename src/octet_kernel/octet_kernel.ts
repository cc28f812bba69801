/**
 * The loops over every octet of every message, in WebAssembly with SIMD: the wire form of stored octets
 * made in one pass, and bare line ends counted. octet_kernel.wat is what runs, and says how; here is how
 * it is called, and the memory that it works in.
 *
 * The memory is one for the process and never grows, so its address stays the same: files may be read
 * into `source` by foreign functions. What a call gives back lies in it until the next call. So nothing
 * may be waited for between putting octets in and taking out what became of them.
 *
 * *Knows* where things are in that memory. *Does not know* what the octets are a part of.
 */

import { Buffer } from "node:buffer";
import { READ_CHUNK_OCTETS } from "../limits.ts";
import { MODULE_BASE64 } from "./kernel_module.ts";

const LF = 10;

/** What `previous` is before the first octet of a message: a line begins there, and no CR stands before. */
export const MESSAGE_START = LF;

/** The longest that a call takes at once. */
export const SOURCE_OCTETS = READ_CHUNK_OCTETS;

/** What may be put behind the wire form of a chunk: a line end and the end of the response. */
const TAIL_OCTETS = 5;

interface GlobalNumber {
  readonly value: number;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly source: GlobalNumber;
  readonly output: GlobalNumber;
  readonly stuffed: GlobalNumber;
  encode(length: number, previous: number): number;
  count_bare_line_ends(length: number, previous: number): number;
}

export class OctetKernel {
  /** Where stored octets are put, from the beginning; `SOURCE_OCTETS` long. */
  readonly source: Uint8Array;
  /** Twice the source, since each octet puts at most one more in front of itself. */
  readonly #output: Uint8Array;
  readonly #exports: Exports;

  /** @throws {WebAssembly.CompileError} If the runtime has no SIMD. */
  constructor(module: Uint8Array<ArrayBuffer>) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
    this.#exports = exports as unknown as Exports;
    const { memory, source, output } = this.#exports;
    this.source = new Uint8Array(memory.buffer, source.value, SOURCE_OCTETS);
    this.#output = new Uint8Array(memory.buffer, output.value, SOURCE_OCTETS * 2 + TAIL_OCTETS);
  }

  /** How many dots the last `encode` put in: so many of its octets are not counted (RFC 1939 §11). */
  get stuffed(): number {
    return this.#exports.stuffed.value;
  }

  /**
   * Returns the wire form of the next stored octets of a message: lines ended by CRLF, and stuffed.
   * It holds until the next call.
   *
   * @param stored At most `SOURCE_OCTETS`; copied to `source` unless that is where they begin.
   * @param previous The octet before them; `MESSAGE_START` at the start.
   * @param tail What follows as it is, at most a CRLF and a terminator.
   * @throws {RangeError} If they are more.
   */
  encode(stored: Uint8Array, previous: number, tail?: Uint8Array): Uint8Array {
    this.#take(stored);
    const length = this.#exports.encode(stored.length, previous);
    if (tail === undefined) return this.#output.subarray(0, length);
    this.#output.set(tail, length);
    return this.#output.subarray(0, length + tail.length);
  }

  /** Counts the LFs without a CR before them; the parameters and what is thrown are those of `encode`. */
  countBareLineEnds(stored: Uint8Array, previous: number): number {
    this.#take(stored);
    return this.#exports.count_bare_line_ends(stored.length, previous);
  }

  #take(stored: Uint8Array): void {
    const { source } = this;
    const isThere = stored.buffer === source.buffer && stored.byteOffset === source.byteOffset;
    // What is too long is refused by `set`, wherever it lies.
    if (!isThere || stored.length > source.length) source.set(stored);
  }
}

/** The one of this thread; undefined where the runtime has no WebAssembly, or none with SIMD. */
export const octetKernel: OctetKernel | undefined = open();

function open(): OctetKernel | undefined {
  try {
    return new OctetKernel(Buffer.from(MODULE_BASE64, "base64"));
  } catch {
    return undefined;
  }
}
