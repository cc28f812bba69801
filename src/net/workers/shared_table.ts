/**
 * Counts by key in memory that several workers share: each worker has a table of its own, which it alone
 * writes and all read.
 *
 * A table is a few levels of buckets, each level larger than the one before. A key may stand in one bucket
 * of each level, and in any slot of it; a level is used when the bucket of those before is full. A row
 * stays in its slot while its count is above 0, and a slot whose count is 0 is free. So there is nothing to
 * move and nothing to agree about: whoever reads while another writes finds a row that was there before he
 * began. He may find one that is just being written as well, and then counts one too many.
 *
 * *Knows*: words of memory. *Does not know*: what a key is, or what the counts are for.
 */

/** A key's digest, in two words. */
export interface TableKey {
  readonly low: number;
  readonly high: number;
}

/** Slots of a bucket: with as many keys as buckets times 4, one bucket in a million is full. */
const BUCKET_SLOTS = 16;

/** Words of a slot: both of the key, the count. */
const SLOT_WORDS = 3;

/** Binary logarithms of the buckets of each level: 4,096 slots, then eight times as many each. */
const LEVELS = [8, 11, 14, 17] as const;

/** The first word of a table: how many levels are used beyond the first. */
const DEPTH_AT = 0;
const HEAD_WORDS = 4;

const LEVEL_STARTS = LEVELS.map((_, level) =>
  HEAD_WORDS + LEVELS.slice(0, level).reduce((words, bits) => words + levelWords(bits), 0)
);

/** Of one worker. Untouched pages of it take no memory. */
export const TABLE_WORDS = HEAD_WORDS + LEVELS.reduce((words, bits) => words + levelWords(bits), 0);

function levelWords(bits: number): number {
  return 2 ** bits * BUCKET_SLOTS * SLOT_WORDS;
}

/** Where the bucket of a key begins; other bits of it decide at each level. */
function bucketAt(level: number, { low, high }: TableKey): number {
  const bits = LEVELS[level]!;
  const mixed = level === 0 ? low : (high ^ Math.imul(low, 2 * level + 1)) >>> level;
  const bucket = mixed & (2 ** bits - 1);
  return LEVEL_STARTS[level]! + bucket * BUCKET_SLOTS * SLOT_WORDS;
}

export class SharedTable {
  readonly #words: Int32Array;

  /** @param words `TABLE_WORDS` of shared memory. */
  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** The count of a key, by anybody. */
  read(key: TableKey): number {
    const words = this.#words;
    const depth = Atomics.load(words, DEPTH_AT);
    for (let level = 0; level <= depth && level < LEVELS.length; level++) {
      const from = bucketAt(level, key);
      for (let at = from; at < from + BUCKET_SLOTS * SLOT_WORDS; at += SLOT_WORDS) {
        if (Atomics.load(words, at) !== key.low || Atomics.load(words, at + 1) !== key.high) {
          continue;
        }
        const count = Atomics.load(words, at + 2);
        if (count > 0) return count;
      }
    }
    return 0;
  }

  /**
   * Makes a row with the count 1 for a key that has none; by the table's owner. Returns where its count is,
   * or undefined if all buckets of the key are full.
   */
  insert(key: TableKey): number | undefined {
    const words = this.#words;
    for (let level = 0; level < LEVELS.length; level++) {
      if (level > Atomics.load(words, DEPTH_AT)) Atomics.store(words, DEPTH_AT, level);
      const from = bucketAt(level, key);
      for (let at = from; at < from + BUCKET_SLOTS * SLOT_WORDS; at += SLOT_WORDS) {
        if (Atomics.load(words, at + 2) > 0) continue;
        Atomics.store(words, at, key.low);
        Atomics.store(words, at + 1, key.high);
        // Last, so that a count is never seen under the key that stood here before.
        Atomics.store(words, at + 2, 1);
        return at + 2;
      }
    }
    return undefined;
  }

  /** Adds to a count, by its owner; at 0 the row is gone. */
  add(at: number, change: 1 | -1): void {
    Atomics.add(this.#words, at, change);
  }

  /** Forgets all, once the owner is no more. */
  clear(): void {
    const words = this.#words;
    const depth = Math.min(Atomics.load(words, DEPTH_AT), LEVELS.length - 1);
    words.fill(0, HEAD_WORDS, LEVEL_STARTS[depth]! + levelWords(LEVELS[depth]!));
    Atomics.store(words, DEPTH_AT, 0);
  }
}
