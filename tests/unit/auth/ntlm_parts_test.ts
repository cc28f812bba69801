/** Target info, names in messages and the names that directories are asked for. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { decodeName, upperCase } from "../../../src/auth/ntlm/names.ts";
import { namesToAsk } from "../../../src/auth/ntlm/names_to_ask.ts";
import { encodeTargetInfo, holdsAll, parseTargetInfo } from "../../../src/auth/ntlm/target_info.ts";
import { USER_NAME_OCTETS } from "../../../src/limits.ts";

const hex = (digits: string) => Buffer.from(digits.replaceAll(" ", ""), "hex");

test("target info is read up to its end, and comes back as it was", () => {
  const pairs = new Map([[2, hex("4400")], [7, hex("0102030405060708")], [9, hex("")]]);
  const octets = encodeTargetInfo(pairs);
  for (const behind of ["", "00000000", "ff"]) {
    const read = parseTargetInfo(Buffer.concat([octets, hex(behind)]));
    ok(read !== undefined && read.size === 3 && holdsAll(read, pairs) && holdsAll(pairs, read));
  }
});

test("target info without an end, cut off, with a long end or a pair twice is none", () => {
  const faults = [
    "",
    "0000",
    "000000",
    "0200 0200 4400",
    "0200 0300 4400 0000 0000",
    "0200 0400 0000",
  ]
    .concat(["0000 0100 00", "0200 0200 4400 0200 0200 4400 0000 0000", "0200 ffff 0000 0000"]);
  for (const digits of faults) strictEqual(parseTargetInfo(hex(digits)), undefined, digits);
});

test("a name in UNICODE has whole code units and characters, and no NUL", () => {
  for (const digits of ["6100 62", "61", "3dd8", "11dc 3dd8", "6100 0000"]) {
    strictEqual(decodeName(hex(digits), true), undefined, digits);
  }
  strictEqual(decodeName(hex("3dd8 11dd"), true)?.text, "🔑");
  strictEqual(decodeName(hex("6100"), false), undefined);
});

test("an OEM name is UTF-8 where it can be, and only its ASCII letters change case", () => {
  const name = decodeName(Buffer.from("日ab", "utf8"), false);
  deepStrictEqual(name, {
    text: "日ab",
    hashed: "\xe6\x97\xa5ab",
    hashedUpper: "\xe6\x97\xa5AB",
  });
  strictEqual(decodeName(hex("fc62"), false)?.text, "üb");
});

test("upper case is a matter of single code units, as it is to Windows", () => {
  strictEqual(upperCase("straße jürgen ﬁx"), "STRAßE JÜRGEN ﬁX");
});

test("names to ask follow from what was sent alone", () => {
  const own = ["EXAMPLE", "example.org"];
  const cases: [user: string, domain: string, plain: string, names: string[]][] = [
    ["alice", "", "alice", ["alice"]],
    ["alice", "EXAMPLE", "alice", ["alice"]],
    ["alice", "Example.ORG", "alice", ["alice"]],
    ["alice", "WORKSTATION", "alice", ["alice"]],
    ["alice", "B.org", "alice", ["alice@b.org", "alice"]],
    ["alice@b.org", "c.org", "alice@b.org", ["alice@b.org"]],
    ["alice@b.org", "", "alice@b.org", ["alice@b.org"]],
    ["b.org\\alice", "", "alice", ["alice@b.org", "alice"]],
    ["EXAMPLE\\alice", "", "alice", ["alice"]],
    ["EXAMPLE\\alice", "b.org", "EXAMPLE\\alice", ["EXAMPLE\\alice"]],
    ["EXAMPLE\\alice\\shared", "", "EXAMPLE\\alice\\shared", ["EXAMPLE\\alice\\shared"]],
    ["alice", "b..org", "alice", ["alice"]],
    ["alice", "b/c.org", "alice", ["alice"]],
    ["alice", ".", "alice", ["alice"]],
  ];
  for (const [user, domain, plain, names] of cases) {
    deepStrictEqual(namesToAsk({ user, domain }, own), { plain, names }, `${domain} ${user}`);
  }
  const long = "x".repeat(USER_NAME_OCTETS - 3);
  strictEqual(namesToAsk({ user: long, domain: "b.org" }, own).names.length, 1);
});
