/**
 * The line "From sender date" that local mail systems put before a message on a program's standard input
 * (Postfix' local(8), for .forward): it is no header, and belongs to no message in a Maildir.
 *
 * *Does not know* messages.
 */

import { Buffer } from "node:buffer";

const LF = 10;
const FROM = Buffer.from("From ");

/** A longer one is none. */
const LINE_OCTETS = 1_024;

export interface WithoutMboxLine {
  /** Octets of the message, as they come. */
  readonly octets: AsyncIterable<Uint8Array>;
  /** Who the line says sent it; known when the first octets have come. */
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
      sender = /^From ([^\s<>]+) /.exec(begin.toString("utf8", 0, length))?.[1];
      if (begin.length > length) yield begin.subarray(length);
      begin = undefined;
    }
    if (begin !== undefined && begin.length > 0) yield begin;
  }
  return { octets: octets(), sender: () => sender };
}

/** Octets of the line, 0 if there is none; undefined while that cannot be told. */
function lineLength(begin: Buffer): number | undefined {
  const known = Math.min(begin.length, FROM.length);
  if (!begin.subarray(0, known).equals(FROM.subarray(0, known))) return 0;
  const end = begin.indexOf(LF);
  if (end >= 0) return end < LINE_OCTETS ? end + 1 : 0;
  return begin.length < LINE_OCTETS ? undefined : 0;
}
