/** What a client gets of a stored message; each case by the octet kernel and without it, however cut. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { TopCutter } from "../../../src/message/top.ts";
import { octetKernel, SOURCE_OCTETS } from "../../../src/octet_kernel/octet_kernel.ts";
import {
  FusedEncoder,
  scratch,
  StepwiseEncoder,
  type WireEncoder,
  wireEncoder,
} from "../../../src/session/wire_encoder.ts";

/** What is stored, what is sent, and the octets that are counted. */
const CASES: readonly [string, string, string, number][] = [
  ["an empty message", "", ".\r\n", 0],
  ["a message of one line", "a\n", "a\r\n.\r\n", 3],
  ["a last line without an end", "a\nb", "a\r\nb\r\n.\r\n", 6],
  ["a CR at the very end", "a\r", "a\r\r\n.\r\n", 4],
  ["a line of one dot", "a\n.\nb\n", "a\r\n..\r\nb\r\n.\r\n", 9],
  ["a dot at the start", ".a\n", "..a\r\n.\r\n", 4],
  ["a dot and nothing else", ".", "..\r\n.\r\n", 3],
  ["a dot behind CRLF", "a\r\n.\r\n", "a\r\n..\r\n.\r\n", 6],
  ["a dot behind a lone CR", "a\r.\n", "a\r.\r\n.\r\n", 5],
];

const WAYS: readonly [string, () => WireEncoder][] = [
  ["by the octet kernel", () => new FusedEncoder(octetKernel!)],
  ["without the octet kernel", () => new StepwiseEncoder()],
];

function sent(encoder: WireEncoder, chunks: readonly Uint8Array[]): [string, number] {
  const pieces = chunks.map((chunk, at) => {
    assert.equal(encoder.done, false);
    return new Uint8Array(encoder.encode(chunk, at === chunks.length - 1));
  });
  assert.equal(encoder.done, true);
  return [Buffer.concat(pieces).toString("latin1"), encoder.octets];
}

for (const [way, encoder] of WAYS) {
  for (const [what, stored, wire, octets] of CASES) {
    test(`${what}, ${way}, cut anywhere`, () => {
      const whole = Buffer.from(stored);
      for (let at = 0; at <= whole.length; at++) {
        const chunks = [whole.subarray(0, at), whole.subarray(at)];
        assert.deepEqual(sent(encoder(), chunks), [wire, octets]);
      }
      assert.deepEqual(sent(encoder(), [whole]), [wire, octets]);
    });
  }

  test(`a chunk that is longer than the kernel takes, ${way}`, () => {
    const stored = Buffer.from(".line\n".repeat(SOURCE_OCTETS));
    const wire = `${"..line\r\n".repeat(SOURCE_OCTETS)}.\r\n`;
    const [octets, counted] = sent(encoder(), [stored]);
    assert.ok(octets === wire);
    assert.equal(counted, SOURCE_OCTETS * 7);
  });

  test(`messages that are encoded in turns do not get into each other, ${way}`, () => {
    const [one, other] = [encoder(), encoder()];
    const encode = (by: WireEncoder, stored: string, isLast: boolean) =>
      Buffer.from(by.encode(Buffer.from(stored), isLast)).toString();
    assert.equal(encode(one, "a\r", false), "a\r");
    assert.equal(encode(other, "b\n", false), "b\r\n");
    assert.equal(encode(one, "\n", true), "\n.\r\n");
    assert.equal(encode(other, ".", true), "..\r\n.\r\n");
    assert.deepEqual([one.octets, other.octets], [3, 6]);
  });
}

test("what lies in the scratch memory is taken from there", () => {
  scratch.set(Buffer.from(".a\n"));
  assert.deepEqual(sent(wireEncoder(undefined), [scratch.subarray(0, 3)]), ["..a\r\n.\r\n", 4]);
});

test("what lies in the scratch memory, but not at its beginning, is taken from there", () => {
  scratch.set(Buffer.from("xx.a\n"));
  assert.deepEqual(sent(wireEncoder(undefined), [scratch.subarray(2, 5)]), ["..a\r\n.\r\n", 4]);
});

test("TOP counts what comes before stuffing, and is done at the cut", () => {
  const encoder = wireEncoder(new TopCutter(1));
  const octets = encoder.encode(Buffer.from("A: b\n\n.c\nd\n"), false);
  assert.equal(Buffer.from(octets).toString(), "A: b\r\n\r\n..c\r\n.\r\n");
  assert.deepEqual([encoder.done, encoder.octets], [true, 12]);
});

test("TOP of a message that is shorter than the cut ends with the message", () => {
  const encoder = wireEncoder(new TopCutter(9));
  const [octets] = sent(encoder, [Buffer.from("A: b\n\n."), new Uint8Array(0)]);
  assert.equal(octets, "A: b\r\n\r\n..\r\n.\r\n");
  assert.equal(encoder.octets, 11);
});
