import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { MessageTable } from "../../../src/maildir/message_table.ts";
import { DovecotUidlist } from "../../../src/moving/dovecot_uidlist.ts";
import { OldListFault } from "../../../src/moving/old_ids.ts";
import { presentTable } from "./present_table.ts";

const NAMES = ["1.M1P1.h,S=10,W=11", "2.M2P1.h", "3.M3P1.h", "4.M4P1.h"];

function read(lines: readonly (string | undefined)[], table: MessageTable = presentTable(NAMES)) {
  const list = new DovecotUidlist(table);
  for (const line of lines) list.take(line === undefined ? line : Buffer.from(line, "latin1"));
  return list;
}

test("a list of version 3 tells UIDs, kept unique-ids, orders and GUIDs, of present messages alone", () => {
  const list = read([
    "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1",
    "1 :1.M1P1.h,S=10,W=11:2,S",
    "7 W2481 P4f2a.7 O12 Gaaaa :2.M2P1.h",
    "9 P :3.M3P1.h",
    "11 :5.gone",
  ]);
  assert.equal(list.uidValidity, 1_275_660_208);
  assert.deepEqual([...list.uids], [1, 7, 9, 0]);
  assert.deepEqual([...list.pop3Ids], [[1, "4f2a.7"], [2, ""]]);
  assert.deepEqual([...list.pop3Orders], [[1, 12]]);
  assert.deepEqual([...list.guids], [[1, "aaaa"]]);
  assert.deepEqual(list.rowsInOrder(), [1, 0, 2], "who has an order comes before all others");
  assert.deepEqual(list.remarks, []);
});

test("a list of version 1 tells UIDs", () => {
  const list = read(["1 1234 9", "1 2.M2P1.h:2,S", "3 1.M1P1.h,S=10,W=11"]);
  assert.equal(list.uidValidity, 1234);
  assert.deepEqual([...list.uids], [3, 1, 0, 0]);
});

test("of a name that comes twice the last UID counts, without what the first line said besides", () => {
  const list = read(["3 V5 N9", "1 P7 O3 :2.M2P1.h", "4 :2.M2P1.h:2,S"]);
  assert.deepEqual([...list.uids], [0, 4, 0, 0]);
  assert.equal(list.pop3Ids.size + list.pop3Orders.size, 0);
  assert.match(list.remarks.join(), /1 line of it with a file/);
});

test("lines out of order are taken as they stand, and told", () => {
  const list = read(["3 V5 N9", "4 :1.M1P1.h,S=10,W=11", "2 :2.M2P1.h", "4 :3.M3P1.h"]);
  assert.deepEqual([...list.uids], [4, 2, 4, 0]);
  assert.match(list.remarks.join(), /2 lines of it out of the order of UIDs/);
});

const DAMAGED = [
  "",
  "x",
  "5",
  "5 ",
  "0 :2.M2P1.h",
  "4294967295 :2.M2P1.h",
  "99999999999 :2.M2P1.h",
  "-5 :2.M2P1.h",
  "5 :",
  "5 2.M2P1.h",
  "5 :../2.M2P1.h",
  "5 :new/2.M2P1.h",
  "5 :::2.M2P1.h",
  `5 :${"n".repeat(256)}`,
  undefined,
];

for (const line of DAMAGED) {
  test(`a line of a dovecot-uidlist is left out and counted: ${line?.slice(0, 30)}`, () => {
    const list = read(["3 V5 N9", line, "6 :3.M3P1.h"]);
    assert.deepEqual([...list.uids], [0, 0, 6, 0]);
    assert.match(list.remarks.join(), /1 line of it left out/);
  });
}

for (const header of ["", "2 5 9", "3 N9", "3 V0 N9", "4 V5 N9", "3 Vx", "1 0 9", undefined]) {
  test(`a list that begins with "${header}" is none of Dovecot's`, () => {
    assert.throws(() => read([header]), OldListFault);
  });
}
