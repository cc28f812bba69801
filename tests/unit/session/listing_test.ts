/** Bodies that are lists of lines. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { linesBody, numberedBody } from "../../../src/session/listing.ts";

function text(body: ReturnType<typeof numberedBody>): string {
  const pieces = body instanceof Uint8Array ? [body] : [...body as Iterable<Uint8Array>];
  return Buffer.concat(pieces).toString("latin1");
}

const VALUES = [
  ...[0, 1, 9, 10, 11, 99, 100, 999, 1_000, 123_456_789, 2_147_483_646, 2_147_483_647],
  ...[2_147_483_648, 4_294_967_295, 4_294_967_296, 999_999_999_999, Number.MAX_SAFE_INTEGER],
  ...["x", "!~", "0".repeat(70)],
];

test("numbers of every size and texts stand as they are", () => {
  const body = numberedBody({
    count: VALUES.length,
    has: () => true,
    valueOf: (number) => VALUES[number - 1]!,
  });
  const lines = VALUES.map((value, at) => `${at + 1} ${value}\r\n`);
  assert.equal(text(body), `${lines.join("")}.\r\n`);
});

for (const count of [0, 1, 500, 501, 20_000]) {
  test(`of ${count} lines those that are not there are left out`, () => {
    const body = numberedBody({
      count,
      has: (number) => number % 3 !== 0,
      valueOf: (number) => "u".repeat(number % 71),
    });
    let expected = "";
    for (let number = 1; number <= count; number++) {
      if (number % 3 !== 0) expected += `${number} ${"u".repeat(number % 71)}\r\n`;
    }
    assert.equal(text(body), `${expected}.\r\n`);
  });
}

test("an array that was given is not written to by later ones", () => {
  const body = numberedBody({ count: 20_000, has: () => true, valueOf: (number) => number });
  const [first, ...rest] = [...body as Iterable<Uint8Array>];
  assert.ok(rest.length > 1 && first!.length <= 32_768);
  assert.ok(Buffer.from(first!).toString().startsWith("1 1\r\n2 2\r\n"));
});

test("a few lines end with the terminator", () => {
  assert.equal(text(linesBody([])), ".\r\n");
  assert.equal(text(linesBody(["TOP", "UIDL"])), "TOP\r\nUIDL\r\n.\r\n");
});
