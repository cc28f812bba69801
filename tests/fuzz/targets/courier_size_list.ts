/** The reader of Courier's list, against its rules written once more in the plainest way. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CourierSizeList } from "../../../src/moving/courier_size_list.ts";
import { OldLineSplitter } from "../../../src/moving/old_lines.ts";
import { OldListFault } from "../../../src/moving/old_ids.ts";
import type { FuzzTarget } from "../target.ts";
import { tableOf } from "./dovecot_uidlist.ts";

const NAMES = ["1700000000.M1P1.host,S=10", "a", "b c", "+'\xe9"];

export const courierSizeList: FuzzTarget = {
  name: "courier_size_list",
  executions: 4_000,
  attempt(input) {
    const list = new CourierSizeList(tableOf(NAMES));
    const splitter = new OldLineSplitter((line) => list.take(line));
    let isRefused = false;
    try {
      splitter.push(Buffer.from(input));
    } catch (error) {
      assert.ok(error instanceof OldListFault, String(error));
      isRefused = true;
    }
    const plain = plainList(Buffer.from(input).toString("latin1"));
    assert.equal(isRefused, plain === "refused");
    if (plain === "refused") return;
    assert.deepEqual(list.ids, NAMES.map((name) => plain.get(name)));
    const order = [...plain.keys()].filter((name) => NAMES.includes(name));
    assert.deepEqual(list.order, order.map((name) => NAMES.indexOf(name)));
  },
};

/** Ids by name, in the order of lines. */
function plainList(text: string): Map<string, string> | "refused" {
  const found = new Map<string, string>();
  const lines = text.split("\n").slice(0, -1);
  const hasHeader = lines[0]?.startsWith("/") === true && !lines[0].includes("\0");
  if (hasHeader && !/^\/[123] [0-9]{1,20}( [0-9]{1,20})?$/.test(lines[0]!)) return "refused";
  for (const line of hasHeader ? lines.slice(1) : lines) {
    if (line.includes("\0")) continue;
    const fields = line.split(" ");
    const id = hasHeader ? fields.pop() ?? "" : "0";
    const size = fields.pop() ?? "";
    const file = fields.join(" ");
    const name = file.split(":")[0]!;
    if (!/^[0-9]{1,20}$/.test(size) || !/^[0-9]{1,20}(:[0-9]{1,20}){0,2}$/.test(id)) continue;
    if (name === "" || name.length > 255 || file.includes("/") || found.has(name)) continue;
    const [number = "", mark = "0"] = id.split(":").map((digits) => digits.replace(/^0+(?=.)/, ""));
    found.set(
      name,
      number === "0" ? escaped(name) : mark === "0" ? `UID${number}` : `UID${number}-${mark}`,
    );
  }
  return found;
}

function escaped(name: string): string {
  return [...name].map((octet) => {
    const code = octet.charCodeAt(0);
    const isPlain = code >= 0x21 && code <= 0x7e && !`'"+`.includes(octet);
    return isPlain ? octet : `+${(code + 256).toString(16).slice(1).toUpperCase()}`;
  }).join("");
}
