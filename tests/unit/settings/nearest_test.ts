import { strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { editDistance, nearest } from "../../../src/settings/nearest.ts";

const KEYS = ["max_connections", "max_connections_per_user", "banner", "ssl_bindings", "maildir"];

test("a slip of the pen finds the word that was meant", () => {
  strictEqual(nearest("max_conections", KEYS), "max_connections");
  strictEqual(nearest("maxconnectionsperuser", KEYS), "max_connections_per_user");
  strictEqual(nearest("bannner", KEYS), "banner");
  strictEqual(nearest("bnaner", KEYS), "banner");
  strictEqual(nearest("ssl_binding", KEYS), "ssl_bindings");
});

test("Exchange's spelling finds ours", () => {
  strictEqual(nearest("MaxConnections", KEYS), "max_connections");
  strictEqual(nearest("SSLBindings", KEYS), "ssl_bindings");
});

test("a word that is like none finds none", () => {
  for (const word of ["", "x", "colour", "quota", "listen_address"]) {
    strictEqual(nearest(word, KEYS), undefined, word);
  }
});

test("distance counts letters left out, added, changed, and neighbours swapped", () => {
  strictEqual(editDistance("", "abc"), 3);
  strictEqual(editDistance("abc", "abc"), 0);
  strictEqual(editDistance("abc", "abd"), 1);
  strictEqual(editDistance("abc", "ac"), 1);
  strictEqual(editDistance("abc", "acb"), 1);
  strictEqual(editDistance("kitten", "sitting"), 3);
});

test("a word as long as a file costs no more than a long word", () => {
  strictEqual(nearest("b".repeat(1_000_000), KEYS), undefined);
});
