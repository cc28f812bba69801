import { ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { displayWidth, fit, truncate } from "../../../src/cli/display_width.ts";

test("wide characters take two columns, combining marks none", () => {
  const widths: [string, number][] = [
    ["", 0],
    ["plain", 5],
    ["D\u00e9j\u00e0", 4],
    ["De\u0301ja\u0300", 4],
    ["\u6625\u306e\u6d77", 6],
    ["\uc548\ub155", 4],
    ["\uff21\uff22", 4],
    ["\uff76\uff85", 2],
    ["\u{1f345}", 2],
    ["\u{1f469}\u200d\u{1f33e}", 2],
    ["\u2764\ufe0f", 2],
    ["\u2764", 1],
    ["\u{1f1e8}\u{1f1ed}", 2],
    ["\u2026", 1],
    ["\u042f\u0431\u043b", 3],
    ["a\u200db", 2],
  ];
  for (const [text, columns] of widths) strictEqual(displayWidth(text), columns, text);
});

test("what does not fit is cut with an ellipsis, never through a character", () => {
  strictEqual(truncate("abcdef", 6), "abcdef");
  strictEqual(truncate("abcdef", 5), "abcd\u2026");
  strictEqual(truncate("\u6625\u306e\u6d77", 5), "\u6625\u306e\u2026");
  strictEqual(truncate("\u6625\u306e\u6d77", 4), "\u6625\u2026");
  strictEqual(truncate("e\u0301e\u0301e\u0301", 2), "e\u0301\u2026");
  strictEqual(truncate("abc", 1), "\u2026");
  strictEqual(truncate("abc", 0), "");
});

test("a cell is exactly as wide as asked, left or right", () => {
  strictEqual(fit("ab", 4), "ab  ");
  strictEqual(fit("ab", 4, "right"), "  ab");
  strictEqual(fit("\u6625\u306e\u6d77", 4), "\u6625\u2026 ");
});

test("any text fits any width", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.nat({ max: 40 }), (text, columns) => {
    const visible = text.replace(/\p{Cc}/gu, "");
    strictEqual(displayWidth(fit(visible, columns)), columns);
    ok(displayWidth(truncate(visible, columns)) <= columns);
  }));
});
