import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { PasswordMemory } from "../../../src/auth/password_memory.ts";

const octets = (text: string) => new TextEncoder().encode(text);

function memory(keepMs: number, maxEntries?: number) {
  const clock = { nowMs: 0 };
  const options = { keepMs, nowMs: () => clock.nowMs };
  return { clock, kept: new PasswordMemory(maxEntries ? { ...options, maxEntries } : options) };
}

test("what was remembered is recalled until its time is over, and a use does not prolong it", () => {
  const { clock, kept } = memory(1_000);
  const digest = kept.digest("alice", "hash", octets("secret"));
  ok(!kept.recalls("alice", digest));
  kept.remember("alice", digest);
  for (clock.nowMs = 0; clock.nowMs < 1_000; clock.nowMs += 333) ok(kept.recalls("alice", digest));
  clock.nowMs = 1_000;
  ok(!kept.recalls("alice", digest));
});

test("another user, stored hash or password is not recalled", () => {
  const { kept } = memory(1_000);
  kept.remember("alice", kept.digest("alice", "hash", octets("secret")));
  ok(!kept.recalls("alice", kept.digest("alice", "hash", octets("Secret"))));
  ok(!kept.recalls("alice", kept.digest("alice", "hash2", octets("secret"))));
  ok(!kept.recalls("bob", kept.digest("alice", "hash", octets("secret"))));
});

test("parts that run together into the same octets have different digests", () => {
  const { kept } = memory(1_000);
  const digest = (user: string, stored: string, password: string) =>
    kept.digest(user, stored, octets(password)).join();
  const all = [digest("a", "bc", "d"), digest("ab", "c", "d"), digest("a", "b", "cd")];
  strictEqual(new Set(all).size, all.length);
});

test("two memories have different keys", () => {
  const [first, second] = [memory(1).kept, memory(1).kept];
  const digest = (kept: PasswordMemory) => kept.digest("alice", "hash", octets("secret")).join();
  ok(digest(first) !== digest(second));
});

test("with no time to keep nothing is kept", () => {
  const { kept } = memory(0);
  const digest = kept.digest("alice", "hash", octets("secret"));
  kept.remember("alice", digest);
  ok(!kept.recalls("alice", digest));
  strictEqual(kept.size, 0);
});

test("beyond the limit the oldest are forgotten", () => {
  const { kept } = memory(1_000, 2);
  const digest = kept.digest("", "", octets("secret"));
  for (const user of ["a", "b", "a", "c"]) kept.remember(user, digest);
  deepStrictEqual(["a", "b", "c"].filter((user) => kept.recalls(user, digest)), ["a", "c"]);
});

test("what has ended makes room without waiting to be asked for", () => {
  const { clock, kept } = memory(1_000);
  const digest = kept.digest("", "", octets("secret"));
  for (let user = 0; user < 100; user++) kept.remember(`${user}`, digest);
  clock.nowMs = 1_000;
  kept.remember("late", digest);
  strictEqual(kept.size, 1);
});
