import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AfterRush } from "../../../src/net/after_rush.ts";

const LULL_MS = 50;

function rushOf(count: number, lullMs = LULL_MS) {
  const told = { times: 0 };
  const rush = new AfterRush(() => told.times++, { lullMs });
  const leave = (from: number, to: number) => {
    for (let present = from - 1; present >= to; present--) rush.went(present);
  };
  for (let present = 1; present <= count; present++) rush.came(present);
  return { rush, told, leave };
}

test("when most of a thousand have gone the rush is over, once", async () => {
  const { told, leave } = rushOf(1_000);
  leave(1_000, 0);
  assert.equal(told.times, 0, "not while they go");
  await sleep(LULL_MS * 3);
  assert.equal(told.times, 1);
});

test("a thousand who came one after the other are a rush, too", async () => {
  const { rush, told } = rushOf(0);
  for (let client = 0; client < 1_000; client++) {
    rush.came(1);
    rush.went(0);
  }
  await sleep(LULL_MS * 3);
  assert.equal(told.times, 1);
});

test("fewer are none", async () => {
  const { told, leave } = rushOf(999);
  leave(999, 0);
  await sleep(LULL_MS * 3);
  assert.equal(told.times, 0);
});

test("while more than a quarter stays it is not over", async () => {
  const { told, leave } = rushOf(1_000);
  leave(1_000, 251);
  await sleep(LULL_MS * 3);
  assert.equal(told.times, 0);
  leave(251, 250);
  await sleep(LULL_MS * 3);
  assert.equal(told.times, 1);
});

test("who comes again in the lull is part of the rush", async () => {
  const { rush, told, leave } = rushOf(1_000);
  leave(1_000, 100);
  for (let present = 101; present <= 600; present++) rush.came(present);
  await sleep(LULL_MS * 3);
  assert.equal(told.times, 0);
  leave(600, 0);
  await sleep(LULL_MS * 3);
  assert.equal(told.times, 1);
});
