/**
 * Property tests as tests: fast-check draws the cases, and the seed is printed so that a run can be had
 * again: POPKEEP_SEED=... in the environment.
 */

import process from "node:process";
import { test } from "node:test";
import fc from "fast-check";

/** Registers a test that tries a property on `runs` drawn cases. */
export function testProperty<Drawn>(
  name: string,
  property: fc.IRawProperty<Drawn>,
  runs = 300,
): void {
  test(name, async () => {
    const given = process.env["POPKEEP_SEED"];
    const seed = given === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(given);
    console.log(`seed ${seed}: ${name}`);
    await fc.assert(property, { seed, numRuns: runs });
  });
}

/** Stored octets of the awkward kind: line ends of every sort, dots, NUL, 8-bit, long plain runs. */
export function storedMessage(maxPieces = 40): fc.Arbitrary<Uint8Array> {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("\n", "\r\n", "\r", ".", "..", "\0", "\xff", "A: b") },
    { weight: 2, arbitrary: fc.constantFrom("\n\n", "\r\n\r\n", "\r\r\n", "\n.\n", "\r\n.\r\n") },
    { weight: 2, arbitrary: fc.nat({ max: 40 }).map((length) => "x".repeat(length)) },
  );
  return fc.array(piece, { maxLength: maxPieces })
    .map((pieces) => Uint8Array.from(pieces.join(""), (character) => character.charCodeAt(0)));
}

/** Octets cut into chunks at places of its choice; some chunks are empty. */
export function cut(octets: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array[]> {
  return fc.tuple(octets, fc.array(fc.nat(), { maxLength: 8 })).map(([whole, places]) => {
    const cuts = places.map((place) => place % (whole.length + 1)).sort((a, b) => a - b);
    return [...cuts, whole.length].map((end, at) => whole.subarray(cuts[at - 1] ?? 0, end));
  });
}
