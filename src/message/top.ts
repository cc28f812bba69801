/**
 * The part of a message that TOP sends: the header, the blank line, and n lines of the body
 * (RFC 1939 §7 TOP). Always a prefix of what RETR sends; a message without a blank line is all header.
 *
 * Works on octets as they are stored, so that only what is sent need be made canonical: the lines are the
 * same, and a blank one is LF or CRLF. Cost: stops at the cut.
 */

const CR = 13;
const LF = 10;

export class TopCutter {
  #inHeader = true;
  #bodyLinesLeft: number;
  /** Octets of the line that the last chunk left unfinished. */
  #lineOctets = 0;
  #lastOctet = LF;
  #done = false;

  /** @param bodyLines How many lines of the body are wanted; any size, also Infinity. */
  constructor(bodyLines: number) {
    this.#bodyLinesLeft = bodyLines;
  }

  /** Whether the cut is reached: nothing more need be read. */
  get done(): boolean {
    return this.#done;
  }

  /** Returns as much of the next chunk as belongs to TOP: a part of `chunk`, or all of it. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.#done) return chunk.subarray(0, 0);
    let from = 0;
    for (let lf = chunk.indexOf(LF); lf >= 0; lf = chunk.indexOf(LF, from)) {
      const lineOctets = this.#lineOctets + lf + 1 - from;
      this.#lineOctets = 0;
      from = lf + 1;
      if (!this.#inHeader) this.#bodyLinesLeft--;
      else if (lineOctets === 1) this.#inHeader = false;
      else if (lineOctets === 2 && (chunk[lf - 1] ?? this.#lastOctet) === CR) {
        this.#inHeader = false;
      }
      if (!this.#inHeader && this.#bodyLinesLeft <= 0) {
        this.#done = true;
        return chunk.subarray(0, from);
      }
    }
    this.#lineOctets += chunk.length - from;
    this.#lastOctet = chunk[chunk.length - 1] ?? this.#lastOctet;
    return chunk;
  }
}
