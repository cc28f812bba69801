/**
 * The octet kernel against the rules of message/canonical.ts and wire/dot_stuffing.ts, written once more in
 * the plainest way: at every length around its blocks and with whatever stood in its memory before.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { assembledText, keptText, sourceSha256 } from "../../../scripts/assemble_kernel.ts";
import { SOURCE_SHA256 } from "../../../src/octet_kernel/kernel_module.ts";
import {
  MESSAGE_START,
  type OctetKernel,
  octetKernel,
  SOURCE_OCTETS,
} from "../../../src/octet_kernel/octet_kernel.ts";

const CR = 13;
const LF = 10;
const DOT = 46;
const PREVIOUS = [MESSAGE_START, CR, DOT, 0, 255];
/** Lengths around 16, 32 and 4,080, at which the loops of the kernel take another turn. */
const LENGTHS = [...Array(201).keys(), 255, 256, 257, 4_079, 4_080, 4_081, 8_159, 8_160, 8_161];

const kernel: OctetKernel = octetKernel!;

/** The rules, an octet at a time. */
function expected(stored: Uint8Array, before: number) {
  const wire: number[] = [];
  let bare = 0;
  let stuffed = 0;
  let previous = before;
  for (const octet of stored) {
    if (octet === LF && previous !== CR) {
      bare++;
      wire.push(CR);
    }
    if (octet === DOT && previous === LF) {
      stuffed++;
      wire.push(DOT);
    }
    wire.push(octet);
    previous = octet;
  }
  return { wire: Buffer.from(wire), bare, stuffed };
}

/** Compares all that the kernel says, for octets from elsewhere. */
function check(stored: Uint8Array, previous: number): void {
  const { wire, bare, stuffed } = expected(stored, previous);
  const encoded = kernel.encode(stored, previous);
  const same = Buffer.compare(encoded, wire) === 0;
  const what = () => `${stored.length} octets behind ${previous}: ${JSON.stringify([...stored])}`;
  assert.ok(same, same ? "" : what());
  assert.equal(kernel.stuffed, stuffed);
  assert.equal(kernel.countBareLineEnds(stored, previous), bare);
}

/** Octets of which many are CR, LF and dot; the same for the same seed. */
function awkward(length: number, seed: number): Uint8Array {
  let state = seed * 2 + 1;
  return Uint8Array.from({ length }, () => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223 | 0;
    return [LF, CR, DOT, 0, 0x61, 0xff, LF, 0x62][state >>> 29]!;
  });
}

test("both runtimes have the kernel", () => {
  assert.ok(octetKernel !== undefined);
});

test("the kernel that is kept was made of the text as it is", () => {
  assert.equal(sourceSha256(), SOURCE_SHA256);
});

test("the assembler makes the kernel that is kept", async (t) => {
  const assembled = await assembledText();
  if (assembled === undefined) t.skip("the package wabt is not installed");
  else assert.equal(keptText(), assembled);
});

test("every length around the blocks, behind every kind of octet", () => {
  for (const length of LENGTHS) {
    for (const previous of PREVIOUS) check(awkward(length, length), previous);
  }
});

test("an LF, a CRLF and a dot at every place of a block", () => {
  for (const what of ["\n", "\r\n", "\n.", "\r\n.", "\r.", "\n\n", "\n\r\n", "\n.\n."]) {
    for (let at = 0; at <= 70; at++) {
      const stored = Buffer.from("x".repeat(at) + what + "y".repeat(70 - at));
      check(stored, MESSAGE_START);
      check(stored.subarray(0, at + what.length), MESSAGE_START);
    }
  }
});

test("a chunk anywhere in another array", () => {
  const room = awkward(400, 7);
  for (let at = 0; at < 40; at++) check(room.subarray(at, at + 300), MESSAGE_START);
});

test("what stands in the memory from a longer chunk changes nothing", () => {
  for (const octet of [LF, CR, DOT]) {
    for (let length = 0; length <= 70; length++) {
      kernel.encode(new Uint8Array(SOURCE_OCTETS).fill(octet), LF);
      check(new Uint8Array(length).fill(0x61), MESSAGE_START);
      kernel.source.fill(octet);
      check(new Uint8Array(length).fill(0x61), MESSAGE_START);
    }
  }
});

const FULL: readonly [string, string][] = [
  ["LF", "\n"],
  ["CRLF", "\r\n"],
  ["CR", "\r"],
  ["dots", "."],
  ["lines of a dot", "\n."],
  ["lines of a dot, ended by CRLF", "\r\n."],
  ["no line end", "a"],
  ["lines of 71 octets", `${"a".repeat(71)}\n`],
];

for (const [what, unit] of FULL) {
  test(`as much as the source holds: ${what}`, () => {
    const text = unit.repeat(Math.ceil(SOURCE_OCTETS / unit.length));
    for (let less = 0; less <= 40; less++) {
      for (const previous of [MESSAGE_START, CR]) {
        check(Buffer.from(text).subarray(0, SOURCE_OCTETS - less), previous);
      }
    }
  });
}

test("the longest wire form is twice the source, and a line end and terminator still follow it", () => {
  kernel.source.fill(LF);
  const tail = Buffer.from("\r\n.\r\n");
  const encoded = kernel.encode(kernel.source, MESSAGE_START, tail);
  assert.equal(encoded.length, SOURCE_OCTETS * 2 + tail.length);
  assert.ok(Buffer.from(encoded).equals(Buffer.from("\r\n".repeat(SOURCE_OCTETS) + "\r\n.\r\n")));
});

test("the source is left as it was", () => {
  const stored = awkward(SOURCE_OCTETS, 3);
  kernel.source.set(stored);
  const { wire } = expected(stored, MESSAGE_START);
  assert.ok(Buffer.from(kernel.encode(kernel.source, MESSAGE_START)).equals(wire));
  assert.ok(Buffer.from(kernel.source).equals(stored));
});

test("more than the source holds is refused, and nothing is lost over it", () => {
  const { buffer, byteOffset } = kernel.source;
  const elsewhere = new Uint8Array(SOURCE_OCTETS + 1);
  const there = new Uint8Array(buffer, byteOffset, SOURCE_OCTETS + 1);
  for (const stored of [elsewhere, there]) {
    assert.throws(() => kernel.encode(stored, MESSAGE_START), RangeError);
    assert.throws(() => kernel.countBareLineEnds(stored, MESSAGE_START), RangeError);
  }
  check(awkward(100, 1), MESSAGE_START);
});
