/**
 * The unique names of a mailbox, as octets one behind the other: a string each would take three times
 * the memory.
 *
 * Names stand in blocks, so that a mailbox that grows is not copied, and a small one has a small block.
 * Each has its length before it, in one octet: a name of over 255 octets is no file's (NAME_MAX).
 *
 * *Does not know* what the names are of.
 */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";

/** What no file name is longer than, octets. */
export const NAME_OCTETS = 255;

const BLOCK_OCTETS = 65_536;
const FIRST_BLOCK_OCTETS = 512;

/** So that nobody can choose names whose hashes are alike. */
const SEED = randomBytes(4).readInt32LE();

export class NameBlocks {
  readonly #blocks: Buffer[] = [];
  /** Octets of the last block that are in use. */
  #used = 0;

  /** Octets of memory. */
  get octets(): number {
    return this.#blocks.reduce((sum, block) => sum + block.length, 0);
  }

  /** Adds a name of 1 to NAME_OCTETS octets; returns its place. */
  add(source: Uint8Array, from: number, to: number): number {
    const block = this.#blockFor(1 + to - from);
    const place = (this.#blocks.length - 1) * BLOCK_OCTETS + this.#used;
    let at = this.#used;
    block[at++] = to - from;
    for (let octet = from; octet < to; octet++) block[at++] = source[octet]!;
    this.#used = at;
    return place;
  }

  #blockFor(octets: number): Buffer {
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#used + octets <= last.length) return last;
    if (last !== undefined && last.length < BLOCK_OCTETS) {
      const larger = Buffer.alloc(last.length * 2);
      larger.set(last);
      this.#blocks[this.#blocks.length - 1] = larger;
      return this.#blockFor(octets);
    }
    const next = Buffer.alloc(last === undefined ? FIRST_BLOCK_OCTETS : BLOCK_OCTETS);
    this.#blocks.push(next);
    this.#used = 0;
    return next;
  }

  /** Whether the name at a place is these octets. */
  isAt(place: number, source: Uint8Array, from: number, to: number): boolean {
    const block = this.#blockOf(place);
    let at = place % BLOCK_OCTETS;
    if (block[at++] !== to - from) return false;
    for (let octet = from; octet < to; octet++) {
      if (block[at++] !== source[octet]) return false;
    }
    return true;
  }

  /** Copies the name at a place to `target`, and returns where it ends there. */
  write(place: number, target: Uint8Array, at: number): number {
    const block = this.#blockOf(place);
    const from = place % BLOCK_OCTETS + 1;
    const length = block[from - 1]!;
    for (let octet = 0; octet < length; octet++) target[at + octet] = block[from + octet]!;
    return at + length;
  }

  /** The name at a place, a character an octet. */
  textAt(place: number): string {
    const block = this.#blockOf(place);
    const from = place % BLOCK_OCTETS + 1;
    return block.toString("latin1", from, from + block[from - 1]!);
  }

  /** Below 0, as above, or 0: the order of the octets of two names. */
  compare(one: number, other: number): number {
    const a = this.#blockOf(one);
    const b = this.#blockOf(other);
    const fromA = one % BLOCK_OCTETS + 1;
    const fromB = other % BLOCK_OCTETS + 1;
    const lengthA = a[fromA - 1]!;
    const lengthB = b[fromB - 1]!;
    for (let octet = 0; octet < lengthA && octet < lengthB; octet++) {
      const difference = a[fromA + octet]! - b[fromB + octet]!;
      if (difference !== 0) return difference;
    }
    return lengthA - lengthB;
  }

  #blockOf(place: number): Buffer {
    return this.#blocks[Math.floor(place / BLOCK_OCTETS)]!;
  }
}

/** A hash of a name, 0 to 2^32 - 1. */
export function hashOf(source: Uint8Array, from: number, to: number): number {
  let hash = SEED;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const four = source[at]! | source[at + 1]! << 8 | source[at + 2]! << 16 | source[at + 3]! << 24;
    hash = Math.imul(hash ^ four, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < to; at++) hash = Math.imul(hash ^ source[at]!, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ hash >>> 16) >>> 0;
}
