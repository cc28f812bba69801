/** The keys of logins: the same for the same, whether they are made anew or kept from the last time. */

import { deepStrictEqual, notStrictEqual, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { GuessingKeys } from "../../../src/auth/guessing/keys.ts";

test("keys that are kept are those that would be made", () => {
  const keys = new GuessingKeys();
  const [first, again] = [keys.of("192.0.2.1", "alice"), keys.of("192.0.2.1", "alice")];
  strictEqual(again, first, "kept");
  deepStrictEqual(new GuessingKeys(keys.text).of("192.0.2.1", "alice"), first);
  // More logins than are kept: the oldest is made anew.
  for (let at = 0; at < 5_000; at++) keys.of("192.0.2.1", `user${at}`);
  const later = keys.of("192.0.2.1", "alice");
  notStrictEqual(later, first);
  deepStrictEqual(later, first);
});

test("an address and a name are not taken for another address and name", () => {
  const keys = new GuessingKeys();
  const all = [["192.0.2.1", "alice"], ["192.0.2.1", "bob"], ["192.0.2.2", "alice"], [
    undefined,
    "192.0.2.1 alice",
  ]] as const;
  const pairs = all.map(([address, user]) => keys.of(address, user).pair);
  strictEqual(new Set(pairs).size, all.length);
});
