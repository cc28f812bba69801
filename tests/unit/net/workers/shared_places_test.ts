/** Places over several workers: in one process, with the tables of several, and in several processes. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { makeSharedMemory } from "../../../../src/platform/shared_memory.ts";
import { SharedCounts } from "../../../../src/net/workers/shared_counts.ts";
import { SharedTable, TABLE_WORDS } from "../../../../src/net/workers/shared_table.ts";

test("places are counted over all workers, and come back", () => {
  const { counts } = SharedCounts.make(3, "secret");
  const [one, two, three] = [1, 2, 3].map((worker) => counts.placesOf(worker));
  assert.ok(one!.take("alice", 3) && two!.take("alice", 3) && one!.take("alice", 3));
  for (const places of [one, two, three]) assert.equal(places!.take("alice", 3), false);
  assert.ok(three!.take("bob", 3), "another key is another count");
  two!.giveBack("alice");
  assert.ok(three!.take("alice", 3));
  assert.equal(one!.take("alice", 3), false);
  assert.ok(one!.take("alice", 4), "another limit holds at once");
});

test("what is given back and was never taken takes no place away", () => {
  const { counts } = SharedCounts.make(2, "secret");
  const [one, two] = [counts.placesOf(1), counts.placesOf(2)];
  one.take("alice", 1);
  two.giveBack("alice");
  assert.equal(two.take("alice", 1), false);
});

test("the places of a worker that is gone are free, and only those", () => {
  const { counts } = SharedCounts.make(2, "secret");
  const [one, two] = [counts.placesOf(1), counts.placesOf(2)];
  for (let at = 0; at < 20_000; at++) one.take(`key ${at}`, 1);
  two.take("mine", 1);
  assert.equal(two.take("key 19999", 1), false);
  counts.clear(1);
  for (let at = 0; at < 20_000; at++) assert.ok(two.take(`key ${at}`, 1), `key ${at}`);
  assert.equal(counts.placesOf(1).take("mine", 1), false);
});

test("a table holds far more keys than its first level, each with its own count", () => {
  const words = new Int32Array(makeSharedMemory(TABLE_WORDS * 4).octets);
  const table = new SharedTable(words);
  const keyOf = (at: number) => ({
    low: Math.imul(at + 1, 0x9e3779b1),
    high: Math.imul(at + 1, 0x85ebca6b),
  });
  const places = Array.from({ length: 100_000 }, (_, at) => table.insert(keyOf(at)));
  for (const [at, place] of places.entries()) {
    assert.ok(place !== undefined);
    if (at % 3 === 0) table.add(place, 1);
    if (at % 3 === 1) table.add(place, -1);
  }
  for (const at of places.keys()) assert.equal(table.read(keyOf(at)), [2, 0, 1][at % 3]);
});

test("who is given a table's freed slot is not taken for who had it", () => {
  const words = new Int32Array(makeSharedMemory(TABLE_WORDS * 4).octets);
  const table = new SharedTable(words);
  const [one, other] = [{ low: 5, high: 1 }, { low: 5, high: 2 }];
  const place = table.insert(one)!;
  table.add(place, -1);
  assert.equal(table.insert(other), place);
  assert.equal(table.read(one), 0);
  assert.equal(table.read(other), 1);
});

test("sessions are numbered from 1", () => {
  const { counts } = SharedCounts.make(2, "secret");
  assert.deepEqual([counts.nextSession(), counts.nextSession()], [1, 2]);
});

const PROGRAM = fileURLToPath(new URL("places_program.ts", import.meta.url));

/** What places_program.ts tells. */
interface Contended {
  readonly taken: number;
  readonly most: number;
  readonly sessions: readonly number[];
}

/** Runs a worker that takes and gives back places as fast as it can; returns what it saw. */
async function contend(
  { counts, fileDescriptor }: ReturnType<typeof SharedCounts.make>,
  worker: number,
): Promise<Contended> {
  const words = "Deno" in globalThis ? ["run", "-A", "--no-check", PROGRAM] : [PROGRAM];
  const told = JSON.stringify({ place: counts.place, worker });
  const child = spawn(process.execPath, [...words, told], {
    stdio: ["ignore", "pipe", "inherit", fileDescriptor],
  });
  let said = "";
  child.stdout!.on("data", (chunk) => said += chunk);
  await once(child, "close");
  return JSON.parse(said);
}

test("of processes that contend for places never more are inside than may be, and all get in at times", async () => {
  const shared = SharedCounts.make(4, "secret");
  const all = await Promise.all([1, 2, 3].map((worker) => contend(shared, worker)));
  for (const { taken, most } of all) {
    assert.ok(most <= 2, `${most} were inside at once`);
    assert.ok(taken > 0, "it got in");
  }
  // All was given back.
  const last = shared.counts.placesOf(4);
  assert.ok(last.take("contended", 2) && last.take("contended", 2));
  const sessions = all.flatMap(({ sessions }) => sessions).sort((a, b) => a - b);
  assert.deepEqual(sessions, Array.from({ length: 3_000 }, (_, at) => at + 1), "one sequence");
});
