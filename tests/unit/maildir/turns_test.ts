import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { inRanges, Turns } from "../../../src/maildir/turns.ts";

function workFor(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs;);
}

/** How often the event loop comes round while `work` is done. */
async function roundsDuring(work: () => Promise<void>): Promise<number> {
  let rounds = 0;
  let isDone = false;
  const round = () => {
    rounds++;
    if (!isDone) setImmediate(round);
  };
  setImmediate(round);
  await work();
  isDone = true;
  return rounds;
}

async function longWork(items: number): Promise<void> {
  const turns = new Turns({ itemsALook: 1 });
  for (let item = 0; item < items; item++) {
    if (turns.isOver) await turns.next();
    workFor(0.5);
  }
}

test("long work lets the event loop come round", async () => {
  const rounds = await roundsDuring(() => longWork(200));
  // Some 33 turns of 3 ms; more where the machine is busy, since those are over sooner.
  ok(rounds >= 15, `${rounds} rounds`);
});

test("short works one after the other let it come round too", async () => {
  const rounds = await roundsDuring(async () => {
    for (let work = 0; work < 100; work++) await longWork(2);
  });
  ok(rounds >= 15, `${rounds} rounds`);
});

test("of several long works one has a turn before the event loop comes round", async () => {
  const rounds = await roundsDuring(async () => {
    await Promise.all([longWork(70), longWork(70), longWork(70)]);
  });
  ok(rounds >= 15, `${rounds} rounds`);
});

test("ranges cover all items once, in their order", async () => {
  for (const count of [0, 1, 255, 256, 257, 1_000]) {
    const items: number[] = [];
    await inRanges(count, (from, to) => {
      ok(from < to);
      for (let item = from; item < to; item++) items.push(item);
    });
    deepStrictEqual(items, Array.from({ length: count }, (_, item) => item));
    strictEqual(items.length, count);
  }
});
