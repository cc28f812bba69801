import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { DecimalCounter, writeDecimal } from "../../../src/maildrop/decimal.ts";

const VALUES = [
  ...[0, 1, 9, 10, 11, 99, 100, 101, 999, 1_000, 9_999, 10_000, 99_999, 100_000, 999_999],
  ...[1_000_000, 9_999_999, 10_000_000, 99_999_999, 100_000_000, 100_000_001, 999_999_999],
  ...[2_147_483_647, 2_147_483_648, 4_294_967_296, 9_999_999_999_999_999, 1_795_408_010_522_562],
  ...[10_000_000_000_000, 10_000_000_100_000, Number.MAX_SAFE_INTEGER],
];

function written(write: (value: number, target: Uint8Array, at: number) => number, value: number) {
  const target = Buffer.alloc(24, "x");
  const end = write(value, target, 2);
  assert.equal(
    target.toString("latin1", 0, 2) + target.toString("latin1", end),
    "xx" + "x".repeat(24 - end),
  );
  return target.toString("latin1", 2, end);
}

test("numbers of every size are written as they are said, and nothing beside them", () => {
  for (const value of VALUES) assert.equal(written(writeDecimal, value), String(value));
});

test("counting gives the same, upwards, over tens, backwards and by leaps", () => {
  const counter = new DecimalCounter();
  const write = counter.write.bind(counter);
  for (const from of [0, 5, 98, 995, 99_999_990, 1_795_408_010_522_990]) {
    for (let value = from; value < from + 25; value++) {
      assert.equal(written(write, value), String(value));
    }
  }
  for (
    const value of [7, 7, 8, 7, 1_000, 8, 9, 10, 11, 110, 111, 11, ...VALUES, ...VALUES.reverse()]
  ) {
    assert.equal(written(write, value), String(value));
  }
});
