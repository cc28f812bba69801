/** What a stored message is on the wire. Each case runs whole, byte by byte, and cut at every place. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import {
  CanonicalCounter,
  Canonicaliser,
  countBareLineEnds,
} from "../../../src/message/canonical.ts";

const CASES: readonly [string, string, string][] = [
  ["an empty message is zero octets", "", ""],
  ["LF becomes CRLF", "a\nb\n", "a\r\nb\r\n"],
  ["CRLF stays", "a\r\nb\r\n", "a\r\nb\r\n"],
  ["mixed line ends all become CRLF", "a\nb\r\nc\n\r\n\n", "a\r\nb\r\nc\r\n\r\n\r\n"],
  ["a last line without an end gets one", "a\nb", "a\r\nb\r\n"],
  ["one octet without an end gets one", "a", "a\r\n"],
  ["an LF alone is one line", "\n", "\r\n"],
  ["a CRLF alone is one line", "\r\n", "\r\n"],
  ["a lone CR stays", "a\rb\n", "a\rb\r\n"],
  ["a CR before a CRLF stays", "a\r\r\n", "a\r\r\n"],
  ["a CR at the very end is no line end", "a\r", "a\r\r\n"],
  ["a CR alone is an unfinished line", "\r", "\r\r\n"],
  ["NUL stays", "a\0b\n\0", "a\0b\r\n\0\r\n"],
  ["8-bit octets stay", "\xff\xfe\n\x8a", "\xff\xfe\r\n\x8a\r\n"],
  ["many LF in a row", "\n".repeat(30), "\r\n".repeat(30)],
  [
    "lines around the eight octets that are copied at once",
    "1234567\n12345678\n123456789\n\n1\n\r\n1234567\r\nab\n\ncd",
    "1234567\r\n12345678\r\n123456789\r\n\r\n1\r\n\r\n1234567\r\nab\r\n\r\ncd\r\n",
  ],
];

function canonical(
  chunks: readonly Uint8Array[],
): { text: string; octets: number; counted: number } {
  const canonicaliser = new Canonicaliser();
  const counter = new CanonicalCounter();
  const pieces: Uint8Array[] = [];
  for (const chunk of chunks) {
    pieces.push(new Uint8Array(canonicaliser.push(chunk)));
    counter.push(chunk);
  }
  pieces.push(new Uint8Array(canonicaliser.end()));
  const text = Buffer.concat(pieces).toString("latin1");
  return { text, octets: canonicaliser.octets, counted: counter.end() };
}

for (const [what, stored, sent] of CASES) {
  const octets = Buffer.from(stored, "latin1");
  const expected = { text: sent, octets: sent.length, counted: sent.length };

  test(`${what}: whole`, () => {
    assert.deepEqual(canonical([octets]), expected);
  });

  test(`${what}: byte by byte`, () => {
    assert.deepEqual(canonical([...octets].map((octet) => Uint8Array.of(octet))), expected);
  });

  test(`${what}: cut at every place`, () => {
    for (let at = 0; at <= octets.length; at++) {
      assert.deepEqual(canonical([octets.subarray(0, at), octets.subarray(at)]), expected);
    }
  });
}

test("a chunk that needs no change is not copied", () => {
  const chunk = Buffer.from("Subject: a\r\n\r\nb\r\n");
  assert.equal(new Canonicaliser().push(chunk), chunk);
});

test("the stored octets are not changed", () => {
  const chunk = Buffer.from("a\nb\n");
  new Canonicaliser().push(chunk);
  assert.equal(chunk.toString(), "a\nb\n");
});

test("an array that was given back is not written to by later calls", () => {
  const canonicaliser = new Canonicaliser();
  const first = canonicaliser.push(Buffer.from("first\nline\n"));
  canonicaliser.push(Buffer.from("other\ntext\n"));
  assert.equal(Buffer.from(first).toString(), "first\r\nline\r\n");
});

test("a chunk that lies inside a larger array is read within its bounds", () => {
  const room = Buffer.from("\n\n\na\nbcdefghij\n\n\n");
  assert.equal(canonical([room.subarray(3, 13)]).text, "a\r\nbcdefghi\r\n");
});

test("a chunk of any length is counted", () => {
  const chunk = Buffer.from("ab\n".repeat(100_000));
  const counter = new CanonicalCounter();
  counter.push(chunk);
  assert.equal(counter.end(), 400_000);
});

test("bare line ends are counted the same without the octet kernel", () => {
  assert.equal(countBareLineEnds(Buffer.from("\na\r\nb\n\n\r\r\n"), 0x0a), 3);
  assert.equal(countBareLineEnds(Buffer.from("\n\n"), 0x0d), 1);
});
