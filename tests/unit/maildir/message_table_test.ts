import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { type FolderName, MessageTable } from "../../../src/maildir/message_table.ts";

function addTo(table: MessageTable, uniqueName: string): number {
  table.findText(uniqueName);
  return table.add();
}

const octet = fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code));
const uniqueName = fc.oneof(
  fc.constantFrom("a", "ab", "abc", "abcd", "abcde", "b", "x".repeat(254), "x".repeat(255)),
  fc.string({ unit: octet, minLength: 1, maxLength: 255 }),
);
const size = fc.oneof(
  fc.nat(),
  fc.constantFrom(0, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, 2 ** 40),
);

/** What a test does to a table and to a plain map of objects. */
type Step =
  | { do: "add"; name: string; size: number }
  | { do: "exact"; at: number; size: number | undefined }
  | { do: "place"; at: number; folder: FolderName; info: string }
  | { do: "miss" | "nowhere" | "remove" | "seen" | "fit" | "missing"; at: number };

const at = fc.nat({ max: 100 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("add" as const), name: uniqueName, size }) },
  fc.record({ do: fc.constant("exact" as const), at, size: fc.option(size, { nil: undefined }) }),
  fc.record({
    do: fc.constant("place" as const),
    at,
    folder: fc.constantFrom<FolderName>("new", "cur"),
    info: fc.oneof(
      fc.constantFrom("", ":2,", ":2,S", ":2,RS"),
      // More than there are numbers for.
      fc.nat({ max: 600 }).map((n) => `:2,${n}`),
    ),
  }),
  fc.record({
    do: fc.constantFrom(
      "miss" as const,
      "nowhere" as const,
      "remove" as const,
      "seen" as const,
      "fit" as const,
      "missing" as const,
    ),
    at,
  }),
);

interface Plain {
  name: string;
  stored: number;
  exact: number | undefined;
  folder: FolderName | undefined;
  info: string;
  removed: boolean;
  misses: number;
  seen: boolean;
  missingSinceS: number | undefined;
}

function take(step: Step, table: MessageTable, plain: Plain[]): void {
  if (step.do === "add") {
    const row = addTo(table, step.name);
    strictEqual(row, plain.length);
    table.setStored(row, step.size);
    plain.push({
      name: step.name,
      stored: step.size,
      exact: undefined,
      folder: undefined,
      info: "",
      removed: false,
      misses: 0,
      seen: false,
      missingSinceS: undefined,
    });
    return;
  }
  if (plain.length === 0) return;
  const row = step.at % plain.length;
  const one = plain[row]!;
  switch (step.do) {
    case "exact":
      table.setExact(row, step.size);
      one.exact = step.size;
      return;
    case "place":
      table.setPlace(row, step.folder, step.info);
      one.folder = step.folder;
      one.info = step.info;
      return;
    case "nowhere":
      table.setNowhere(row);
      one.folder = undefined;
      return;
    case "miss":
      table.addMiss(row);
      one.misses = Math.min(one.misses + 1, 3);
      return;
    case "remove":
      table.setRemoved(row);
      one.removed = true;
      return;
    case "seen":
      table.setSeen(row);
      one.seen = true;
      return;
    case "missing":
      table.setMissingSince(row, step.at);
      one.missingSinceS = step.at;
      return;
    case "fit":
      return table.fit();
  }
}

test("a table says of every row what a plain object would, whatever is done to it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
      const table = new MessageTable();
      const plain: Plain[] = [];
      for (const each of steps) take(each, table, plain);
      const found = plain.map((_, row): Plain => ({
        name: table.uniqueNameOf(row),
        stored: table.storedOf(row),
        exact: table.exactOf(row),
        folder: table.folderOf(row),
        info: table.fileNameOf(row).slice(table.uniqueNameOf(row).length),
        removed: table.isRemoved(row),
        misses: table.missesOf(row),
        seen: table.isSeen(row),
        missingSinceS: table.missingSinceOf(row),
      }));
      deepStrictEqual(found, plain);
      // Of two rows of one name the later has it.
      const rows = new Map(plain.map(({ name }, row) => [name, row]));
      for (const [name, row] of rows) strictEqual(table.findText(name), row);
      strictEqual(table.findText("in no row"), -1);
      strictEqual(table.findText("y".repeat(300)), -1);
    }),
    { numRuns: 100 },
  );
});

test("thousands of names are found, through all growth", () => {
  const table = new MessageTable();
  const other = new MessageTable();
  for (let n = 0; n < 20_000; n++) {
    table.setId(addTo(table, `${1_700_000_000 + n}.M${n}P1.host`), n * 2);
    if (n === 10_000) table.fit();
  }
  for (let n = 0; n < 20_000; n++) {
    strictEqual(table.findText(`${1_700_000_000 + n}.M${n}P1.host`), n);
    strictEqual(table.findId(n * 2), n);
    strictEqual(table.findId(n * 2 + 1), -1);
  }
  strictEqual(other.findNameOf(table, 5), -1);
  addTo(other, "something else");
  strictEqual(addTo(other, table.uniqueNameOf(5)), 1);
  strictEqual(other.findNameOf(table, 5), 1);
  strictEqual(other.findNameOf(table, 6), -1);
});

test("room that was made beforehand keeps what is there", () => {
  const table = new MessageTable();
  table.setStored(addTo(table, "first"), 1);
  table.reserve(5_000);
  for (let n = 0; n < 5_000; n++) table.setStored(addTo(table, `n${n}`), n);
  strictEqual(table.storedOf(table.findText("first")), 1);
  strictEqual(table.storedOf(table.findText("n4999")), 4_999);
});

test("room that is made in turns keeps what is there, and is enough", async () => {
  const table = new MessageTable();
  for (let n = 0; n < 3_000; n++) table.setStored(addTo(table, `n${n}`), n);
  // Of two rows of one name the later has it.
  addTo(table, "n7");
  for (let rows = 3_001; rows <= 100_000; rows *= 3) {
    await table.makeRoom(rows);
    ok(table.freeRows >= rows - table.count, `${table.freeRows} of ${rows}`);
    for (let n = 0; n < 3_000; n++) strictEqual(table.findText(`n${n}`), n === 7 ? 3_000 : n);
  }
});

test("a file's name is written as it is told, octet by octet", () => {
  const table = new MessageTable();
  const row = addTo(table, "17.caf\u00e9");
  table.setPlace(row, "cur", ":2,S\u00ff");
  const target = Buffer.alloc(64);
  strictEqual(table.writeFileName(row, target, 2), 14);
  strictEqual(target.toString("latin1", 2, 14), "17.caf\u00e9:2,S\u00ff");
  strictEqual(table.fileNameOf(row), "17.caf\u00e9:2,S\u00ff");
});

test("a hundred thousand ordinary messages take under 80 octets each", () => {
  const table = new MessageTable();
  for (let n = 0; n < 100_000; n++) {
    const row = addTo(table, `${1_700_000_000 + n}.V801I4fe7eM${100_000 + n}.mx1.bench.example`);
    table.setPlace(row, "cur", ":2,S");
    table.setStored(row, 2_048);
  }
  table.fit();
  ok(table.octets / table.count < 80, `${table.octets / table.count} octets`);
});
