import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Sweep, type Swept, tickFor } from "../../../src/net/sweep.ts";

test("what is added is called until it is deleted", async () => {
  const sweep = new Sweep(10);
  const calls: number[] = [];
  await new Promise<void>((resolve) => {
    const swept: Swept = {
      sweep() {
        calls.push(sweep.nowMs);
        if (calls.length < 3) return;
        sweep.delete(swept);
        resolve();
      },
    };
    sweep.add(swept);
  });
  await sleep(50);
  assert.equal(calls.length, 3);
  assert.ok(calls[0]! < calls[1]! && calls[1]! < calls[2]!, "the clock goes on");
});

test("a limit is never taken for passed too early", async () => {
  const sweep = new Sweep(20);
  const limitMs = 50;
  await new Promise<void>((resolve) => {
    let since: { swept: number; exact: number } | undefined;
    const swept: Swept = {
      sweep() {
        if (since === undefined || !sweep.hasPassed(since.swept, limitMs)) return;
        assert.ok(performance.now() - since.exact >= limitMs);
        sweep.delete(swept);
        resolve();
      },
    };
    sweep.add(swept);
    // Between two ticks, when the sweep's clock is behind.
    setTimeout(() => since = { swept: sweep.nowMs, exact: performance.now() }, 33);
  });
});

test("without anything to look at the clock is right, though no timer runs", async () => {
  const sweep = new Sweep(1_000);
  await sleep(5);
  assert.ok(performance.now() - sweep.nowMs < 1_000);
  assert.ok(sweep.nowMs > 0);
});

test("short limits are looked at more often, and none more than four times a second", () => {
  assert.equal(tickFor([1_800_000, 60_000]), 1_000);
  assert.equal(tickFor([4_000, 60_000]), 500);
  assert.equal(tickFor([1_000]), 250);
});
