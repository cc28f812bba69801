/** What can be chosen for a run of the comparison, and what is said of a wrong choice. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readOptions } from "../../../bench/options.ts";
import type { Work } from "../../../bench/runner/work.ts";

const work = (name: string): Work => ({
  name,
  rounds: "every",
  takesPart: () => true,
  run: () => Promise.resolve(),
});
const WORKS = [work("everyday"), work("idle")];

test("without a choice all servers do all the work, three times", () => {
  const options = readOptions({}, WORKS);
  assert.deepEqual(options.works, WORKS);
  assert.ok(options.servers.length > 8);
  assert.equal(options.rounds, 3);
  assert.equal(options.whole, true);
});

test("a part is taken in our order, and is not the whole", () => {
  const options = readOptions({ PEERS: "popkeep, courier", TESTS: "idle", ROUNDS: "1" }, WORKS);
  assert.deepEqual(options.servers.map(({ name }) => name), ["courier", "popkeep"]);
  assert.deepEqual(options.works, [WORKS[1]]);
  assert.equal(options.rounds, 1);
  assert.equal(options.whole, false);
});

test("a run that is shorter than usual is not the whole", () => {
  assert.equal(readOptions({ ROUNDS: "2" }, WORKS).whole, false);
  assert.equal(readOptions({ SECONDS: "2" }, WORKS).whole, false);
  assert.equal(readOptions({ ROUNDS: "5", SECONDS: "4" }, WORKS).whole, true);
});

test("a wrong choice is told with what there is", () => {
  assert.throws(
    () => readOptions({ TESTS: "idel" }, WORKS),
    /TESTS names "idel"; .*everyday, idle/,
  );
  assert.throws(() => readOptions({ PEERS: "qpopper" }, WORKS), /PEERS names "qpopper"; .*courier/);
  assert.throws(() => readOptions({ ROUNDS: "0" }, WORKS), /ROUNDS is "0"/);
  assert.throws(() => readOptions({ SECONDS: "4s" }, WORKS), /SECONDS is "4s"/);
});
