/**
 * SHA512-CRYPT and SHA256-CRYPT: `$6$` and `$5$` of crypt(3), with or without `rounds=`.
 *
 * Source: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", version 0.6; the step numbers below are
 * its own. The npm package `unixcrypt` would have done but for passwords whose length is a multiple of
 * the digest's (64 octets, 32 for `$5$`): it leaves a block out in steps 9 and 16 and so refuses them.
 */

import { Buffer } from "node:buffer";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { HASH_COST } from "../../limits.ts";
import {
  type CheckableHash,
  costClass,
  type HashFault,
  malformed,
  octetsAsText,
  tooCostly,
} from "./scheme.ts";

interface Variant {
  readonly name: string;
  readonly algorithm: "sha256" | "sha512";
  readonly digestOctets: number;
  /** Order in which step 22 takes the digest's octets, three to four characters. */
  readonly order: readonly number[];
}

const SHA256: Variant = {
  name: "SHA256-CRYPT",
  algorithm: "sha256",
  digestOctets: 32,
  order: [...triples(10, [0, 10, 20], ([a, b, c]) => [c, a, b]), 31, 30],
};

const SHA512: Variant = {
  name: "SHA512-CRYPT",
  algorithm: "sha512",
  digestOctets: 64,
  order: [...triples(21, [0, 21, 42], ([a, b, c]) => [b, c, a]), 63],
};

/** The salt is what stands there: crypt(3) takes any octets but these. */
const PATTERN = /^\$([56])\$(?:rounds=([1-9][0-9]{3,8})\$)?([^$:\n]{0,16})\$([./0-9A-Za-z]+)$/;

const DEFAULT_ROUNDS = 5_000;

/** Twenty times the default of 2007, about a quarter of a second. */
const MADE_ROUNDS = 100_000;

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export function readShaCrypt(stored: Uint8Array): CheckableHash | HashFault {
  const match = PATTERN.exec(octetsAsText(stored));
  const variant = match?.[1] === "5" ? SHA256 : SHA512;
  if (match === null) return malformed("SHA512-CRYPT or SHA256-CRYPT");
  const rounds = Number(match[2] ?? DEFAULT_ROUNDS);
  if (rounds > HASH_COST.shaCryptRounds) return tooCostly(variant.name);
  const salt = Buffer.from(match[3] as string, "latin1");
  const hash = Buffer.from(match[4] as string, "latin1");
  if (hash.length !== Math.ceil(variant.digestOctets * 8 / 6)) return malformed(variant.name);
  return {
    costClass: costClass(variant.name, rounds),
    matches(password) {
      const made = Buffer.from(compute(variant, password, salt, rounds), "latin1");
      return timingSafeEqual(made, hash);
    },
  };
}

/** Makes `$6$` or `$5$`. */
export function makeShaCrypt(digit: "5" | "6", password: Uint8Array): string {
  const salt = Array.from(randomBytes(16), (octet) => ALPHABET[octet & 63]).join("");
  const variant = digit === "5" ? SHA256 : SHA512;
  const hash = compute(variant, password, Buffer.from(salt, "latin1"), MADE_ROUNDS);
  return `$${digit}$rounds=${MADE_ROUNDS}$${salt}$${hash}`;
}

function compute(variant: Variant, key: Uint8Array, salt: Uint8Array, rounds: number): string {
  const { algorithm, digestOctets } = variant;
  const digest = (...parts: Uint8Array[]) => {
    const hash = createHash(algorithm);
    for (const part of parts) hash.update(part);
    return hash.digest();
  };

  const b = digest(key, salt, key); // 4 to 8
  const a = createHash(algorithm).update(key).update(salt); // 1 to 3
  a.update(repeatTo(b, key.length)); // 9, 10
  for (let bits = key.length; bits > 0; bits >>>= 1) a.update(bits & 1 ? b : key); // 11
  let c = a.digest(); // 12

  const p = repeatTo(digest(...Array(key.length).fill(key)), key.length); // 13 to 16
  const s = repeatTo(digest(...Array(16 + (c[0] as number)).fill(salt)), salt.length); // 17 to 20

  // 21: what a round hashes is laid together first, since each call costs more than its octets.
  const block = Buffer.alloc(2 * p.length + s.length + digestOctets);
  for (let round = 0; round < rounds; round++) {
    let end = 0;
    const add = (octets: Uint8Array) => {
      block.set(octets, end);
      end += octets.length;
    };
    add(round & 1 ? p : c);
    if (round % 3 !== 0) add(s);
    if (round % 7 !== 0) add(p);
    add(round & 1 ? c : p);
    c = createHash(algorithm).update(block.subarray(0, end)).digest();
  }
  return encode(c, variant.order);
}

/** `octets` over and over, cut at `length`. */
function repeatTo(octets: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += octets.length) out.set(octets.subarray(0, length - at), at);
  return out;
}

/** Step 22: three octets are four characters, the lowest six bits first. */
function encode(digest: Uint8Array, order: readonly number[]): string {
  let text = "";
  for (let at = 0; at < order.length; at += 3) {
    const three = order.slice(at, at + 3);
    let bits = three.reduce((value, index) => value << 8 | (digest[index] as number), 0);
    for (let characters = three.length + 1; characters > 0; characters--) {
      text += ALPHABET[bits & 63];
      bits >>>= 6;
    }
  }
  return text;
}

type Triple = readonly [number, number, number];

/** `count` triples in a row; each is its forerunner turned, and one added to each number. */
function triples(count: number, first: Triple, turn: (triple: Triple) => Triple): number[] {
  const out: number[] = [];
  for (let i = 0, triple = first; i < count; i++) {
    out.push(...triple);
    const [a, b, c] = turn(triple);
    triple = [a + 1, b + 1, c + 1];
  }
  return out;
}
