/**
 * Makes new inputs out of known ones: octets and bits changed, parts lost, doubled, moved and repeated,
 * words of the format put in, numbers made awkward, two inputs crossed.
 *
 * *Knows* octets. *Does not know* what they mean; the words are the corpus's.
 */

import { Buffer } from "node:buffer";
import type { Random } from "./random.ts";

/** What trips readers of any format. */
const AWKWARD = [
  ...["\0", "\r\n", "\n", "\r", " ", "\t", ",", ":", "=", "/", "..", "%", "{", "}", '"', "\\"],
  ...["\x7f", "\x80", "\xff", "\xc3\x28", "\xed\xa0\x80", "\xef\xbf\xbd", "\xe2\x80\xae", "A"],
  // Names that every object of JavaScript answers to.
  ...["constructor", "__proto__", "toString", "valueOf", "hasOwnProperty"],
].map((text) => Buffer.from(text, "latin1"));

const NUMBERS = [
  ...["0", "1", "-1", "00", "1e9", "127", "128", "255", "256", "65535", "65536", "2147483647"],
  ...["2147483648", "4294967295", "4294967296", "9007199254740991", "9007199254740992"],
  ...["99999999999999999999", "0x10", "1.5"],
].map((text) => Buffer.from(text, "latin1"));

const WORDS_16 = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff];
const WORDS_32 = [0, 1, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

export interface Material {
  /** At least one. */
  readonly inputs: readonly Uint8Array[];
  readonly words: readonly Uint8Array[];
  readonly maxOctets: number;
}

/** A new input: one of those that are known with one to six changes. */
export function mutated(random: Random, material: Material): Uint8Array {
  let now: Buffer = Buffer.from(random.of(material.inputs));
  // Few changes mostly, so that what is behind the first check is reached too.
  for (let left = 1 + random.below(1 + random.below(6)); left > 0; left--) {
    now = change(now, random, material);
  }
  return now.subarray(0, material.maxOctets);
}

function change(octets: Buffer, random: Random, { inputs, words, maxOctets }: Material): Buffer {
  const length = octets.length;
  const at = random.below(length + 1);
  const end = at + random.below(Math.min(length - at, 1 << random.below(9)) + 1);
  const [before, part, after] = [
    octets.subarray(0, at),
    octets.subarray(at, end),
    octets.subarray(end),
  ];
  const kind = random.below(words.length === 0 ? 11 : 14);
  switch (kind) {
    case 0:
      return replaced(octets, at, [(octets[at] ?? 0) ^ (1 << random.below(8))]);
    case 1:
      return replaced(octets, at, [random.below(256)]);
    case 2:
      return Buffer.concat([before, after]);
    case 3:
      return Buffer.concat([before, part, part, after]);
    case 4:
      return Buffer.concat([before, after, part]);
    case 5:
      return Buffer.concat([before, random.of(AWKWARD), octets.subarray(at)]);
    case 6:
      return withNumber(octets, at, random);
    case 7:
      return withWord(octets, at, random);
    case 8:
      return before;
    case 9: {
      const times = 2 + random.below(1 << random.below(8));
      const most = Math.floor((maxOctets - length) / Math.max(1, part.length));
      const many = Array<Buffer>(Math.max(1, Math.min(times, most))).fill(part);
      return Buffer.concat([before, ...many, after]);
    }
    case 10: {
      const other = random.of(inputs);
      const from = random.below(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + random.below(other.length + 1))]);
    }
    case 11:
      return Buffer.concat([before, random.of(words), octets.subarray(at)]);
    case 12:
      return Buffer.concat([before, random.of(words), after]);
    default: {
      const word = random.of(words);
      return Buffer.concat([before, word, octets.subarray(at + word.length)]);
    }
  }
}

function replaced(octets: Buffer, at: number, by: readonly number[]): Buffer {
  return Buffer.concat([octets.subarray(0, at), Buffer.from(by), octets.subarray(at + by.length)]);
}

/** Another number in the place of the next digits. */
function withNumber(octets: Buffer, at: number, random: Random): Buffer {
  let from = at;
  while (from < octets.length && !isDigit(octets[from]!)) from++;
  let to = from;
  while (to < octets.length && isDigit(octets[to]!)) to++;
  return Buffer.concat([octets.subarray(0, from), random.of(NUMBERS), octets.subarray(to)]);
}

function isDigit(octet: number): boolean {
  return octet >= 48 && octet <= 57;
}

/** Two or four octets made a number at the edge of what they hold, in either order. */
function withWord(octets: Buffer, at: number, random: Random): Buffer {
  const word = Buffer.alloc(random.below(2) === 0 ? 2 : 4);
  const number = random.of(word.length === 2 ? WORDS_16 : WORDS_32);
  if (random.below(2) === 0) word.writeUIntLE(number, 0, word.length);
  else word.writeUIntBE(number, 0, word.length);
  return replaced(octets, at, [...word]);
}
