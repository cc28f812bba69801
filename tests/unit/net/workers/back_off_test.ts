import assert from "node:assert/strict";
import { test } from "node:test";
import { BackOff } from "../../../../src/net/workers/back_off.ts";

test("each wait is twice the one before, up to ten seconds", () => {
  const backOff = new BackOff();
  const waits = Array.from({ length: 9 }, () => backOff.after(59_999));
  assert.deepEqual(waits, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
});

test("who ran for a minute is started again as soon as at first", () => {
  const backOff = new BackOff();
  for (let at = 0; at < 9; at++) backOff.after(0);
  assert.equal(backOff.after(60_000), 100);
  assert.equal(backOff.after(0), 200);
});
