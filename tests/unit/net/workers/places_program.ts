/**
 * A worker that contends for two places, for shared_places_test.ts. Who is inside is counted by all of them
 * in a second way, apart from the places, so that one too many is seen.
 */

import process from "node:process";
import { SharedCounts } from "../../../../src/net/workers/shared_counts.ts";
import { joinSharedMemory } from "../../../../src/platform/shared_memory.ts";

const { place, worker, rounds } = JSON.parse(process.argv[2]!);
const counts = SharedCounts.join(place);
const places = counts.placesOf(worker);

/** In the octets behind the number of sessions, which nothing else uses. */
const inside = new Int32Array(joinSharedMemory(place.path, 64).octets, 32, 2);
const ALL_THERE = 1;

Atomics.add(inside, ALL_THERE, 1);
while (Atomics.load(inside, ALL_THERE) < 3);

let taken = 0;
let most = 0;
for (let round = 0; round < rounds; round++) {
  if (!places.take("contended", 2)) continue;
  taken++;
  most = Math.max(most, Atomics.add(inside, 0, 1) + 1);
  Atomics.sub(inside, 0, 1);
  places.giveBack("contended");
}
console.log(JSON.stringify({ taken, most }));
