/**
 * The reader of the sidecar, against its rules written once more in the plainest way; and what it writes of
 * what it has read is read as the same.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { UniqueIdLines } from "../../../src/maildir/unique_id_lines.ts";
import { UniqueIdList } from "../../../src/maildir/unique_id_list.ts";
import { PlainUniqueIdList } from "../plain_unique_id_list.ts";
import type { FuzzTarget } from "../target.ts";

export const uniqueIdList: FuzzTarget = {
  name: "unique_id_list",
  executions: 6_000,
  attempt(input) {
    const list = new UniqueIdList();
    const plain = new PlainUniqueIdList();
    // What follows the last LF never happened.
    for (const line of Buffer.from(input).toString("latin1").split("\n").slice(0, -1)) {
      const taken = list.apply(Buffer.from(line, "latin1"));
      assert.equal(taken, plain.apply(line), `"${line}" is ${taken ? "" : "not "}taken`);
    }
    assert.deepEqual(rowsOf(list), plain.rows);
    assert.equal(list.next, plain.next);
    assert.deepEqual(rowsOf(readAgain(list)), plain.rows);
    assert.equal(readAgain(list).next, plain.next);
  },
};

function rowsOf({ table }: UniqueIdList) {
  return Array.from({ length: table.count }, (_, row) => ({
    id: table.idOf(row),
    storedOctets: table.storedOf(row),
    exactOctets: table.exactOf(row),
    carried: table.carriedOf(row),
    name: table.uniqueNameOf(row),
    removed: table.isRemoved(row),
    missingSinceS: table.missingSinceOf(row),
  }));
}

/** What is written of a list, read. */
function readAgain(list: UniqueIdList): UniqueIdList {
  const { table } = list;
  const lines = new UniqueIdLines();
  lines.addNext(list.next);
  for (let row = 0; row < table.count; row++) {
    lines.addMessage(table, row);
    if (table.isRemoved(row)) lines.addRemoved(table.idOf(row));
    const sinceS = table.missingSinceOf(row);
    if (sinceS !== undefined) lines.addMissing(table.idOf(row), sinceS);
  }
  const again = new UniqueIdList();
  const { octets } = lines;
  for (let from = 0, end; (end = octets.indexOf(10, from)) >= 0; from = end + 1) {
    assert.ok(again.apply(octets.subarray(from, end)), "a line of our own is not taken");
  }
  return again;
}
