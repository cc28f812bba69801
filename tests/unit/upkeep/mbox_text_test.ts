/** Messages as text of an mbox: whoever takes one `>` away again has them as they were. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { mboxLine, MboxText } from "../../../src/upkeep/mbox_text.ts";
import { testProperty } from "../../support/property.ts";

function mboxOf(text: string, pieceOctets = Infinity): string {
  const octets = Buffer.from(text, "latin1");
  const mbox = new MboxText();
  let out = "";
  for (let at = 0; at < octets.length; at += pieceOctets) {
    const piece = octets.subarray(at, at + Math.min(pieceOctets, octets.length));
    out += Buffer.from(mbox.push(piece)).toString("latin1");
  }
  return out + Buffer.from(mbox.end()).toString("latin1");
}

const CASES: readonly (readonly [text: string, mbox: string])[] = [
  ["", "\n"],
  ["a\n", "a\n\n"],
  ["a", "a\n\n"],
  ["a\r\nb\r\n", "a\nb\n\n"],
  ["a\rb\r\r\n", "a\rb\r\n\n"],
  ["From x\n>From y\n>>>From z", ">From x\n>>From y\n>>>>From z\n\n"],
  ["x\nFrom", "x\nFrom\n\n"],
  ["x\nFrom: y\n", "x\nFrom: y\n\n"],
  ["x\nFroFrom y\n", "x\nFroFrom y\n\n"],
  ["x\r\nFrom y\r\n", "x\n>From y\n\n"],
  [">>", ">>\n\n"],
  [">>\n\n\n", ">>\n\n\n\n"],
  ["a\r", "a\r\n\n"],
];

for (const [text, mbox] of CASES) {
  test(`${JSON.stringify(text)} becomes ${JSON.stringify(mbox)}`, () => {
    for (const pieceOctets of [Infinity, 1, 2, 3]) strictEqual(mboxOf(text, pieceOctets), mbox);
  });
}

const part = fc.constantFrom(">", "F", "From ", "From", "\n", "\r\n", "\r", "x", " ");

testProperty(
  "no line of a message is taken for the beginning of another, and all can be had back",
  fc.property(
    fc.array(part, { maxLength: 40 }),
    fc.integer({ min: 1, max: 9 }),
    (parts, octets) => {
      const text = parts.join("");
      const mbox = mboxOf(text, octets);
      ok(!/^From /m.test(mbox.replaceAll("\r", "_")), JSON.stringify(mbox));
      const back = mbox.slice(0, -1).replace(/(^|\n)>(>*From )/g, "$1$2");
      const lines = text.replaceAll("\r\n", "\n");
      deepStrictEqual(back, lines === "" || lines.endsWith("\n") ? lines : `${lines}\n`);
    },
  ),
);

test("the line before a message has sender and date as all readers of mbox know them", () => {
  strictEqual(
    mboxLine("bounce@example.com", Date.UTC(2026, 6, 4, 8, 5, 9)),
    "From bounce@example.com Sat Jul  4 08:05:09 2026\n",
  );
  strictEqual(mboxLine("", 0), "From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n");
  strictEqual(mboxLine("a b\nFrom c", NaN), "From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n");
});
