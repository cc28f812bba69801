/** Which names a client may send, and what each says. */

import { deepStrictEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type LoginNames,
  type NameRules,
  PLAIN_NAMES,
  readLoginNames,
  readProvedNames,
} from "../../../src/auth/login_names.ts";

const ALL: NameRules = {
  defaultDomain: "example.com",
  folderSeparator: "+",
  masterUserSeparator: "*",
  delegates: true,
  ntlmDomain: "EXAMPLE",
};

/** With all rules but the default domain, so that a name stands for itself alone. */
const read = (user: string, actAs = "") =>
  readLoginNames(user, actAs, { ...ALL, defaultDomain: "" });

test("without rules a name is itself, whatever is in it", () => {
  for (const name of ["alice", "a+b@example.com", "alice*admin", "d/u/m", "d\\u\\m", "+", "*"]) {
    deepStrictEqual(readLoginNames(name, "", PLAIN_NAMES), { login: name });
  }
});

test("a name without a domain is one of the default domain, and of no other", () => {
  const rules = { ...PLAIN_NAMES, defaultDomain: "Example.com" };
  deepStrictEqual(readLoginNames("alice", "", rules), { login: "alice@example.com" });
  deepStrictEqual(readLoginNames("alice@other.org", "", rules), { login: "alice@other.org" });
  deepStrictEqual(readLoginNames("alice@", "", rules), { login: "alice@" });
  deepStrictEqual(readProvedNames("alice", "", rules), { login: "alice@example.com" });
});

test("names come out in lower case, and folders as they were spelt", () => {
  deepStrictEqual(read("ALICE@Example.COM"), { login: "alice@example.com" });
  deepStrictEqual(read("Ünal"), { login: "ünal" });
  deepStrictEqual(read("Alice+Work@Example.com"), { login: "alice@example.com", folder: "Work" });
  deepStrictEqual(read("Alice+Work*Admin"), { login: "admin", mailbox: "alice", folder: "Work" });
  deepStrictEqual(readProvedNames("Alice", "Bob+Work", ALL), {
    login: "alice@example.com",
    mailbox: "bob@example.com",
    folder: "Work",
  });
});

test("who acts as himself is himself, however both names are spelt", () => {
  for (const actAs of ["alice", "ALICE", "Alice@example.com"]) {
    deepStrictEqual(readLoginNames("aLice", actAs, ALL), { login: "alice@example.com" });
    deepStrictEqual(readProvedNames("aLice", actAs, ALL), { login: "alice@example.com" });
  }
  deepStrictEqual(read("Alice+Work", "alice+Work"), { login: "alice", folder: "Work" });
  deepStrictEqual(read("Alice*admin", "ALICE"), { login: "admin", mailbox: "alice" });
});

const FORMS: readonly (readonly [sent: string, LoginNames])[] = [
  ["alice+Work", { login: "alice", folder: "Work" }],
  ["alice+Work@example.com", { login: "alice@example.com", folder: "Work" }],
  ["alice+a+b@example.com", { login: "alice@example.com", folder: "a+b" }],
  ["+Work", { login: "+work" }],
  ["alice+", { login: "alice+" }],
  ["alice+@example.com", { login: "alice+@example.com" }],
  ["alice*admin", { login: "admin", mailbox: "alice" }],
  ["alice*b*admin", { login: "admin", mailbox: "alice*b" }],
  ["alice+Work*admin", { login: "admin", mailbox: "alice", folder: "Work" }],
  ["alice@example.com*admin@example.com", {
    login: "admin@example.com",
    mailbox: "alice@example.com",
  }],
  ["EXAMPLE/bob/alice", { login: "bob", mailbox: "alice" }],
  ["example\\bob\\alice", { login: "bob", mailbox: "alice" }],
  ["/bob/alice", { login: "bob", mailbox: "alice" }],
  ["sales.example/bob/alice", { login: "bob@sales.example", mailbox: "alice" }],
  ["EXAMPLE/bob@example.com/alice+Work", {
    login: "bob@example.com",
    mailbox: "alice",
    folder: "Work",
  }],
  ["EXAMPLE\\bob", { login: "bob" }],
  ["sales.example\\bob", { login: "bob@sales.example" }],
  ["EXAMPLE/bob", { login: "example/bob" }],
  ["EXAMPLE/bob\\alice", { login: "example/bob\\alice" }],
];

for (const [sent, names] of FORMS) {
  test(`what ${sent} says`, () => deepStrictEqual(read(sent), names));
}

test("an authorization identity says whose mailbox it is, and its folder", () => {
  deepStrictEqual(read("admin", "alice"), { login: "admin", mailbox: "alice" });
  deepStrictEqual(read("admin", "alice+Work"), {
    login: "admin",
    mailbox: "alice",
    folder: "Work",
  });
  deepStrictEqual(read("alice", "alice"), { login: "alice" });
  deepStrictEqual(read("alice+Work", "alice+Work"), { login: "alice", folder: "Work" });
  deepStrictEqual(read("alice*admin", "alice"), { login: "admin", mailbox: "alice" });
});

test("names that say two things say nothing", () => {
  for (
    const [user, actAs] of [
      ["alice*admin", "bob"],
      ["alice+Work", "alice+work"],
      ["alice+Work", "alice"],
      ["EXAMPLE/bob/alice", "carol"],
      ["bob+Work", "alice"],
      ["*admin", ""],
      ["alice*", ""],
    ] as const
  ) deepStrictEqual(read(user, actAs), undefined, `${user} as ${actAs}`);
});

test("whatever is sent, no name that comes out is empty, and none was made up", () => {
  const part = fc.constantFrom("alice", "bob", "@example.com", "+", "*", "/", "\\", "EXAMPLE", "");
  const name = fc.array(part, { maxLength: 7 }).map((parts) => parts.join(""));
  fc.assert(fc.property(name.filter((sent) => sent !== ""), name, (user, actAs) => {
    const names = readLoginNames(user, actAs, ALL);
    for (const one of [names?.login ?? [], names?.mailbox ?? []].flat()) {
      ok(one !== "");
      const bare = one.replace(/@.*$/s, "");
      ok(`${user} ${actAs}`.toLowerCase().includes(bare), `${one} of ${user} as ${actAs}`);
    }
    ok(names?.folder !== "");
  }));
});
