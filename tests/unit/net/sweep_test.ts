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

/** A limit of 50 ms begins between two ticks, behind a standstill of `standstillMs`. */
async function limitIsKept(standstillMs: number): Promise<void> {
  const sweep = new Sweep(20);
  const limitMs = 50;
  await new Promise<void>((resolve, reject) => {
    let since: { swept: number; exact: number } | undefined;
    const swept: Swept = {
      sweep() {
        if (since === undefined || !sweep.hasPassed(since.swept, limitMs)) return;
        sweep.delete(swept);
        const passedMs = performance.now() - since.exact;
        if (passedMs >= limitMs) resolve();
        else reject(new Error(`${limitMs} ms were taken for passed after ${passedMs} ms`));
      },
    };
    sweep.add(swept);
    setTimeout(() => {
      const untilMs = performance.now() + standstillMs;
      while (performance.now() < untilMs);
      since = { swept: sweep.nowMs, exact: performance.now() };
    }, 33);
  });
}

test("a limit is never taken for passed too early", async () => {
  await limitIsKept(0);
});

test("a standstill of the program is no inactivity of its clients", async () => {
  await limitIsKept(200);
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
