import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { Entry } from "../../../src/maildir/entry.ts";
import { MessageTable } from "../../../src/maildir/message_table.ts";
import { linesFor } from "../../../src/maildir/newcomers.ts";
import { UniqueIdLines } from "../../../src/maildir/unique_id_lines.ts";
import { UniqueIdList } from "../../../src/maildir/unique_id_list.ts";

function apply(list: UniqueIdList, line: string): boolean {
  return list.apply(Buffer.from(line, "latin1"));
}

function listOf(...lines: string[]): UniqueIdList {
  const list = new UniqueIdList();
  for (const line of lines) ok(apply(list, line), line);
  return list;
}

function find({ table }: UniqueIdList, uniqueName: string): Entry | undefined {
  const row = table.findText(uniqueName);
  return row < 0 ? undefined : new Entry(table, row);
}

test("a message line gives its message an id, sizes and a carried-over id", () => {
  const { table } = listOf("+ 7 20 22 old-id%251 a%25b");
  const row = table.findText("a%b");
  strictEqual(table.idOf(row), 7);
  strictEqual(table.storedOf(row), 20);
  strictEqual(table.exactOf(row), 22);
  strictEqual(table.carriedOf(row), "old-id%1");
});

test("the next id is above every id of every kind of line and not below next", () => {
  strictEqual(listOf("+ 7 1 - - a").next, 8);
  strictEqual(listOf("next 90", "+ 7 1 - - a").next, 90);
  strictEqual(listOf("+ 7 1 - - a", "- 30").next, 31);
  strictEqual(listOf("+ 7 1 - - a", "= 31 1 -").next, 32);
  strictEqual(listOf("+ 7 1 - - a", "? 32 1").next, 33);
});

test("the counter is never below the clock in microseconds", () => {
  strictEqual(listOf("next 5").firstFreeId(2), 2000);
  strictEqual(listOf("next 5000").firstFreeId(2), 5000);
});

test("of two messages with one id the first has it", () => {
  const list = listOf("+ 7 1 - - a", "+ 7 1 - - b");
  strictEqual(find(list, "a")?.id, 7);
  strictEqual(find(list, "b"), undefined);
});

test("an id below an earlier one is void, and the counter stays above both", () => {
  const list = listOf("+ 9 1 - - a", "+ 7 1 - - b");
  strictEqual(find(list, "b"), undefined);
  strictEqual(list.next, 10);
});

test("of two ids for one message the first counts", () => {
  strictEqual(find(listOf("+ 7 1 - - a", "+ 8 1 - - a"), "a")?.id, 7);
});

test("a name that comes back after its message was removed gets its new id", () => {
  strictEqual(find(listOf("+ 7 1 - - a", "- 7", "+ 8 1 - - a"), "a")?.id, 8);
});

test("later sizes replace earlier ones", () => {
  const entry = find(listOf("+ 7 20 - - a", "+ 8 1 - - b", "= 7 20 21"), "a");
  strictEqual(entry?.exactOctets, 21);
});

const BAD = [
  "",
  "+",
  "+ 7 1 - a",
  "+ 7 1 - - a b",
  "+ x 1 - - a",
  "+ 7 -1 - - a",
  "+ 7 1 x - a",
  "+ 7 1 - - ",
  "+ 7 1 - %0D%0A a",
  `+ 7 1 - ${"x".repeat(71)} a`,
  "+ 7 1 - - a/b",
  "+ 7 1 - - .a",
  "+ 7 1 - - a%2",
  "+ 7 1 - - a%zz",
  "+ 7 1 - - %2E%2E",
  "+ 99999999999999999999 1 - - a",
  "= 7 1",
  "- ",
  "? 7",
  "next",
  "next 1 2",
  "something else",
  "\0\0\0\0",
];
for (const line of BAD) {
  test(`${JSON.stringify(line)} is no line of the format`, () => {
    strictEqual(apply(new UniqueIdList(), line), false);
  });
}

