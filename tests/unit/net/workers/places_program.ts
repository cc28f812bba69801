/**
 * A worker that contends for two places, for shared_places_test.ts. Who is inside is counted by all of them
 * in a second way, apart from the places, so that one too many is seen.
 */

import process from "node:process";
import { SharedCounts } from "../../../../src/net/workers/shared_counts.ts";
import { HANDED_FROM } from "../../../../src/net/workers/worker_process.ts";
import { joinSharedMemory } from "../../../../src/platform/shared_memory.ts";

const ROUNDS = 30_000;
const SESSIONS = 1_000;

const { place, worker } = JSON.parse(process.argv[2]!);
const counts = SharedCounts.join(place, HANDED_FROM);
const places = counts.placesOf(worker);

/** Octets behind the number of sessions, which nothing else uses. */
const seen = new Int32Array(joinSharedMemory(HANDED_FROM, 64), 32, 2);
const INSIDE = 0;
const THERE = 1;

Atomics.add(seen, THERE, 1);
while (Atomics.load(seen, THERE) < 3);

let taken = 0;
let most = 0;
for (let round = 0; round < ROUNDS; round++) {
  if (!places.take("contended", 2)) continue;
  taken++;
  most = Math.max(most, Atomics.add(seen, INSIDE, 1) + 1);
  Atomics.sub(seen, INSIDE, 1);
  places.giveBack("contended");
}
const sessions = Array.from({ length: SESSIONS }, () => counts.nextSession());
console.log(JSON.stringify({ taken, most, sessions }));
