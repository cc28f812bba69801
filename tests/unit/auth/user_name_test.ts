import { ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { faultOfUserName } from "../../../src/auth/user_name.ts";
import { USER_NAME_OCTETS } from "../../../src/limits.ts";

test("ordinary names, addresses and names in any script can be users'", () => {
  for (const name of ["alice", "alice@example.org", "Bob.Builder+tag", "jürgen", "山田", "a b"]) {
    strictEqual(faultOfUserName(name), undefined, name);
  }
});

test("a name that would break the user file or leave its folder cannot be a user's", () => {
  for (
    const name of ["", "a:b", "a\nb", "a\rb", "a\0b", "a\tb", "\x7f", "a\u0085b", "a\u2028b"]
      .concat(["a/b", "/", "..", ".hidden", "#alice", " alice", "alice ", "a\ufffdb"])
  ) ok(faultOfUserName(name) !== undefined, JSON.stringify(name));
});

test("the length of a name is counted in octets", () => {
  strictEqual(faultOfUserName("é".repeat(USER_NAME_OCTETS / 2)), undefined);
  ok(faultOfUserName("é".repeat(USER_NAME_OCTETS / 2) + "e") !== undefined);
});
