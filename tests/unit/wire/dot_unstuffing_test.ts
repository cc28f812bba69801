/** A message off the wire: doubled dots and the one sequence that ends it, wherever the chunks are cut. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { DotUnstuffing } from "../../../src/wire/dot_unstuffing.ts";

/** What is sent, the message, and what stands behind its end; no end has come where that is undefined. */
const CASES: readonly [sent: string, message: string, rest?: string][] = [
  [".\r\n", "", ""],
  ["a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n"],
  ["..\r\n.\r\n", ".\r\n", ""],
  ["..\r\n..\r\n...\r\n.\r\n", ".\r\n.\r\n..\r\n", ""],
  ["\r\n.\r\n", "\r\n", ""],
  ["\r\n\r\n.\r\n.\r\n", "\r\n\r\n", ".\r\n"],
  ["..", "."],
  ["..\r\n.", ".\r\n"],
  ["a\n.\n.\r\nb\r\n.\r\n", "a\n.\n.\r\nb\r\n", ""],
  ["a\n..b\r..c\r\n.\r\n", "a\n..b\r..c\r\n", ""],
  ["a\r\n.b\r\n.\rc\r\n.\r\r\n.\r\n", "a\r\n.b\r\n.\rc\r\n.\r\r\n", ""],
  ["a\r\r\n..\r\n.\r\n", "a\r\r\n.\r\n", ""],
  ["a..b\r\n.\r\n", "a..b\r\n", ""],
  ["a\r\n.\n\r\n.\r\n", "a\r\n.\n\r\n", ""],
];

function read(sent: string, pieceOctets: number): { message: string; rest?: string } {
  const dots = new DotUnstuffing();
  const all = Buffer.from(sent);
  let message = "";
  for (let at = 0; at < all.length; at += pieceOctets) {
    const { octets, rest } = dots.push(all.subarray(at, at + pieceOctets));
    message += Buffer.from(octets);
    if (rest === undefined) continue;
    return { message, rest: Buffer.from(rest) + String(all.subarray(at + pieceOctets)) };
  }
  return { message };
}

for (const [sent, message, rest] of CASES) {
  test(`${JSON.stringify(sent)} is ${JSON.stringify(message)}, in whatever pieces`, () => {
    const expected = rest === undefined ? { message } : { message, rest };
    for (let octets = 1; octets <= sent.length; octets++) {
      assert.deepEqual(read(sent, octets), expected, `in pieces of ${octets}`);
    }
  });
}

test("a chunk full of doubled dots comes back as one, and stays as it is", () => {
  const chunk = Buffer.from("..\r\n".repeat(16_384));
  const { octets } = new DotUnstuffing().push(chunk);
  assert.equal(String(Buffer.from(octets)), ".\r\n".repeat(16_384));
  assert.equal(String(chunk), "..\r\n".repeat(16_384));
});
