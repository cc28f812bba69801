import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FairQueue } from "../../../src/auth/fair_queue.ts";

const stranger = (source: string) => ({ source, known: false });
const known = (source: string) => ({ source, known: true });

/** Puts items in line, named after their source and a number: "a1 a2 b1". */
function fill(queue: FairQueue<string>, items: string): void {
  for (const item of items.split(" ")) queue.push(item, stranger(item[0]!));
}

function drain(queue: FairQueue<string>): string {
  const out: string[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) out.push(item);
  return out.join(" ");
}

test("sources take turns, each in its own order", () => {
  const queue = new FairQueue<string>(100);
  fill(queue, "a1 a2 a3 a4 b1 b2 c1");
  strictEqual(drain(queue), "a1 b1 c1 a2 b2 a3 a4");
  strictEqual(queue.length, 0);
});

test("who comes while a long line waits is served after one of it", () => {
  const queue = new FairQueue<string>(1_000);
  for (let at = 0; at < 900; at++) queue.push(`a${at}`, stranger("a"));
  strictEqual(queue.shift(), "a0");
  queue.push("b0", stranger("b"));
  deepStrictEqual([queue.shift(), queue.shift(), queue.shift()], ["a1", "b0", "a2"]);
});

test("the known are served every second time, however many strangers there are", () => {
  const queue = new FairQueue<string>(1_000);
  for (let at = 0; at < 500; at++) queue.push(`s${at}`, stranger(`s${at}`));
  queue.push("k1", known("k"));
  queue.push("l1", known("l"));
  const order = Array.from({ length: 5 }, () => queue.shift());
  deepStrictEqual(order, ["k1", "s0", "l1", "s1", "s2"]);
});

test("strangers are served every second time, however many known there are", () => {
  const queue = new FairQueue<string>(1_000);
  for (let at = 0; at < 500; at++) queue.push(`k${at}`, known(`k${at}`));
  queue.push("s1", stranger("s"));
  deepStrictEqual([queue.shift(), queue.shift(), queue.shift()], ["k0", "s1", "k1"]);
});

test("a full queue takes the newest from the longest line, and a new one from there has no place", () => {
  const queue = new FairQueue<string>(4);
  fill(queue, "a1 a2 a3 b1");
  strictEqual(queue.push("a4", stranger("a")), "a4");
  strictEqual(queue.push("c1", stranger("c")), "a3");
  strictEqual(drain(queue), "a1 b1 c1 a2");
});

test("in a full queue of one each a new one has no place, whoever it is", () => {
  const queue = new FairQueue<string>(2);
  fill(queue, "a1 b1");
  strictEqual(queue.push("a2", stranger("a")), "a2");
  strictEqual(queue.push("c1", stranger("c")), "c1");
  strictEqual(drain(queue), "a1 b1");
});

test("strangers leave a full queue before the known, and never push them out", () => {
  const queue = new FairQueue<string>(2);
  queue.push("k1", known("k"));
  queue.push("s1", stranger("s"));
  strictEqual(queue.push("k2", known("k")), "s1");
  strictEqual(queue.push("t1", stranger("t")), "t1");
  strictEqual(queue.push("k3", known("k")), "k3");
  strictEqual(drain(queue), "k1 k2");
});

test("whatever comes and goes, nothing is lost, doubled or over the limit, and a line keeps its order", () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ source: fc.constantFrom("a", "b", "c", "d"), known: fc.boolean() }),
      fc.constant("shift" as const),
    ),
    { maxLength: 200 },
  );
  fc.assert(fc.property(steps, fc.integer({ min: 1, max: 10 }), (steps, limit) => {
    const queue = new FairQueue<{ line: string; at: number }>(limit);
    const inside = new Set<number>();
    const lastOf = new Map<string, number>();
    for (const [at, step] of steps.entries()) {
      if (step === "shift") {
        const item = queue.shift();
        strictEqual(item === undefined, inside.size === 0);
        if (item === undefined) continue;
        ok(inside.delete(item.at), "it was there, once");
        ok(item.at > (lastOf.get(item.line) ?? -1), "in its order");
        lastOf.set(item.line, item.at);
      } else {
        inside.add(at);
        const left = queue.push({ line: `${step.source}${step.known}`, at }, step);
        if (left !== undefined) ok(inside.delete(left.at));
      }
      strictEqual(queue.length, inside.size);
      ok(queue.length <= limit);
    }
    deepStrictEqual(new Set(queue.clear().map(({ at }) => at)), inside);
  }));
});
