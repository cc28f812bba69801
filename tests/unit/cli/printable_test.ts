import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { printable, printableJson } from "../../../src/cli/printable.ts";

/** All that a terminal might obey, or that would hide or turn around what stands beside it. */
const DANGEROUS = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

const anyText = fc.string({
  unit: fc.oneof(
    fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code)),
    fc.constantFrom("\x1b", "\x9b", "\x07", "\n", "\u202e", "a", "\u{1f345}"),
  ),
});

test("ordinary text stays as it is, in any script", () => {
  const text = "D\u00e9j\u00e0 vu \u2013 \u6625\u306e\u6d77 \u05e9\u05dc\u05d5\u05dd \u{1f345}";
  strictEqual(printable(text), text);
});

test("a sequence that steers a terminal is disarmed", () => {
  strictEqual(printable("a\x1b[2Jb\x9b1mc\x07"), "a\ufffd[2Jb\ufffd1mc\ufffd");
  strictEqual(printable("x\u202eexe.txt"), "x\ufffdexe.txt");
});

test("line ends and tabs become one space, so that a row stays a row", () => {
  strictEqual(printable("a\r\n\tb\tc\n"), "a b c");
});

test("nothing dangerous is left of any text", () => {
  fc.assert(fc.property(anyText, (text) => ok(!DANGEROUS.test(printable(text)))));
});

test("JSON reads back as it was and holds nothing dangerous", () => {
  fc.assert(fc.property(anyText, anyText, (key, text) => {
    const value = [{ [key]: text }];
    const json = printableJson(value);
    deepStrictEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)));
    ok(!DANGEROUS.test(json.replaceAll("\n", "")));
  }));
});
