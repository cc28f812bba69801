/**
 * MD5-CRYPT: `$1$` of crypt(3), a thousand rounds of MD5, as Poul-Henning Kamp wrote it for FreeBSD 2.0
 * (src/lib/libcrypt/crypt.c). Its author called it too quick in 2012.
 */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import {
  type CheckableHash,
  costClass,
  type HashFault,
  malformed,
  octetsAsText,
} from "./scheme.ts";

/** Of a longer salt crypt(3) takes the first eight octets, and writes no more. */
const PATTERN = /^\$1\$([^$:\n]{0,8})\$([./0-9A-Za-z]{22})$/;

const ROUNDS = 1_000;

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Which octets of the digest are laid together to four characters; octet 11 makes the last two. */
const ORDER = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] as const;

export function readMd5Crypt(stored: Uint8Array): CheckableHash | HashFault {
  const match = PATTERN.exec(octetsAsText(stored));
  if (match === null) return malformed("MD5-CRYPT");
  const salt = Buffer.from(match[1] as string, "latin1");
  const hash = Buffer.from(match[2] as string, "latin1");
  return {
    costClass: costClass("md5-crypt", ROUNDS),
    matches: (password) =>
      timingSafeEqual(Buffer.from(encode(compute(password, salt)), "latin1"), hash),
  };
}

function compute(key: Uint8Array, salt: Uint8Array): Uint8Array {
  const digest = (...parts: Uint8Array[]) => {
    const hash = createHash("md5");
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const first = digest(key, salt, key);
  const start = createHash("md5").update(key).update("$1$").update(salt);
  for (let left = key.length; left > 0; left -= 16) start.update(first.subarray(0, left));
  // A NUL for each 1 of the length's bits and the password's first octet for each 0: an oversight that
  // became the format.
  for (let bits = key.length; bits > 0; bits >>>= 1) {
    start.update(bits & 1 ? new Uint8Array(1) : key.subarray(0, 1));
  }
  let last: Uint8Array = start.digest();
  for (let round = 0; round < ROUNDS; round++) {
    const parts = [round & 1 ? key : last];
    if (round % 3 !== 0) parts.push(salt);
    if (round % 7 !== 0) parts.push(key);
    parts.push(round & 1 ? last : key);
    last = digest(...parts);
  }
  return last;
}

function encode(digest: Uint8Array): string {
  const at = (index: number) => digest[index] as number;
  const groups = ORDER.map(([a, b, c]) => characters(at(a) << 16 | at(b) << 8 | at(c), 4));
  return [...groups, characters(at(11), 2)].join("");
}

/** The lowest six bits first. */
function characters(bits: number, count: number): string {
  return Array.from({ length: count }, (_, at) => ALPHABET[bits >>> 6 * at & 63]).join("");
}
