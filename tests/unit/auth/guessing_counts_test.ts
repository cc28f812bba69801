import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { MemoryCounts } from "../../../src/auth/guessing/counts.ts";
import { KnownLogins } from "../../../src/auth/guessing/known_logins.ts";
import { DAY_MS, HOUR_MS, withClock } from "./guessing_setup.ts";

test("a count is kept from its first one on, and then begins anew", () =>
  withClock(async (clock) => {
    const counts = new MemoryCounts({ keepMs: HOUR_MS, maxKeys: 10 });
    strictEqual(await counts.add("a"), 1);
    clock.nowMs += HOUR_MS - 1;
    strictEqual(await counts.add("a"), 2);
    strictEqual(await counts.read("a"), 2);
    clock.nowMs += 1;
    strictEqual(await counts.read("a"), 0);
    strictEqual(await counts.add("a"), 1);
    strictEqual(await counts.read("b"), 0);
  }));

test("what is taken away is never more than there is", () =>
  withClock(async () => {
    const counts = new MemoryCounts({ keepMs: HOUR_MS, maxKeys: 10 });
    await counts.take("a", 1);
    strictEqual(await counts.add("a"), 1);
    strictEqual(await counts.add("a"), 2);
    await counts.take("a", 1);
    strictEqual(await counts.read("a"), 1);
    await counts.take("a", 5);
    strictEqual(await counts.add("a"), 1);
  }));

test("beyond the bound the key that was least lately added to is forgotten", () =>
  withClock(async () => {
    const counts = new MemoryCounts({ keepMs: HOUR_MS, maxKeys: 3 });
    for (const key of ["a", "b", "c", "a", "d"]) await counts.add(key);
    deepStrictEqual(
      await Promise.all(["a", "b", "c", "d"].map((key) => counts.read(key))),
      [2, 0, 1, 1],
    );
    strictEqual(counts.dump().length, 3);
  }));

test("what is taken back from a dump is what it was, in the same order", () =>
  withClock(async (clock) => {
    const options = { keepMs: HOUR_MS, maxKeys: 3 };
    const before = new MemoryCounts(options);
    for (const key of ["a", "b", "c", "a"]) await before.add(key);
    clock.nowMs += HOUR_MS / 2;
    const after = new MemoryCounts(options);
    await after.restore(before.dump());
    deepStrictEqual(after.dump(), before.dump());
    await after.add("d");
    strictEqual(await after.read("b"), 0, "the oldest went first");
    strictEqual(await after.read("a"), 2);
    clock.nowMs += HOUR_MS / 2;
    strictEqual(await after.read("a"), 0, "as long as it would have been");
  }));

test("what has ended, or ends later than it can, is not taken back", () =>
  withClock(async (clock) => {
    const counts = new MemoryCounts({ keepMs: HOUR_MS, maxKeys: 10 });
    await counts.restore([
      ["past", 5, clock.nowMs],
      ["now", 5, clock.nowMs + HOUR_MS],
      ["future", 5, clock.nowMs + HOUR_MS + 2],
    ]);
    deepStrictEqual(counts.dump().map(([key]) => key), ["now"]);
  }));

test("more than the bound is not taken back", () =>
  withClock(async (clock) => {
    const counts = new MemoryCounts({ keepMs: HOUR_MS, maxKeys: 2 });
    await counts.restore(["a", "b", "c"].map((key) => [key, 1, clock.nowMs + 1_000]));
    deepStrictEqual(counts.dump().map(([key]) => key), ["b", "c"]);
  }));

test("a login is known for its time, and one a day is news", () =>
  withClock((clock) => {
    const logins = new KnownLogins({ keepMs: 30 * DAY_MS, maxPairs: 10 });
    strictEqual(logins.has("a"), false);
    strictEqual(logins.note("a"), true);
    clock.nowMs += DAY_MS - 1;
    strictEqual(logins.note("a"), false);
    clock.nowMs += 1;
    strictEqual(logins.note("a"), true);
    clock.nowMs += 30 * DAY_MS - 1;
    strictEqual(logins.has("a"), true);
    clock.nowMs += 1;
    strictEqual(logins.has("a"), false);
    deepStrictEqual(logins.dump(), []);
  }));

test("after the clock was set back a login is noted anew", () =>
  withClock((clock) => {
    const logins = new KnownLogins({ keepMs: 30 * DAY_MS, maxPairs: 10 });
    logins.note("a");
    clock.nowMs -= DAY_MS;
    strictEqual(logins.note("a"), true);
    ok(logins.has("a"));
    deepStrictEqual(logins.dump(), [["a", clock.nowMs]]);
  }));

test("of known logins the least lately noted is forgotten, also of those taken back", () =>
  withClock((clock) => {
    const logins = new KnownLogins({ keepMs: 30 * DAY_MS, maxPairs: 2 });
    logins.restore([
      ["old", clock.nowMs - 30 * DAY_MS],
      ["a", clock.nowMs - 3],
      ["b", clock.nowMs - 2],
      ["c", clock.nowMs - 1],
      ["future", clock.nowMs + 1],
    ]);
    deepStrictEqual(logins.dump().map(([pair]) => pair), ["b", "c"]);
    clock.nowMs += DAY_MS;
    logins.note("b");
    logins.note("d");
    deepStrictEqual(logins.dump().map(([pair]) => pair), ["b", "d"]);
  }));
