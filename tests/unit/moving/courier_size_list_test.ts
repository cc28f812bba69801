import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { CourierSizeList } from "../../../src/moving/courier_size_list.ts";
import { OldListFault } from "../../../src/moving/old_ids.ts";
import { presentTable } from "./present_table.ts";

const NAMES = ["1.M1P1.h,S=10", "2.M2'+\"\xe9 P1.h", "3.M3P1.h"];

function read(...lines: readonly (string | undefined)[]) {
  const list = new CourierSizeList(presentTable(NAMES));
  for (const line of lines) list.take(line === undefined ? line : Buffer.from(line, "latin1"));
  return list;
}

test("a list of version 3 tells unique-ids in its order, of present messages alone", () => {
  const list = read(
    "/3 4 1700000000",
    "3.M3P1.h:2,S 69 2:200:0",
    "1.M1P1.h,S=10:2,S 12 1:0:1",
    "5.gone:2, 1 3:200:0",
  );
  assert.deepEqual(list.ids, ["UID1", undefined, "UID2-200"]);
  assert.deepEqual(list.order, [2, 0]);
  assert.deepEqual(list.remarks, []);
});

test("lists of versions 2 and 1 tell unique-ids", () => {
  assert.deepEqual(read("/2 4 200", "3.M3P1.h:2,S 69 2:200").ids[2], "UID2-200");
  assert.deepEqual(read("/1 4", "3.M3P1.h:2,S 69 007").ids[2], "UID7");
  assert.deepEqual(
    read("/3 4 200", "3.M3P1.h 69 18446744073709551615:1:0").ids[2],
    "UID18446744073709551615-1",
  );
});

test("where there is no number the file's name stands, with what is not plain as +XX", () => {
  const [name] = [NAMES[1]!];
  for (
    const lines of [[`${name}:2,S 69`, "3.M3P1.h 9"], [
      "/3 4 200",
      `${name}:2,S 69 0:0:0`,
      "3.M3P1.h 9 0:0:0",
    ]]
  ) {
    const list = read(...lines);
    assert.deepEqual(list.ids, [undefined, "2.M2+27+2B+22+E9+20P1.h", "3.M3P1.h"]);
  }
});

test("of a name that comes twice the first line counts", () => {
  const list = read("/3 4 200", "3.M3P1.h 69 2:200:0", "3.M3P1.h:2,S 69 3:200:0");
  assert.deepEqual(list.ids, [undefined, undefined, "UID2-200"]);
  assert.deepEqual(list.order, [2]);
  assert.match(list.remarks.join(), /1 line of it with a file/);
});

for (
  const line of [
    "",
    "3.M3P1.h",
    "3.M3P1.h 69",
    "3.M3P1.h 69 2:",
    "3.M3P1.h 69 -2:1:0",
    "3.M3P1.h x 2:1:0",
    " 69 2:1:0",
    ":2,S 69 2:1:0",
    "../3.M3P1.h 69 2:1:0",
    `${"n".repeat(256)} 69 2:1:0`,
    "3.M3P1.h 69 111111111111111111111:1:0",
    undefined,
  ]
) {
  test(`a line of a courierpop3dsizelist is left out and counted: ${line?.slice(0, 30)}`, () => {
    const list = read("/3 4 200", line, "1.M1P1.h,S=10 69 2:200:0");
    assert.deepEqual(list.ids, ["UID2-200", undefined, undefined]);
    assert.match(list.remarks.join(), /1 line of it left out/);
  });
}

for (const header of ["/", "/4 1 1", "/3", "/x 1 1", "/3 -1 1"]) {
  test(`a list that begins with "${header}" is none of a version that is known`, () => {
    assert.throws(() => read(header), OldListFault);
  });
}
