/** The part of a message that TOP sends. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { TopCutter } from "../../../src/message/top.ts";

const MESSAGE = "Subject: a\r\nTo: b\r\n\r\n1\r\n\r\n3\r\n4\r\n";
const HEADER = "Subject: a\r\nTo: b\r\n\r\n";

const CASES: readonly [string, string, number, string, boolean][] = [
  ["0 lines are header and blank line", MESSAGE, 0, HEADER, true],
  ["1 line", MESSAGE, 1, `${HEADER}1\r\n`, true],
  ["a blank line of the body is a line", MESSAGE, 2, `${HEADER}1\r\n\r\n`, true],
  ["all lines", MESSAGE, 4, MESSAGE, true],
  ["more lines than there are", MESSAGE, 5, MESSAGE, false],
  ["a huge number of lines", MESSAGE, 1e30, MESSAGE, false],
  ["infinitely many lines", MESSAGE, Infinity, MESSAGE, false],
  ["an empty message", "", 3, "", false],
  ["an empty header", "\r\na\r\nb\r\n", 1, "\r\na\r\n", true],
  [
    "a message without a blank line is all header",
    "A: b\r\nC: d\r\n",
    0,
    "A: b\r\nC: d\r\n",
    false,
  ],
  [
    "a CR alone on a line does not end the header",
    "A: b\r\n\r\r\nC: d\r\n\r\n1\r\n",
    0,
    "A: b\r\n\r\r\nC: d\r\n\r\n",
    true,
  ],
  ["lines that end with LF", "A: b\n\n1\n2\n", 1, "A: b\n\n1\n", true],
  ["lines of both ends", "A: b\r\n\n1\n2\n", 1, "A: b\r\n\n1\n", true],
  ["a blank line of CRLF among LF", "A: b\n\r\n1\n2\n", 1, "A: b\n\r\n1\n", true],
  ["an empty header that ends with LF", "\na\nb\n", 1, "\na\n", true],
  ["a header line of one character", "A\n\r\n1\n", 0, "A\n\r\n", true],
  ["a last line without an end", "A: b\n\n1", 1, "A: b\n\n1", false],
];

for (const [what, message, lines, top, done] of CASES) {
  test(`TOP of ${what}: whole`, () => {
    const cutter = new TopCutter(lines);
    assert.equal(Buffer.from(cutter.push(Buffer.from(message))).toString(), top);
    assert.equal(cutter.done, done);
  });

  test(`TOP of ${what}: byte by byte`, () => {
    const cutter = new TopCutter(lines);
    const pieces = [...Buffer.from(message)].map((octet) => cutter.push(Uint8Array.of(octet)));
    assert.equal(Buffer.concat(pieces).toString(), top);
    assert.equal(cutter.done, done);
  });
}
