/**
 * Octets with something done to them, for feeding to readers of what strangers send; by the ten thousand,
 * for which fast-check is too slow. The seed is printed, as in `support/property.ts`.
 */

import { Buffer } from "node:buffer";
import process from "node:process";
import { test } from "node:test";

const AWKWARD = ["\0", ",", "=", ",,", "m=x,", "\xff", "a=", "p=", "=2C", "\r\n", "\x80", "A"]
  .map((text) => Buffer.from(text, "latin1"));

/** Draws numbers and changes octets, the same ones for the same seed. */
export class Mutator {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    // Mulberry32.
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  /** The octets as they are in half of all cases, else with one to three changes. */
  perhaps(octets: Uint8Array): Uint8Array {
    return this.below(2) === 0 ? octets : this.change(octets);
  }

  change(octets: Uint8Array): Uint8Array {
    let now = Buffer.from(octets);
    for (let left = 1 + this.below(3); left > 0; left--) now = Buffer.concat(this.#changed(now));
    return now;
  }

  /** A bit or an octet changed, a part cut out, doubled or moved, or something awkward put in. */
  #changed(octets: Buffer): Uint8Array[] {
    const at = this.below(octets.length + 1);
    const end = at + this.below(octets.length - at + 1);
    const [before, part, after] = [
      octets.subarray(0, at),
      octets.subarray(at, end),
      octets.subarray(end),
    ];
    const kind = this.below(6);
    switch (kind) {
      case 0:
        return [
          before,
          Buffer.of((octets[at] ?? 0) ^ (1 << this.below(8))),
          octets.subarray(at + 1),
        ];
      case 1:
        return [before, Buffer.of(this.below(256)), octets.subarray(at + 1)];
      case 2:
        return [before, after];
      case 3:
        return [before, part, part, after];
      case 4:
        return [before, after, part];
      default:
        return [before, AWKWARD[this.below(AWKWARD.length)]!, octets.subarray(at)];
    }
  }
}

/** Registers a test that tries something `runs` times with octets changed at random. */
export function testMutated(
  name: string,
  runs: number,
  attempt: (mutator: Mutator, run: number) => void | Promise<void>,
): void {
  test(name, { timeout: 120_000 }, async () => {
    const given = process.env["POPKEEP_SEED"];
    const seed = given === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(given);
    console.log(`seed ${seed}: ${name}`);
    const mutator = new Mutator(seed);
    for (let run = 0; run < runs; run++) await attempt(mutator, run);
  });
}
