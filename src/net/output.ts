/**
 * What is on its way to one client: replies gathered into one buffer, written when it is full or when
 * there is nothing more to say for now.
 *
 * At most one write is under way. Whoever gets a promise back waits for it before putting more: that
 * is the back-pressure, and it bounds what a client that does not read can make us hold to one buffer.
 * A buffer is taken when there is something to write and given back when the socket has it, so that a
 * session which waits for its client holds none. A stranger's are small: anybody may come, in thousands,
 * and read nothing.
 *
 * *Knows*: a writable socket. *Does not know*: what a reply is.
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { OUTPUT_BATCH_OCTETS, SASL_LINE_OCTETS } from "../limits.ts";

/** A line is put whole as long as the buffer is not full, so there is room for the longest behind it. */
const LINE_ROOM_OCTETS = SASL_LINE_OCTETS;

/**
 * Octets that a full buffer keeps back, so that the terminator does not go out alone or in parts:
 * RFC 1939 allows that, and clients have been seen to wait for more when they get it.
 */
const KEEP_BACK_OCTETS = 8;

/** Buffers that nobody uses now, by their octets. A few are enough: few sessions write in the same instant. */
const spare = new Map<number, Buffer[]>();
const SPARE_BUFFERS = 16;

export class Output {
  readonly #socket: Socket;
  #buffer: Buffer | undefined;
  #length = 0;
  #octetsBefore = 0;
  #stopWaiting: (() => void) | undefined;
  /** Of the next buffer. */
  #batchOctets: number;

  /** @param batchOctets How much gathers before it is written. */
  constructor(socket: Socket, batchOctets = OUTPUT_BATCH_OCTETS) {
    this.#socket = socket;
    this.#batchOctets = batchOctets;
  }

  /** Octets put so far. */
  get octets(): number {
    return this.#octetsBefore + this.#length;
  }

  /** Whether `flush` must come before another line. */
  get full(): boolean {
    return this.#length >= this.#limit;
  }

  /** Lets OUTPUT_BATCH_OCTETS gather, from the next buffer on: the client is no stranger any more. */
  widen(): void {
    this.#batchOctets = OUTPUT_BATCH_OCTETS;
  }

  /** Appends a response line and CRLF. */
  putLine(line: string): void {
    const buffer = this.#buffer ??= takeBuffer(this.#batchOctets);
    const end = this.#length + buffer.write(line, this.#length, "utf8");
    buffer[end] = 13;
    buffer[end + 1] = 10;
    this.#length = end + 2;
  }

  /** Whether `put` of these octets would need no write. */
  fits(octets: Uint8Array): boolean {
    return this.#length + octets.length <= this.#limit;
  }

  /**
   * Appends octets, which the caller may change as soon as this returns, also where the client is yet to
   * take them.
   */
  put(octets: Uint8Array): Promise<void> | undefined {
    let at = 0;
    for (;;) {
      // A line may have gone beyond the batch.
      const room = Math.max(0, this.#limit - this.#length);
      const part = octets.subarray(at, at + room);
      const buffer = this.#buffer ??= takeBuffer(this.#batchOctets);
      buffer.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
      if (at === octets.length) return undefined;
      const writing = this.#write(KEEP_BACK_OCTETS);
      if (writing !== undefined) {
        return this.#putAfter(writing, new Uint8Array(octets.subarray(at)));
      }
    }
  }

  /** Writes what has gathered; undefined when the socket has taken it at once. */
  flush(): Promise<void> | undefined {
    return this.#write(0);
  }

  /** The socket is gone: nobody need wait for it any longer. */
  abandon(): void {
    this.#stopWaiting?.();
  }

  get #limit(): number {
    return this.#buffer === undefined ? this.#batchOctets : this.#buffer.length - LINE_ROOM_OCTETS;
  }

  /** Puts the rest, at most one body's part, once the socket has taken what is before it. */
  async #putAfter(writing: Promise<void>, rest: Uint8Array): Promise<void> {
    await writing;
    await this.put(rest);
  }

  /** Writes all but the last `keepBack` octets. */
  #write(keepBack: number): Promise<void> | undefined {
    const socket = this.#socket;
    const buffer = this.#buffer;
    const end = this.#length - keepBack;
    if (buffer === undefined || end <= 0) return undefined;
    this.#buffer = undefined;
    this.#octetsBefore += end;
    this.#length = 0;
    if (socket.destroyed) return undefined;
    if (keepBack > 0) {
      // Into another buffer: the socket may hold this one for as long as the client does not read.
      this.#buffer = takeBuffer(this.#batchOctets);
      this.#length = buffer.copy(this.#buffer, 0, end, end + keepBack);
    }
    let taken = () => {};
    socket.write(buffer.subarray(0, end), () => taken());
    if (socket.writableLength === 0) {
      spareBuffer(buffer);
      return undefined;
    }
    return new Promise<void>((resolve) => {
      taken = () => {
        // Of a socket that was destroyed nobody knows whether it still holds the buffer.
        if (!socket.destroyed) spareBuffer(buffer);
        resolve();
      };
      this.#stopWaiting = resolve;
    });
  }
}

function takeBuffer(batchOctets: number): Buffer {
  const octets = batchOctets + LINE_ROOM_OCTETS;
  return spare.get(octets)?.pop() ?? Buffer.allocUnsafeSlow(octets);
}

function spareBuffer(buffer: Buffer): void {
  const alike = spare.get(buffer.length);
  if (alike === undefined) spare.set(buffer.length, [buffer]);
  else if (alike.length < SPARE_BUFFERS) alike.push(buffer);
}
