/** Whether a header holds octets above 127. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { HeaderScan } from "../../../src/message/header_scan.ts";

const CASES: readonly [string, string, boolean, boolean][] = [
  ["an ASCII header", "Subject: a\r\n\r\nb\r\n", false, true],
  ["8-bit in the body only", "Subject: a\r\n\r\n\xe4\r\n", false, true],
  ["8-bit in the header", "Subject: \xc3\xa4\r\n\r\nb\r\n", true, true],
  ["8-bit in a field name", "\xff: a\r\n\r\n", true, true],
  ["8-bit behind an empty header", "\r\n\xe4\r\n", false, true],
  ["a header without an end", "Subject: a\r\n", false, false],
  ["an empty message", "", false, false],
];

for (const [what, message, eightBit, over] of CASES) {
  for (const size of [1, 1_000]) {
    test(`${what}, ${size} octets at a time`, () => {
      const scan = new HeaderScan();
      const octets = Buffer.from(message, "latin1");
      for (let at = 0; at < octets.length; at += size) scan.push(octets.subarray(at, at + size));
      assert.deepEqual({ eightBit: scan.eightBit, over: scan.over }, { eightBit, over });
    });
  }
}
