/** Which names a client may send, and what each says. */

import { deepStrictEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type LoginNames,
  type NameRules,
  PLAIN_NAMES,
  readLoginNames,
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
    deepStrictEqual(readLoginNames(name, "", PLAIN_NAMES), { login: [name] });
  }
});

test("a name without a domain is looked for in the default domain first", () => {
  const rules = { ...PLAIN_NAMES, defaultDomain: "example.com" };
  deepStrictEqual(readLoginNames("alice", "", rules), { login: ["alice@example.com", "alice"] });
  deepStrictEqual(readLoginNames("alice@other.org", "", rules), { login: ["alice@other.org"] });
});

const FORMS: readonly (readonly [sent: string, LoginNames])[] = [
  ["alice+Work", { login: ["alice"], folder: "Work" }],
  ["alice+Work@example.com", { login: ["alice@example.com"], folder: "Work" }],
  ["alice+a+b@example.com", { login: ["alice@example.com"], folder: "a+b" }],
  ["+Work", { login: ["+Work"] }],
  ["alice+", { login: ["alice+"] }],
  ["alice+@example.com", { login: ["alice+@example.com"] }],
  ["alice*admin", { login: ["admin"], mailbox: ["alice"] }],
  ["alice*b*admin", { login: ["admin"], mailbox: ["alice*b"] }],
  ["alice+Work*admin", { login: ["admin"], mailbox: ["alice"], folder: "Work" }],
  ["alice@example.com*admin@example.com", {
    login: ["admin@example.com"],
    mailbox: ["alice@example.com"],
  }],
  ["EXAMPLE/bob/alice", { login: ["bob"], mailbox: ["alice"] }],
  ["example\\bob\\alice", { login: ["bob"], mailbox: ["alice"] }],
  ["/bob/alice", { login: ["bob"], mailbox: ["alice"] }],
  ["sales.example/bob/alice", { login: ["bob@sales.example"], mailbox: ["alice"] }],
  ["EXAMPLE/bob@example.com/alice+Work", {
    login: ["bob@example.com"],
    mailbox: ["alice"],
    folder: "Work",
  }],
  ["EXAMPLE\\bob", { login: ["bob"] }],
  ["sales.example\\bob", { login: ["bob@sales.example"] }],
  ["EXAMPLE/bob", { login: ["EXAMPLE/bob"] }],
  ["EXAMPLE/bob\\alice", { login: ["EXAMPLE/bob\\alice"] }],
];

for (const [sent, names] of FORMS) {
  test(`what ${sent} says`, () => deepStrictEqual(read(sent), names));
}

test("an authorization identity says whose mailbox it is, and its folder", () => {
  deepStrictEqual(read("admin", "alice"), { login: ["admin"], mailbox: ["alice"] });
  deepStrictEqual(read("admin", "alice+Work"), {
    login: ["admin"],
    mailbox: ["alice"],
    folder: "Work",
  });
  deepStrictEqual(read("alice", "alice"), { login: ["alice"] });
  deepStrictEqual(read("alice+Work", "alice+Work"), { login: ["alice"], folder: "Work" });
  deepStrictEqual(read("alice*admin", "alice"), { login: ["admin"], mailbox: ["alice"] });
});

test("names that say two things say nothing", () => {
  for (
    const [user, actAs] of [
      ["alice*admin", "bob"],
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
    for (const one of [...names?.login ?? [], ...names?.mailbox ?? []]) {
      ok(one !== "");
      const bare = one.replace(/@.*$/s, "");
      ok((user + " " + actAs).includes(bare), `${one} of ${user} as ${actAs}`);
    }
    ok(names?.folder !== "");
  }));
});
