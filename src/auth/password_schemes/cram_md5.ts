/**
 * CRAM-MD5, which `doveadm pw` made unless told otherwise: the two states of MD5 that HMAC-MD5 (RFC 2104)
 * has after its first block, when the key has gone in and nothing else; the outer one first.
 *
 * MD5's state inside is what no library hands out, so the function of one block is here (RFC 1321 §3.4).
 * It is never used to make anything.
 */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { costClass, malformed, type PasswordScheme } from "./scheme.ts";

const BLOCK_OCTETS = 64;

export const cramMd5: PasswordScheme = {
  names: ["CRAM-MD5", "HMAC-MD5"],
  encoding: "base64",
  rawOctets: 32,
  weak: true,
  read(stored) {
    if (stored.length !== 32) return malformed("CRAM-MD5");
    return {
      costClass: costClass("md5", 1),
      matches: (password) => timingSafeEqual(statesOf(password), stored),
    };
  },
};

function statesOf(password: Uint8Array): Uint8Array {
  // RFC 2104 §2: a longer key is digested first.
  const key = password.length > BLOCK_OCTETS
    ? createHash("md5").update(password).digest()
    : password;
  const padded = (pad: number) =>
    Buffer.alloc(BLOCK_OCTETS, pad).map((octet, at) => octet ^ (key[at] ?? 0));
  return Buffer.concat([afterBlock(padded(0x5c)), afterBlock(padded(0x36))]);
}

/** RFC 1321 §3.3: the state before any block. */
const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;

/** RFC 1321 §3.4, the table T. */
const SINES = Array.from(
  { length: 64 },
  (_, at) => Math.floor(2 ** 32 * Math.abs(Math.sin(at + 1))),
);

/** By how many bits each round rotates, four steps over and over. */
const SHIFTS = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]] as const;

type Mix = (x: number, y: number, z: number) => number;

/** For each round the function, and which word of the block a step takes. */
const ROUNDS: readonly (readonly [mix: Mix, word: (step: number) => number])[] = [
  [(x, y, z) => x & y | ~x & z, (step) => step],
  [(x, y, z) => x & z | y & ~z, (step) => (5 * step + 1) % 16],
  [(x, y, z) => x ^ y ^ z, (step) => (3 * step + 5) % 16],
  [(x, y, z) => y ^ (x | ~z), (step) => 7 * step % 16],
];

/** MD5's state after one block of 64 octets, as 16 octets. */
function afterBlock(block: Uint8Array): Buffer {
  const words = Buffer.from(block);
  let [a, b, c, d]: [number, number, number, number] = [...INITIAL];
  for (const [round, [mix, word]] of ROUNDS.entries()) {
    for (let step = 0; step < 16; step++) {
      const sum = a + mix(b, c, d) + words.readUInt32LE(4 * word(step)) +
        (SINES[16 * round + step] as number);
      const shift = SHIFTS[round]?.[step % 4] ?? 0;
      const turned = (sum << shift) | ((sum | 0) >>> (32 - shift));
      [a, b, c, d] = [d, b + turned | 0, b, c];
    }
  }
  const state = Buffer.alloc(16);
  for (const [at, word] of [a, b, c, d].entries()) {
    state.writeUInt32LE((word + (INITIAL[at] as number)) >>> 0, 4 * at);
  }
  return state;
}
