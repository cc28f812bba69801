import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { isUserTemplate, readPrincipal, userOf } from "../../../src/auth/gssapi/principal.ts";

const read = (text: string, separators: readonly string[] = []) =>
  readPrincipal(new TextEncoder().encode(text), separators);

const USERS: readonly (readonly [text: string, name: string, realm: string])[] = [
  ["alice@EXAMPLE.ORG", "alice", "EXAMPLE.ORG"],
  ["Alice.B-c_d@EXAMPLE.ORG", "Alice.B-c_d", "EXAMPLE.ORG"],
  ["a@X", "a", "X"],
  ["WS01$@AD.EXAMPLE.ORG", "WS01$", "AD.EXAMPLE.ORG"],
  ["j\u00f6rg@EXAMPLE.ORG", "j\u00f6rg", "EXAMPLE.ORG"],
];

for (const [text, name, realm] of USERS) {
  test(`"${text}" is a user`, () => deepStrictEqual(read(text), { name, realm }));
}

const NOBODIES: readonly (readonly [text: string, why: string])[] = [
  ["alice/admin@EXAMPLE.ORG", "it has an instance"],
  ["host/mail.example.org@EXAMPLE.ORG", "it is a service"],
  ["WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS", "it is anonymous"],
  ["alice\\/admin@EXAMPLE.ORG", "a slash of its name is escaped"],
  ["alice\\@example.org@EXAMPLE.ORG", "an @ of its name is escaped"],
  ["alice\\0@EXAMPLE.ORG", "it has a NUL in it, as the library writes one"],
  ["alice\0@EXAMPLE.ORG", "it has a NUL in it"],
  ["alice\\n@EXAMPLE.ORG", "it has a line feed in it, as the library writes one"],
  ["alice\n@EXAMPLE.ORG", "it has a line feed in it"],
  ["al ice@EXAMPLE.ORG", "it has a blank in it"],
  ["al\u200bice@EXAMPLE.ORG", "it has a character in it that is not seen"],
  ["al\u202eice@EXAMPLE.ORG", "it turns the direction of writing"],
  ["alice*admin@EXAMPLE.ORG", "it names a master user"],
  ["alice+Work@EXAMPLE.ORG", "it names a folder"],
  ["EXAMPLE\\bob@EXAMPLE.ORG", "it names a domain"],
  ["alice%example.org@EXAMPLE.ORG", "it has a sign that templates know"],
  ["alice:0@EXAMPLE.ORG", "it has what parts the fields of a user file"],
  ["{name}@EXAMPLE.ORG", "it has braces"],
  [".alice@EXAMPLE.ORG", "it begins with a dot"],
  ["..@EXAMPLE.ORG", "it is made of dots"],
  ["@EXAMPLE.ORG", "it has no name"],
  ["alice@", "it has no realm"],
  ["alice", "it has no realm at all"],
  ["", "it is empty"],
  ["alice@EXAMPLE.ORG@EXAMPLE.ORG", "it has two @"],
  ["alice@../etc", "its realm is a path"],
  ["alice@EXAMPLE ORG", "its realm has a blank in it"],
  [`${"a".repeat(320)}@EXAMPLE.ORG`, "it is too long"],
];

for (const [text, why] of NOBODIES) {
  test(`${JSON.stringify(text.slice(0, 50))} is nobody: ${why}`, () => {
    strictEqual(read(text), undefined);
  });
}

test("octets that are no UTF-8 are nobody", () => {
  const octets = Uint8Array.of(0x61, 0xff, 0x40, 0x58);
  strictEqual(readPrincipal(octets), undefined);
});

test("a name with what parts names here is nobody's", () => {
  deepStrictEqual(read("alice-x@X", ["", "+"]), { name: "alice-x", realm: "X" });
  strictEqual(read("alice-x@X", ["+", "-"]), undefined);
});

test("a realm may have in it what parts names", () => {
  deepStrictEqual(read("alice@A-B.ORG", ["-", "."]), { name: "alice", realm: "A-B.ORG" });
});

test("a template gives the user's name", () => {
  const principal = { name: "alice", realm: "EXAMPLE.ORG" };
  strictEqual(userOf(principal, "{name}"), "alice");
  strictEqual(userOf(principal, "{name}@{realm}"), "alice@EXAMPLE.ORG");
  strictEqual(userOf(principal, "{name}@example.com"), "alice@example.com");
});

test("what is put into a template is not looked at again", () => {
  strictEqual(userOf({ name: "$&$1", realm: "X" }, "{name}@{realm}"), "$&$1@X");
  strictEqual(userOf({ name: "{realm}", realm: "X" }, "{name}"), "{realm}");
});

test("a template without {name}, or with other braces, is none", () => {
  for (const template of ["{name}", "{name}@{realm}", "x-{name}"]) {
    strictEqual(isUserTemplate(template), true, template);
  }
  for (const template of ["", "alice", "{realm}", "{name}{host}", "{name}}", "{Name}"]) {
    strictEqual(isUserTemplate(template), false, template);
  }
});
