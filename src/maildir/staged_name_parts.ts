/**
 * What the staged name (name_blocks.ts) says about size and delivery: what file_name.ts reads in a string,
 * read in octets, since a string for each of a million names is garbage.
 *
 * *Knows* the grammar; file_name.ts has the reasons. *Does not know* the disk.
 */

import { staged } from "./name_blocks.ts";
import type { SizeHints } from "./file_name.ts";

const COMMA = 0x2c;
const DOT = 0x2e;
const EQUALS = 0x3d;
const LETTER_M = 0x4d;
const LETTER_S = 0x53;
const LETTER_W = 0x57;

/** Digits that make a number which is exact. */
const MOST_DIGITS = 15;

/** What is taken of the digits behind the `M`. */
const MICROS_DIGITS = 9;

const NOTHING: SizeHints = {};

/** As `sizeHints` of the staged name. */
export function stagedSizeHints(): SizeHints {
  const storedOctets = hint(LETTER_S);
  if (storedOctets === undefined) return NOTHING;
  const exactOctets = hint(LETTER_W);
  if (exactOctets === undefined) return { storedOctets };
  if (exactOctets < storedOctets || exactOctets > 2 * storedOctets + 2) return NOTHING;
  return { storedOctets, exactOctets };
}

/** What the first hint of that letter says. */
function hint(letter: number): number | undefined {
  const { length, octets } = staged;
  for (let at = 1; at + 2 <= length; at++) {
    if (octets[at] !== COMMA || octets[at + 1] !== letter || octets[at + 2] !== EQUALS) continue;
    const from = at + 3;
    const end = endOfDigits(from);
    if (end === from || end - from > MOST_DIGITS) return undefined;
    return end > length || octets[end] === COMMA ? wholeNumber(from, end) : undefined;
  }
  return undefined;
}

/** As `deliverySeconds` of the staged name. */
export function stagedDeliverySeconds(): number {
  const end = endOfDigits(1);
  if (end === 1 || end - 1 > MOST_DIGITS || staged.octets[end] !== DOT) return 0;
  return wholeNumber(1, end);
}

/** As `deliveryMicros` of the staged name. */
export function stagedDeliveryMicros(): number {
  const { length, octets } = staged;
  const dot = endOfDigits(1);
  if (dot === 1 || octets[dot] !== DOT) return 0;
  for (let at = dot + 1; at <= length && octets[at] !== DOT; at++) {
    if (octets[at] !== LETTER_M) continue;
    const end = Math.min(endOfDigits(at + 1), at + 1 + MICROS_DIGITS);
    if (end > at + 1) return wholeNumber(at + 1, end);
  }
  return 0;
}

/** Places are in `staged.octets`, where the name begins at 1 and a NUL follows it. */
function endOfDigits(from: number): number {
  const { octets } = staged;
  let at = from;
  while (isDigit(octets[at]!)) at++;
  return at;
}

function isDigit(octet: number): boolean {
  return octet >= 48 && octet <= 57;
}

function wholeNumber(from: number, to: number): number {
  const { octets } = staged;
  let value = 0;
  for (let at = from; at < to; at++) value = value * 10 + octets[at]! - 48;
  return value;
}
