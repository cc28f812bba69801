import { ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { displayWidth } from "../../../src/cli/display_width.ts";
import { alignedTable, type Column, tabSeparated } from "../../../src/cli/table.ts";

const COLUMNS: Column[] = [
  { title: "ID", align: "right" },
  { title: "FROM", shrinksTo: 6 },
  { title: "SUBJECT", shrinksTo: 8 },
];

test("columns are as wide as their widest cell", () => {
  const rows = [["1", "Alice", "Hello"], ["20", "\u6625\u306e\u6d77", "D\u00e9j\u00e0 vu"]];
  strictEqual(
    alignedTable(COLUMNS, rows, { width: 80, colour: false }),
    [
      "ID  FROM    SUBJECT",
      " 1  Alice   Hello",
      "20  \u6625\u306e\u6d77  D\u00e9j\u00e0 vu",
      "",
    ].join("\n"),
  );
});

test("on a narrow terminal the widest columns are cut first", () => {
  const rows = [["1", "Alice Penrose", "A subject that is longer than that"]];
  strictEqual(
    alignedTable(COLUMNS, rows, { width: 30, colour: false }).split("\n")[1],
    " 1  Alice Penro\u2026  A subject t\u2026",
  );
});

test("no line is wider than the terminal, however narrow", () => {
  const cell = fc.string({ unit: "grapheme" }).map((text) => text.replace(/\p{Cc}/gu, ""));
  const rows = fc.array(fc.tuple(cell, cell, cell));
  fc.assert(fc.property(rows, fc.integer({ min: 1, max: 120 }), (rows, width) => {
    const lines = alignedTable(COLUMNS, rows, { width, colour: false }).trimEnd().split("\n");
    for (const line of lines) ok(displayWidth(line) <= width, line);
  }));
});

test("titles are bold only where colour is allowed", () => {
  ok(alignedTable(COLUMNS, [], { width: 80, colour: true }).startsWith("\x1b[1mID"));
  ok(!alignedTable(COLUMNS, [], { width: 80, colour: false }).includes("\x1b"));
});

test("for programs a row is a line with a tab between cells", () => {
  strictEqual(tabSeparated([["a", "b c"], ["", "d"]]), "a\tb c\n\td\n");
  strictEqual(tabSeparated([]), "");
});
