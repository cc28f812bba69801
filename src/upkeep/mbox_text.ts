/**
 * A stored message as text of an mbox file, of the kind mboxrd: lines that end with LF, every line that begins with
 * `From `, whatever number of `>` stands before that, with one `>` more, and an empty line behind it all. So whoever
 * takes one `>` away again has the message as it was, but for the CRs at the ends of its lines.
 *
 * Pieces may be cut anywhere. Pure. *Does not know* files.
 */

import { Buffer } from "node:buffer";

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x3e;
const FROM = Buffer.from("From ", "latin1");
const QUOTED_FROM = Buffer.from(">From ", "latin1");
const ONE_CR = Buffer.of(CR);
const ONE_LF = Buffer.of(LF);

/** Makes the text of one message. */
export class MboxText {
  /** Whether nothing but `>` has come of the line, and so many octets of `From `. */
  #isLineStart = true;
  #hasQuotes = false;
  #matched = 0;
  /** Whether a CR has come that LF may follow. */
  #holdsCr = false;
  #pieces: Buffer[] = [];

  push(octets: Uint8Array): Uint8Array {
    const chunk = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
    for (let at = 0; at < chunk.length;) {
      at = this.#isLineStart ? this.#takeStart(chunk, at) : this.#takeRest(chunk, at);
    }
    return this.#taken();
  }

  /** What follows the last piece: the end of its line, and an empty line. */
  end(): Uint8Array {
    if (this.#matched > 0) this.#leaveStart();
    if (this.#holdsCr) this.#pieces.push(ONE_CR);
    if (!this.#isLineStart || this.#hasQuotes) this.#pieces.push(ONE_LF);
    this.#pieces.push(ONE_LF);
    return this.#taken();
  }

  #taken(): Buffer {
    const taken = Buffer.concat(this.#pieces);
    this.#pieces = [];
    return taken;
  }

  /** One octet where a line begins, or a run of `>`: one more of those may stand anywhere among them. */
  #takeStart(chunk: Buffer, from: number): number {
    const octet = chunk[from]!;
    if (octet === QUOTE && this.#matched === 0) {
      let end = from + 1;
      while (chunk[end] === QUOTE) end++;
      this.#pieces.push(chunk.subarray(from, end));
      this.#hasQuotes = true;
      return end;
    }
    if (octet !== FROM[this.#matched]) {
      this.#leaveStart();
      return from;
    }
    if (++this.#matched === FROM.length) {
      this.#pieces.push(QUOTED_FROM);
      this.#matched = 0;
      this.#isLineStart = false;
      this.#hasQuotes = false;
    }
    return from + 1;
  }

  /** The line does not begin with `From `. */
  #leaveStart(): void {
    if (this.#matched > 0) this.#pieces.push(FROM.subarray(0, this.#matched));
    this.#matched = 0;
    this.#isLineStart = false;
    this.#hasQuotes = false;
  }

  #takeRest(chunk: Buffer, from: number): number {
    const found = chunk.indexOf(LF, from);
    let end = found < 0 ? chunk.length : found;
    if (end > from) {
      if (this.#holdsCr) this.#pieces.push(ONE_CR);
      this.#holdsCr = chunk[end - 1] === CR;
      if (this.#holdsCr) end--;
      this.#pieces.push(chunk.subarray(from, end));
    }
    if (found < 0) return chunk.length;
    this.#holdsCr = false;
    this.#pieces.push(ONE_LF);
    this.#isLineStart = true;
    return found + 1;
  }
}

/** The line before a message. @param sender of its envelope; undefined or "" for none. */
export function mboxLine(sender: string | undefined, dateMs: number): string {
  const isPlain = sender !== undefined && /^[\x21-\x7e]+$/.test(sender);
  const date = new Date(Math.abs(dateMs) <= 8.64e15 ? dateMs : 0);
  const [day, number, month, year, time] = date.toUTCString().replace(",", "").split(" ");
  const padded = String(Number(number)).padStart(2, " ");
  return `From ${isPlain ? sender : "MAILER-DAEMON"} ${day} ${month} ${padded} ${time} ${year}\n`;
}