test("any name and any carried id come back as they were written", () => {
  const octets = fc.string({
    unit: fc.integer({ min: 1, max: 255 }).map((c) => String.fromCharCode(c)),
  });
  const name = octets.filter((s) => s !== "" && !s.includes("/") && !s.startsWith("."));
  const carriedId = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((c) => String.fromCharCode(c)),
    minLength: 1,
    maxLength: 70,
  });
  fc.assert(
    fc.property(
      name,
      fc.option(carriedId, { nil: undefined }),
      fc.nat(),
      (uniqueName, carried, size) => {
        const written = new MessageTable();
        written.findText(uniqueName);
        const lines = new UniqueIdLines();
        lines.addNewMessage(written, written.add(), {
          id: 5,
          storedOctets: size,
          exactOctets: undefined,
          carried,
        });
        const line = lines.octets.toString("latin1");
        ok(/^[^\n]*\n$/.test(line));
        const { table } = listOf(line.slice(0, -1));
        const row = table.findText(uniqueName);
        strictEqual(table.idOf(row), 5);
        strictEqual(table.storedOf(row), size);
        strictEqual(table.exactOf(row), undefined);
        strictEqual(table.carriedOf(row), carried);
        strictEqual(table.uniqueNameOf(row), uniqueName);
      },
    ),
  );
});

/** All that a list says. */
function contents({ table, next, spareLines }: UniqueIdList) {
  const rows = Array.from({ length: table.count }, (_, row) => ({
    id: table.idOf(row),
    name: table.uniqueNameOf(row),
    stored: table.storedOf(row),
    exact: table.exactOf(row),
    removed: table.isRemoved(row),
    found: table.findText(table.uniqueNameOf(row)),
  }));
  return { rows, next, spareLines };
}

test("who wrote lines for newcomers knows what a reader of them does", async () => {
  const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "%", "-", "e\xe9"));
  const before = ["+ 3 1 2 - a", "+ 4 1 - - b", "- 3", "+ 9 1 - - c", "next 20"];
  await fc.assert(
    fc.asyncProperty(names, fc.subarray(before), async (names, known) => {
      const newcomers = new MessageTable();
      for (const [size, name] of names.entries()) {
        newcomers.findText(name);
        const row = newcomers.add();
        newcomers.setStored(row, size);
        newcomers.setExact(row, size % 2 === 0 ? size + 1 : undefined);
      }
      const rows = Uint32Array.from(names.keys()).reverse();
      const [writer, reader] = [listOf(...known), listOf(...known)];
      const lines = linesFor(writer, newcomers, rows);
      for await (const piece of lines) {
        for (const line of piece.toString("latin1").trimEnd().split("\n")) {
          ok(apply(reader, line), line);
        }
      }
      await lines.putInto(writer);
      deepStrictEqual(contents(writer), contents(reader));
      strictEqual(writer.table.count, reader.table.count);
    }),
  );
});

test("whatever lines are applied, ids rise, names are found once, and next is above all", () => {
  const line = fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom("a", "b", "c", "d"))
      .map(([id, name]) => `+ ${id} 1 - - ${name}`),
    fc.integer({ min: 1, max: 40 }).map((id) => `- ${id}`),
    fc.integer({ min: 1, max: 40 }).map((id) => `next ${id}`),
    fc.string(),
  );
  fc.assert(fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
    const list = new UniqueIdList();
    for (const each of lines) apply(list, each);
    const { table } = list;
    const ids = Array.from({ length: table.count }, (_, row) => table.idOf(row));
    deepStrictEqual(ids, [...new Set(ids)].sort((a, b) => a - b));
    ok(ids.every((id) => id < list.next));
    for (const name of ["a", "b", "c", "d"]) {
      const found = find(list, name);
      ok(found === undefined || found.uniqueName === name && ids[found.row] === found.id);
    }
  }));
});
