/**
 * Weighted rendezvous hashing: each name goes to the candidate with the highest score.
 *
 * A candidate is the highest with a probability as its weight, and when candidates or weights change, about
 * as few names go elsewhere as have to. Source: Thaler and Ravishankar, "Using name-based mappings to
 * increase hit rates", 1998; the weights by the logarithm: Schindelhauer and Schomaker, "Weighted
 * distributed hash tables", 2005.
 */

import { Buffer } from "node:buffer";

/** @param digest Of candidate and name together, at least 6 octets. */
export function rendezvousScore(digest: Uint8Array, weight: number): number {
  const drawn = Buffer.from(digest.buffer, digest.byteOffset, 6).readUIntBE(0, 6);
  return Math.log((drawn + 0.5) / 2 ** 48) / weight;
}
