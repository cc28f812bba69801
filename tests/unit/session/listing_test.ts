/** Bodies that are lists of lines. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { writeDecimal } from "../../../src/maildrop/decimal.ts";
import { Marks } from "../../../src/maildrop/marks.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import type { Snapshot } from "../../../src/maildrop/snapshot.ts";
import { decimalUniqueId } from "../../../src/maildrop/unique_id.ts";
import type { Body, DrawnBody } from "../../../src/session/answer.ts";
import { linesBody, messageList, numberedBody } from "../../../src/session/listing.ts";

/** The pieces as they are drawn: they are lent, so each is copied. */
function piecesOf(body: Body): Uint8Array[] {
  if (body instanceof Uint8Array) return [body];
  const pieces: Uint8Array[] = [];
  const drawn = body as DrawnBody;
  for (let piece; (piece = drawn.draw()) !== undefined;) {
    pieces.push(new Uint8Array(piece as Uint8Array));
  }
  return pieces;
}

function text(body: Body): string {
  return Buffer.concat(piecesOf(body)).toString("latin1");
}

function writeText(octets: string, target: Uint8Array, at: number): number {
  return at + Buffer.from(octets, "latin1").copy(target, at);
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
    writeValue(number, target, at) {
      const value = VALUES[number - 1]!;
      return typeof value === "number"
        ? writeDecimal(value, target, at)
        : writeText(value, target, at);
    },
  });
  const lines = VALUES.map((value, at) => `${at + 1} ${value}\r\n`);
  assert.equal(text(body), `${lines.join("")}.\r\n`);
});

for (const count of [0, 1, 4_000, 4_001, 20_000]) {
  test(`of ${count} lines those that are not there are left out`, () => {
    const body = numberedBody({
      count,
      has: (number) => number % 3 !== 0,
      writeValue: (number, target, at) => writeText("u".repeat(number % 71), target, at),
    });
    let expected = "";
    for (let number = 1; number <= count; number++) {
      if (number % 3 !== 0) expected += `${number} ${"u".repeat(number % 71)}\r\n`;
    }
    assert.equal(text(body), `${expected}.\r\n`);
  });
}

test("a long list comes in pieces, and two that are drawn by turns do not mix", () => {
  const lists = [1, 2].map((factor) =>
    numberedBody({
      count: 20_000,
      has: () => true,
      writeValue: (number, target, at) => writeDecimal(number * factor, target, at),
    }) as DrawnBody
  );
  const drawn = ["", ""];
  for (let left = true; left;) {
    left = false;
    for (const [i, list] of lists.entries()) {
      const piece = list.draw() as Uint8Array | undefined;
      if (piece === undefined) continue;
      assert.ok(piece.length <= 32_768);
      drawn[i] += Buffer.from(piece).toString();
      left = true;
    }
  }
  for (const [i, list] of drawn.entries()) {
    const lines = Array.from({ length: 20_000 }, (_, n) => `${n + 1} ${(n + 1) * (i + 1)}\r\n`);
    assert.ok(list === `${lines.join("")}.\r\n`, `list ${i + 1} is not what it should be`);
  }
});

test("a few lines end with the terminator", () => {
  assert.equal(text(linesBody([])), ".\r\n");
  assert.equal(text(linesBody(["TOP", "UIDL"])), "TOP\r\nUIDL\r\n.\r\n");
});

/** A snapshot that counts the lines that are made of it. */
function snapshotOf(count: number): Snapshot & { readonly lines: () => number } {
  let lines = 0;
  return {
    count,
    totalOctets: 7 * count,
    lines: () => lines,
    octetsOf() {
      lines++;
      return 7;
    },
    uniqueIdOf: (number) => decimalUniqueId(number + 100),
    writeUniqueId(number, target, at) {
      lines++;
      return writeDecimal(number + 100, target, at);
    },
  };
}

for (const kind of ["LIST", "UIDL"] as const) {
  test(`the second ${kind} of a snapshot makes no line anew, of whatever session`, () => {
    const snapshot = snapshotOf(4_000);
    const first = text(messageList(kind, snapshot, new Marks(snapshot)));
    assert.equal(snapshot.lines(), 4_000);
    assert.equal(text(messageList(kind, snapshot, new Marks(snapshot))), first);
    assert.equal(snapshot.lines(), 4_000);
    assert.equal(first.split("\r\n").at(3_999), kind === "LIST" ? "4000 7" : "4000 4100");
  });

  test(`${kind}: a mark is seen by its session and by no other, and RSET takes it back`, () => {
    const snapshot = snapshotOf(3);
    const [mine, others] = [new Marks(snapshot), new Marks(snapshot)];
    const whole = text(messageList(kind, snapshot, mine));
    mine.mark(2 as MessageNumber);
    const marked = text(messageList(kind, snapshot, mine));
    assert.deepEqual(marked.split("\r\n").map((line) => line[0]), ["1", "3", ".", undefined]);
    assert.equal(text(messageList(kind, snapshot, others)), whole);
    mine.reset();
    assert.equal(text(messageList(kind, snapshot, mine)), whole);
  });
}

test("LIST and UIDL of one snapshot are two lists, and two snapshots have their own", () => {
  const [one, two] = [snapshotOf(2), snapshotOf(1)];
  const list = text(messageList("LIST", one, new Marks(one)));
  assert.notEqual(text(messageList("UIDL", one, new Marks(one))), list);
  assert.equal(text(messageList("LIST", two, new Marks(two))), "1 7\r\n.\r\n");
  assert.equal(text(messageList("LIST", one, new Marks(one))), list);
});

test("a list that is long is made as it is drawn, each time, and not kept", () => {
  const snapshot = snapshotOf(100_000);
  const body = messageList("UIDL", snapshot, new Marks(snapshot));
  assert.equal(snapshot.lines(), 0);
  text(body);
  assert.equal(snapshot.lines(), 100_000);
  text(messageList("UIDL", snapshot, new Marks(snapshot)));
  assert.equal(snapshot.lines(), 200_000);
});
