/** Cutting octets into lines. Each case runs whole, byte by byte, and with more behind it. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { LineFramer } from "../../../src/wire/line_framer.ts";

type Taken = string | { tooLong: true };

const TOO_LONG: Taken = { tooLong: true };

function drain(framer: LineFramer, limitOctets: number): Taken[] {
  const taken: Taken[] = [];
  for (let line; (line = framer.next(limitOctets)) !== undefined;) {
    taken.push(line === "too-long" ? TOO_LONG : Buffer.from(line).toString("latin1"));
  }
  return taken;
}

function push(framer: LineFramer, text: string): void {
  framer.push(Buffer.from(text, "latin1"));
}

const CASES: readonly { what: string; sent: string; limit?: number; lines: readonly Taken[] }[] = [
  { what: "a line ends at CRLF", sent: "STAT\r\n", lines: ["STAT"] },
  { what: "a line may end at a bare LF", sent: "STAT\n", lines: ["STAT"] },
  { what: "only one CR goes with the LF", sent: "STAT\r\r\n", lines: ["STAT\r"] },
  { what: "a lone CR ends nothing", sent: "ST\rAT\r\n", lines: ["ST\rAT"] },
  { what: "an empty line is a line", sent: "\r\n\n", lines: ["", ""] },
  { what: "a line may be a CR alone", sent: "\r\r\n", lines: ["\r"] },
  { what: "several lines keep their order", sent: "A\r\nB\nC\r\n", lines: ["A", "B", "C"] },
  { what: "NUL and 8-bit pass", sent: "A\0B\xff\r\n", lines: ["A\0B\xff"] },
  {
    what: "a line of exactly the limit passes",
    sent: "12345678\r\n",
    limit: 10,
    lines: ["12345678"],
  },
  { what: "one octet more does not", sent: "123456789\r\n", limit: 10, lines: [TOO_LONG] },
  { what: "the limit counts a bare LF once", sent: "123456789\n", limit: 10, lines: ["123456789"] },
  {
    what: "the tail of a long line is never a command",
    sent: "123456789012 DELE 1\r\nNOOP\r\n",
    limit: 10,
    lines: [TOO_LONG, "NOOP"],
  },
  {
    what: "two long lines are reported once each",
    sent: "12345678901\r\n12345678901234567890123\nNOOP\r\n",
    limit: 10,
    lines: [TOO_LONG, TOO_LONG, "NOOP"],
  },
];

for (const { what, sent, limit = 512, lines } of CASES) {
  test(`${what}: whole`, () => {
    const framer = new LineFramer();
    push(framer, sent);
    assert.deepEqual(drain(framer, limit), lines);
    assert.equal(framer.pending, 0);
  });

  test(`${what}: byte by byte`, () => {
    const framer = new LineFramer();
    const taken: Taken[] = [];
    for (const character of sent) {
      push(framer, character);
      taken.push(...drain(framer, limit));
    }
    assert.deepEqual(taken, lines);
    assert.equal(framer.pending, 0);
  });

  test(`${what}: with more behind it`, () => {
    const framer = new LineFramer();
    push(framer, `${sent}QU`);
    assert.deepEqual(drain(framer, limit), lines);
    assert.equal(framer.pending, 2);
    push(framer, "IT\r\n");
    assert.deepEqual(drain(framer, limit), ["QUIT"]);
  });
}

test("a line that is too long is reported before its end has come, and then nothing is kept", () => {
  const framer = new LineFramer();
  push(framer, "1234567890");
  assert.equal(framer.next(10), "too-long");
  assert.equal(framer.pending, 0);
  for (let times = 0; times < 100; times++) {
    push(framer, "x".repeat(1_000));
    assert.equal(framer.next(10), undefined);
    assert.equal(framer.pending, 0);
  }
  push(framer, "x\nNOOP\r\n");
  assert.deepEqual(drain(framer, 10), ["NOOP"]);
});

test("a line is not too long while it may still end within the limit", () => {
  const framer = new LineFramer();
  push(framer, "12345678\r");
  assert.equal(framer.next(10), undefined);
  push(framer, "\n");
  assert.deepEqual(drain(framer, 10), ["12345678"]);
});

test("the limit may differ from line to line", () => {
  const framer = new LineFramer();
  push(framer, "AUTH X\r\n123456789012345\r\nQUIT\r\n");
  assert.deepEqual(Buffer.from(framer.next(10) as Uint8Array).toString(), "AUTH X");
  assert.deepEqual(Buffer.from(framer.next(20) as Uint8Array).toString(), "123456789012345");
  assert.deepEqual(drain(framer, 10), ["QUIT"]);
});

test("a line stays as it was while more octets come", () => {
  const framer = new LineFramer();
  push(framer, "PASS ");
  push(framer, "secret\r\nPA");
  const line = framer.next(512) as Uint8Array;
  for (let times = 0; times < 1_000; times++) push(framer, "zzzz");
  framer.next(512);
  push(framer, "\r\nyyyyyyyyyyyyyyyyyyyyyy\r\n");
  drain(framer, 512);
  assert.equal(Buffer.from(line).toString(), "PASS secret");
});

test("the framer never writes into an array that was pushed", () => {
  const framer = new LineFramer();
  const room = new Uint8Array(64);
  room.set(Buffer.from("PAS"));
  framer.push(room.subarray(0, 3));
  push(framer, "S x\r\n");
  assert.deepEqual(drain(framer, 512), ["PASS x"]);
  assert.ok(room.subarray(3).every((octet) => octet === 0));
});

test("after discardAll the tail of a long line is not waited for any more", () => {
  const framer = new LineFramer();
  push(framer, "x".repeat(20));
  assert.equal(framer.next(10), "too-long");
  framer.discardAll();
  push(framer, "CAPA\r\n");
  assert.deepEqual(drain(framer, 10), ["CAPA"]);
});

test("after discardAll nothing is left of what was pushed", () => {
  const framer = new LineFramer();
  push(framer, "STLS\r\nUSER mallory\r\nPA");
  assert.equal(Buffer.from(framer.next(512) as Uint8Array).toString(), "STLS");
  framer.discardAll();
  assert.equal(framer.pending, 0);
  assert.equal(framer.next(512), undefined);
  push(framer, "CAPA\r\n");
  assert.deepEqual(drain(framer, 512), ["CAPA"]);
});
