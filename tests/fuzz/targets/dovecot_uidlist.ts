/**
 * The reader of Dovecot's list, against its rules written once more in the plainest way, in pieces of any size; and
 * whatever is in it, an old unique-id that comes of it can be shown.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { MessageTable } from "../../../src/maildir/message_table.ts";
import { staged } from "../../../src/maildir/name_blocks.ts";
import { parseUniqueId } from "../../../src/maildrop/unique_id.ts";
import { DovecotUidlist } from "../../../src/moving/dovecot_uidlist.ts";
import { OldLineSplitter } from "../../../src/moving/old_lines.ts";
import { OldListFault } from "../../../src/moving/old_ids.ts";
import { shownId } from "../../../src/moving/shown_ids.ts";
import type { FuzzTarget } from "../target.ts";

const NAMES = ["1700000000.M1P1.host,S=10", "1700000004.M9P1.host", "a", "b c"];

export const dovecotUidlist: FuzzTarget = {
  name: "dovecot_uidlist",
  executions: 4_000,
  attempt(input) {
    const list = new DovecotUidlist(tableOf(NAMES));
    const splitter = new OldLineSplitter((line) => list.take(line));
    const octets = Buffer.from(input);
    const pieceOctets = 1 + (octets[0] ?? 0) % 40;
    let isRefused = false;
    try {
      for (let at = 0; at < octets.length; at += pieceOctets) {
        splitter.push(octets.subarray(at, at + pieceOctets));
      }
    } catch (error) {
      assert.ok(error instanceof OldListFault, String(error));
      isRefused = true;
    }
    const plain = plainList(octets.toString("latin1"));
    assert.equal(isRefused, plain === "refused");
    if (plain === "refused") return;
    assert.deepEqual(
      NAMES.map((_, row) => list.uids[row]),
      NAMES.map((name) => plain.get(name)?.uid ?? 0),
    );
    for (const [row, name] of NAMES.entries()) {
      const kept = list.pop3Ids.get(row);
      assert.equal(
        kept,
        plain.get(name)?.fields.findLast((field) => field.startsWith("P"))?.slice(1),
      );
      if (kept !== undefined && kept !== "") {
        assert.ok(parseUniqueId(shownId(kept).shown) !== undefined, "an id that cannot be shown");
      }
    }
    const order = list.rowsInOrder();
    assert.deepEqual([...order].sort(), NAMES.flatMap((name, row) => plain.has(name) ? [row] : []));
  },
};

interface PlainMessage {
  readonly uid: number;
  readonly fields: readonly string[];
}

function plainList(text: string): Map<string, PlainMessage> | "refused" {
  const found = new Map<string, PlainMessage>();
  const [header, ...lines] = text.split("\n").slice(0, -1);
  if (header === undefined) return found;
  const [version, first = "", ...more] = header.includes("\0") ? [] : header.split(" ");
  const validity = version === "1"
    ? first
    : version === "3"
    ? [first, ...more].find((field) => field.startsWith("V"))?.slice(1)
    : undefined;
  if (!/^[0-9]{1,10}$/.test(validity ?? "")) return "refused";
  if (Number(validity) < 1 || Number(validity) > 0xffff_ffff) return "refused";
  for (const line of lines) {
    const [, uid, rest = ""] = /^([0-9]{1,10}) +([^\0]*)$/.exec(line) ?? [];
    if (uid === undefined || Number(uid) < 1 || Number(uid) >= 0xffff_ffff) continue;
    // Fields end at the first " :"; where the line begins with ":" there are none.
    const end = rest.startsWith(":") ? 0 : rest.indexOf(" :") + 1;
    if (version === "3" && rest[end] !== ":") continue;
    const [before, file] = version === "1" ? ["", rest] : [rest.slice(0, end), rest.slice(end + 1)];
    if (file.includes("/")) continue;
    const name = file.split(":")[0]!;
    if (name === "" || name.length > 255) continue;
    found.set(name, { uid: Number(uid), fields: before.split(" ") });
  }
  return found;
}

export function tableOf(names: readonly string[]): MessageTable {
  const table = new MessageTable();
  for (const name of names) {
    staged.putText(name);
    table.find();
    table.add();
  }
  return table;
}
