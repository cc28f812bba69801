import { ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { nextTimeOfDay } from "../../../src/cli/daily/time_of_day.ts";

function at(...parts: [number, number, number, number, number]): number {
  return new Date(...parts).getTime();
}

test("the time comes today or, if it has passed, tomorrow; never now", () => {
  strictEqual(nextTimeOfDay("03:00", at(2026, 10, 23, 2, 59)), at(2026, 10, 23, 3, 0));
  strictEqual(nextTimeOfDay("03:00", at(2026, 10, 23, 3, 0)), at(2026, 10, 24, 3, 0));
  strictEqual(nextTimeOfDay("03:00", at(2026, 10, 23, 17, 0)), at(2026, 10, 24, 3, 0));
  strictEqual(nextTimeOfDay("23:59", at(2026, 11, 31, 23, 59)), at(2027, 0, 1, 23, 59));
});

test("each day has one, in whatever zone this is, also where the clock changes", () => {
  let nowMs = at(2026, 0, 1, 12, 0);
  for (let days = 0; days < 366; days++) {
    const nextMs = nextTimeOfDay("02:30", nowMs);
    ok(nextMs > nowMs && nextMs - nowMs <= 26 * 3_600_000, new Date(nowMs).toISOString());
    nowMs = nextMs;
  }
});
