/**
 * The line "From sender date" that local mail systems put before a message on a program's standard input
 * (Postfix' local(8), for .forward), and that may be left of an mbox where mail comes by LMTP: it is no header, and belongs to no message in a Maildir.
 *
 * It is one only with a date as asctime(3) writes it at its end, with a zone perhaps (RFC 4155, appendix A).
 * Else it is the message's own: `From : a@b` is a header line of old mail (RFC 5322 §4.5).
 *
 * *Does not know* messages.
 */

import { Buffer } from "node:buffer";

const LF = 10;
const FROM = Buffer.from("From ");

const LINE =
  /^From (.+?) +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d{1,2} \d{2}:\d{2}(?::\d{2})?(?: [A-Z]{1,5}| [+-]\d{4})? \d{4}(?: [+-]\d{4})?\r?\n$/;

/** A longer one is none. */
const LINE_OCTETS = 1_024;

export interface WithoutMboxLine {
  /** Octets of the message, as they come. */
  readonly octets: AsyncIterable<Uint8Array>;
  /** Who the line says sent it, as it stands there; known when the first octets have come. */
  readonly sender: () => string | undefined;
}

/** Takes such a line off the beginning, if there is one. */
export function withoutMboxLine(source: AsyncIterable<Uint8Array>): WithoutMboxLine {
  let sender: string | undefined;
  async function* octets() {
    let begin: Buffer | undefined = Buffer.alloc(0);
    for await (const chunk of source) {
      if (begin === undefined) {
        yield chunk;
        continue;
      }
      begin = Buffer.concat([begin, chunk]);
      const length = lineLength(begin);
      if (length === undefined) continue;
      const line = LINE.exec(begin.toString("utf8", 0, length));
      sender = line?.[1];
      const behind = line === null ? begin : begin.subarray(length);
      if (behind.length > 0) yield behind;
      begin = undefined;
    }
    if (begin !== undefined && begin.length > 0) yield begin;
  }
  return { octets: octets(), sender: () => sender };
}

/** Octets of the first line, 0 if it cannot be such a one; undefined while that cannot be told. */
function lineLength(begin: Buffer): number | undefined {
  const known = Math.min(begin.length, FROM.length);
  if (!begin.subarray(0, known).equals(FROM.subarray(0, known))) return 0;
  const end = begin.indexOf(LF);
  if (end >= 0) return end < LINE_OCTETS ? end + 1 : 0;
  return begin.length < LINE_OCTETS ? undefined : 0;
}
