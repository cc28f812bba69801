/**
 * Response lines: a status indicator, and after it text that fits (RFC 1939 §3, RFC 2449 §8).
 *
 * Invariant: a line is at most 512 octets with its CRLF ([MS-STANXPOP3] C0001) and holds no control
 * character, whatever text it was made from; a longer text is clipped between characters.
 */

import { Buffer } from "node:buffer";
import { RESPONSE_LINE_OCTETS } from "../limits.ts";

const LINE_OCTETS = RESPONSE_LINE_OCTETS - 2;
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x1f\x7f]/g;

/** `+OK text`, or `+OK` alone. */
export function okLine(text: string): string {
  return fit(text === "" ? "+OK" : `+OK ${text}`);
}

/** `-ERR text`, or `-ERR [CODE] text` with a response code (RFC 2449 §8). */
export function errLine(text: string, code?: string): string {
  return fit(code === undefined ? `-ERR ${text}` : `-ERR [${code}] ${text}`);
}

/** Makes text into a line that may be sent: no controls, at most 510 octets as UTF-8. */
export function fit(text: string): string {
  const line = text.replace(CONTROLS, "?");
  // A character of a JavaScript string is three octets at most: this is the case for nearly all lines.
  if (line.length * 3 <= LINE_OCTETS || Buffer.byteLength(line) <= LINE_OCTETS) return line;
  const octets = Buffer.from(line);
  let end = LINE_OCTETS;
  // Octets 10xxxxxx go on with a character, which must not be cut.
  while ((octets[end]! & 0xc0) === 0x80) end--;
  return octets.toString("utf8", 0, end);
}
