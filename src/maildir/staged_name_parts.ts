/**
 * What the staged name (name_blocks.ts) says about size and delivery: what file_name.ts reads in a string,
 * read in octets, since a string for each of a million names is garbage.
 *
 * *Knows* the grammar; file_name.ts has the reasons. *Does not know* the disk.
 */

import { staged } from "./name_blocks.ts";

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

/** What was read last: one for all, since a million objects would be garbage too. */
const read: { storedOctets: number | undefined; exactOctets: number | undefined } = {
  storedOctets: undefined,
  exactOctets: undefined,
};

/** As `sizeHints` of the staged name; what it returns holds until it is asked again. */
export function stagedSizeHints(): typeof read {
  const { length, octets } = staged;
  let stored: number | undefined;
  let exact: number | undefined;
  for (let at = 1; at < length; at++) {
    // The NULs behind a name are no part of a hint.
    if (octets[at] !== COMMA || octets[at + 2] !== EQUALS) continue;
    if (octets[at + 1] === LETTER_S) stored ??= hintAt(at + 3);
    else if (octets[at + 1] === LETTER_W) exact ??= hintAt(at + 3);
  }
  if (stored === undefined || stored < 0) stored = exact = undefined;
  else if (exact === undefined || exact < 0) exact = undefined;
  else if (exact < stored || exact > 2 * stored + 2) stored = exact = undefined;
  read.storedOctets = stored;
  read.exactOctets = exact;
  return read;
}

/** The number that stands there up to a comma or the end; -1 if there is none: no later hint counts then. */
function hintAt(from: number): number {
  const { length, octets } = staged;
  const end = endOfDigits(from);
  if (end === from || end - from > MOST_DIGITS) return -1;
  return end > length || octets[end] === COMMA ? wholeNumber(from, end) : -1;
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
