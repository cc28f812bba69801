/**
 * A message without a header gets the empty line that would end it, before its first octet, as Postfix writes one:
 * else its text stood among the header lines that are written before a message (envelope.ts), and clients found a
 * line there that is none. So does one that begins with a folded line, which would go on with ours.
 *
 * What a header line is, RFC 5322 says, §2.2 and for old mail §4.5: a name, blanks perhaps, a colon.
 *
 * *Does not know* messages beyond how they begin.
 */

import { Buffer } from "node:buffer";

const EMPTY_LINE = Buffer.from("\n");

/** A line is at most so long (RFC 5322 §2.1.1), and so is a name; octets. */
const NAME_OCTETS = 998;

/** The octets of a message, behind an empty line where it has no header. */
export async function* withHeaderEnd(message: AsyncIterable<Uint8Array>) {
  let begin: Buffer | undefined = Buffer.alloc(0);
  for await (const octets of message) {
    if (begin === undefined) {
      yield octets;
      continue;
    }
    begin = Buffer.concat([begin, octets]);
    const isHeader = hasHeader(begin);
    if (isHeader === undefined) continue;
    if (!isHeader) yield EMPTY_LINE;
    yield begin;
    begin = undefined;
  }
  if (begin === undefined || begin.length === 0) return;
  yield EMPTY_LINE;
  yield begin;
}

/** Whether there is a header, or the empty line behind one; undefined while that cannot be told. */
function hasHeader(begin: Buffer): boolean | undefined {
  const text = begin.toString("latin1", 0, NAME_OCTETS);
  if (/^(?:[!-9;-~]+[ \t]*:|\r?\n)/.test(text)) return true;
  const mayBecome = begin.length < NAME_OCTETS && /^(?:[!-9;-~]+[ \t]*|\r?)$/.test(text);
  return mayBecome ? undefined : false;
}
