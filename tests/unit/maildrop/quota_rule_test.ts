/** Dovecot's quota rules: each means what Dovecot 2.3 takes it for, or is a fault. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isRuleFault, parseFieldSize, parseQuotaRule } from "../../../src/maildrop/quota_rule.ts";
import { testProperty } from "../../support/property.ts";

/** Octets and messages of all mail. */
const LIMITS: readonly (readonly [rule: string, octets: number, messages: number])[] = [
  ["*:storage=1G:messages=1000", 2 ** 30, 1_000],
  ["*:storage=1024", 1_048_576, 0],
  ["*:storage=100B", 100, 0],
  ["*:storage=100b", 100, 0],
  ["*:storage=2k", 2_048, 0],
  ["*:storage=3M", 3 * 2 ** 20, 0],
  ["*:storage=1T", 2 ** 40, 0],
  ["*:storage=1GB", 2 ** 30, 0],
  ["*:storage=1GiB", 2 ** 30, 0],
  ["*:bytes=1000", 1_000, 0],
  ["*:bytes=1K", 1_024, 0],
  ["*:messages=5", 0, 5],
  ["*:messages=5k", 0, 5_120],
  ["?:bytes=7", 7, 0],
  ["*:storage=0", 0, 0],
  ["*:ignore", 0, 0],
  ["*:backend=1000000S,1000C", 1_000_000, 1_000],
  ["*:bytes=1125899906842624", 2 ** 50, 0],
  ["*:backend=1125899906842624S", 2 ** 50, 0],
  ["*:backend=NOQUOTA", 0, 0],
  // The last one counts, as in Dovecot.
  ["*:bytes=7:storage=1", 1_024, 0],
];

for (const [rule, octets, messages] of LIMITS) {
  test(`a quota rule of all mail: ${rule}`, () => {
    deepStrictEqual(parseQuotaRule(rule), { kind: "limits", limits: { octets, messages } });
  });
}

test("rules of folders say how much more may come there", () => {
  deepStrictEqual(parseQuotaRule("Trash:ignore"), { kind: "ignored", mask: "Trash" });
  const part = (value: number) => ({ value, isPercentage: true });
  const more = (value: number) => ({ value, isPercentage: false });
  const rules: readonly (readonly [string, unknown, unknown])[] = [
    ["Sent:storage=+100M", more(100 * 2 ** 20), undefined],
    ["Sent:storage=100M", more(100 * 2 ** 20), undefined],
    ["Sent:storage=-1k:messages=+5", more(-1_024), more(5)],
    ["Sent:storage=+10%", part(10), undefined],
    ["Sent:messages=-50%", undefined, part(-50)],
  ];
  for (const [rule, octets, messages] of rules) {
    deepStrictEqual(parseQuotaRule(rule), { kind: "folder", mask: "Sent", octets, messages }, rule);
  }
});

for (
  const rule of [
    "",
    ":",
    "*",
    "*:",
    "storage=1G",
    ":storage=1G",
    "*:storage",
    "*:storage=",
    "*:storage=lots",
    "*:storage=1.5G",
    "*:storage=1X",
    "*:storage=1G5",
    "*:storage=+1G",
    "*:storage=-1G",
    "*:storage=10%",
    "*:size=1G",
    "*:storage=1G:",
    "*:storage=1G messages=5",
    "*:storage=9999999999999999",
    "*:storage=999999999999999T",
    "*:backend=lots",
    "Trash:backend=5S",
    "Trash:ignored",
    `*:storage=1G${" ".repeat(1_000)}`,
  ]
) {
  test(`no quota rule: ${JSON.stringify(rule).slice(0, 40)}`, () => {
    ok(isRuleFault(parseQuotaRule(rule)));
  });
}

test("sizes of Dovecot 2.4's fields are read", () => {
  strictEqual(parseFieldSize("1000"), 1_000);
  strictEqual(parseFieldSize("1G"), 2 ** 30);
  strictEqual(parseFieldSize("unlimited"), 0);
  for (const bad of ["", "+5", "-5", "5%", "5 G", "1e3"]) {
    strictEqual(parseFieldSize(bad), undefined);
  }
});

testProperty(
  "a rule of any text is one that has whole numbers, or a fault in words",
  fc.property(
    fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom("*", ":", "storage=", "messages=", "1", "9", "G", "%", "+", "-"))
        .map((parts) => parts.join("")),
    ),
    (text) => {
      const rule = parseQuotaRule(text);
      if (isRuleFault(rule)) return ok(rule.fault !== "");
      const numbers = rule.kind === "limits"
        ? [rule.limits.octets, rule.limits.messages]
        : rule.kind === "folder"
        ? [rule.octets?.value ?? 0, rule.messages?.value ?? 0]
        : [];
      ok(numbers.every(Number.isSafeInteger), JSON.stringify(rule));
      if (rule.kind === "limits") ok(numbers.every((number) => number >= 0));
    },
  ),
);
