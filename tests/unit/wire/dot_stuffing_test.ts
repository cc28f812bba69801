/** Byte-stuffing: lines that begin with a dot, wherever the chunks are cut. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { DotStuffer, TERMINATOR } from "../../../src/wire/dot_stuffing.ts";

const CASES: readonly [string, string, string][] = [
  ["nothing", "", ""],
  ["no dot", "a\r\nb\r\n", "a\r\nb\r\n"],
  ["the first octet is a dot", ".a\r\n", "..a\r\n"],
  ["the message is a terminator", ".\r\n", "..\r\n"],
  ["the message is a dot and no more", ".", ".."],
  ["a line is a dot", "a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n"],
  ["two lines of dots", "..\r\n...\r\n", "...\r\n....\r\n"],
  ["three lines of one dot", ".\r\n.\r\n.\r\n", "..\r\n..\r\n..\r\n"],
  ["a dot inside a line", "a.\r\nb.c\r\n", "a.\r\nb.c\r\n"],
  ["a dot behind a lone CR", "a\r.b\r\n", "a\r.b\r\n"],
  ["a dot at the very end", "a\r\n.", "a\r\n.."],
];

for (const [what, plain, stuffed] of CASES) {
  test(`stuffing when ${what}: whole`, () => {
    const octets = new DotStuffer().push(Buffer.from(plain));
    assert.equal(Buffer.from(octets).toString(), stuffed);
  });

  test(`stuffing when ${what}: byte by byte`, () => {
    const stuffer = new DotStuffer();
    const pieces = [...plain].map((octet) => new Uint8Array(stuffer.push(Buffer.from(octet))));
    assert.equal(Buffer.concat(pieces).toString(), stuffed);
  });
}

test("a chunk in which nothing is stuffed is not copied", () => {
  const chunk = Buffer.from("Subject: .\r\n\r\na.b\r\n");
  assert.equal(new DotStuffer().push(chunk), chunk);
});

test("stuffing does not change the octets it was given", () => {
  const chunk = Buffer.from(".\r\n.\r\n");
  new DotStuffer().push(chunk);
  assert.equal(chunk.toString(), ".\r\n.\r\n");
});

test("the terminator is a dot and CRLF", () => {
  assert.equal(Buffer.from(TERMINATOR).toString(), ".\r\n");
});
