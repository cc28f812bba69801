/**
 * The unique names of a mailbox, as octets one behind the other: a string each would take three times
 * the memory.
 *
 * Names stand in blocks, so that a mailbox that grows is not copied, and a small one has a small block.
 * Each has its length before it, in one octet (a name of over 255 octets is no file's: NAME_MAX), and NULs
 * behind it up to a whole word: they are compared and copied a word at a time.
 *
 * A name that is looked for or added is put into `staged` first.
 *
 * *Does not know* what the names are of.
 */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";

/** What no file name is longer than, octets. */
export const NAME_OCTETS = 255;

/** Words of four octets. */
const BLOCK_WORDS = 16_384;
const FIRST_BLOCK_WORDS = 128;

/** So that nobody can choose names whose hashes are alike. */
const SEED = randomBytes(4).readInt32LE();

/** The one name that is being looked for, as it would stand in a block. */
class StagedName {
  readonly octets = Buffer.from(new ArrayBuffer(1 + NAME_OCTETS + 4));
  readonly words = new Int32Array(this.octets.buffer);

  get length(): number {
    return this.octets[0]!;
  }

  get wordCount(): number {
    return (this.octets[0]! + 4) >> 2;
  }

  /** Puts in a name whose characters are octets; 1 to NAME_OCTETS of them. */
  putText(name: string): void {
    this.cutTo(this.octets.write(name, 1, "latin1"));
  }

  /** Puts in 1 to NAME_OCTETS octets. */
  putOctets(source: Buffer, from: number, to: number): void {
    this.cutTo(source.copy(this.octets, 1, from, to));
  }

  /**
   * Puts in what stands from a place on before a NUL or `stop`, NAME_OCTETS at most; returns where that ends.
   */
  putUntil(source: Uint8Array, from: number, stop: number): number {
    const { octets } = this;
    let length = 0;
    for (; length < NAME_OCTETS; length++) {
      const octet = source[from + length]!;
      if (octet === 0 || octet === stop) break;
      octets[length + 1] = octet;
    }
    this.cutTo(length);
    return from + length;
  }

  /** As text, a character an octet. */
  get text(): string {
    return this.octets.toString("latin1", 1, 1 + this.length);
  }

  /** Makes it the first octets of what was put in. */
  cutTo(length: number): void {
    this.octets[0] = length;
    this.octets[length + 1] = this.octets[length + 2] = this.octets[length + 3] = 0;
  }

  /** 0 to 2^32 - 1. */
  get hash(): number {
    const { wordCount, words } = this;
    let hash = SEED;
    for (let word = 0; word < wordCount; word++) {
      hash = Math.imul(hash ^ words[word]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
    return (hash ^ hash >>> 16) >>> 0;
  }
}

export const staged = new StagedName();

interface Block {
  readonly octets: Buffer;
  readonly words: Int32Array;
}

export class NameBlocks {
  readonly #blocks: Block[] = [];
  /** Words of the last block that are in use. */
  #used = 0;

  /** Octets of memory. */
  get octets(): number {
    return this.#blocks.reduce((sum, { octets }) => sum + octets.length, 0);
  }

  /** Adds the staged name; returns its place. */
  add(): number {
    const { wordCount, words } = staged;
    const target = this.#blockFor(wordCount).words;
    const first = this.#used;
    for (let word = 0; word < wordCount; word++) target[first + word] = words[word]!;
    this.#used += wordCount;
    return (this.#blocks.length - 1) * BLOCK_WORDS + first;
  }

  #blockFor(words: number): Block {
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#used + words <= last.words.length) return last;
    if (last !== undefined && last.words.length < BLOCK_WORDS) {
      const larger = emptyBlock(last.words.length * 2);
      larger.words.set(last.words);
      this.#blocks[this.#blocks.length - 1] = larger;
      return this.#blockFor(words);
    }
    const next = emptyBlock(last === undefined ? FIRST_BLOCK_WORDS : BLOCK_WORDS);
    this.#blocks.push(next);
    this.#used = 0;
    return next;
  }

  /** Whether the name at a place is the staged one. */
  isStagedAt(place: number): boolean {
    const { words } = this.#blockOf(place);
    const first = place % BLOCK_WORDS;
    // The first word tells the length too, so that none of another name is looked at.
    const { wordCount } = staged;
    for (let word = 0; word < wordCount; word++) {
      if (words[first + word] !== staged.words[word]) return false;
    }
    return true;
  }

  /** Stages the name at a place. */
  stage(place: number): void {
    const { octets, words } = this.#blockOf(place);
    const first = place % BLOCK_WORDS;
    const wordCount = (octets[first * 4]! + 4) >> 2;
    for (let word = 0; word < wordCount; word++) staged.words[word] = words[first + word]!;
  }

  /** Copies the name at a place to `target`, and returns where it ends there. */
  write(place: number, target: Uint8Array, at: number): number {
    const { octets } = this.#blockOf(place);
    const from = place % BLOCK_WORDS * 4 + 1;
    return at + octets.copy(target, at, from, from + octets[from - 1]!);
  }

  /** The name at a place, a character an octet. */
  textAt(place: number): string {
    const { octets } = this.#blockOf(place);
    const from = place % BLOCK_WORDS * 4 + 1;
    return octets.toString("latin1", from, from + octets[from - 1]!);
  }

  #blockOf(place: number): Block {
    return this.#blocks[Math.floor(place / BLOCK_WORDS)]!;
  }
}

function emptyBlock(wordCount: number): Block {
  const memory = new ArrayBuffer(wordCount * 4);
  return { octets: Buffer.from(memory), words: new Int32Array(memory) };
}
