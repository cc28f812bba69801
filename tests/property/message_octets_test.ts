/** What is counted is what is sent, however the stored octets are cut. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { CanonicalCounter, Canonicaliser, countBareLineEnds } from "../../src/message/canonical.ts";
import { TopCutter } from "../../src/message/top.ts";
import { octetKernel, SOURCE_OCTETS } from "../../src/octet_kernel/octet_kernel.ts";
import { FusedEncoder, StepwiseEncoder, type WireEncoder } from "../../src/session/wire_encoder.ts";
import { DotStuffer, TERMINATOR } from "../../src/wire/dot_stuffing.ts";
import { cut, storedMessage, testProperty } from "../support/property.ts";

/** The rules of canonical.ts once more, in the plainest way there is. */
function expected(stored: Uint8Array): string {
  const text = Buffer.from(stored).toString("latin1").replace(/\r?\n/g, "\r\n");
  return text === "" || text.endsWith("\r\n") ? text : `${text}\r\n`;
}

function canonical(chunks: readonly Uint8Array[]): [Uint8Array, Canonicaliser] {
  const canonicaliser = new Canonicaliser();
  const pieces = chunks.map((chunk) => canonicaliser.push(chunk));
  return [Buffer.concat([...pieces, canonicaliser.end()]), canonicaliser];
}

testProperty(
  "counter, canonicaliser and the octets given back agree with each other and the rules",
  fc.property(cut(storedMessage()), (chunks) => {
    const [octets, { octets: count }] = canonical(chunks);
    const counter = new CanonicalCounter();
    for (const chunk of chunks) counter.push(chunk);
    assert.equal(Buffer.from(octets).toString("latin1"), expected(Buffer.concat(chunks)));
    assert.equal(count, octets.length);
    assert.equal(counter.end(), octets.length);
  }),
  1_000,
);

testProperty(
  "what is canonical stays as it is",
  fc.property(cut(storedMessage()), (chunks) => {
    const [once] = canonical(chunks);
    assert.deepEqual(canonical([once])[0], once);
  }),
);

testProperty(
  "stuffing can be undone, and what is stuffed holds no terminator",
  fc.property(cut(storedMessage()), (chunks) => {
    const [octets] = canonical(chunks);
    const stuffer = new DotStuffer();
    const canonicaliser = new Canonicaliser();
    const stuffed = Buffer.concat([
      ...chunks.map((chunk) => new Uint8Array(stuffer.push(canonicaliser.push(chunk)))),
      stuffer.push(canonicaliser.end()),
      TERMINATOR,
    ]).toString("latin1");
    const lines = stuffed.split("\r\n");
    assert.deepEqual(lines.slice(-2), [".", ""]);
    const body = lines.slice(0, -2);
    assert.ok(!body.includes("."));
    const plain = body.map((line) => `${line.startsWith(".") ? line.slice(1) : line}\r\n`).join("");
    assert.equal(plain, Buffer.from(octets).toString("latin1"));
  }),
);

testProperty(
  "TOP is a prefix of the message that ends with a line, and has the lines that were asked for",
  fc.property(cut(storedMessage()), fc.nat({ max: 6 }), (chunks, lines) => {
    const whole = Buffer.from(canonical(chunks)[0]).toString("latin1");
    const cutter = new TopCutter(lines);
    const [octets] = canonical(chunks.map((chunk) => new Uint8Array(cutter.push(chunk))));
    const top = Buffer.from(octets).toString("latin1");
    const all = whole.split(/(?<=\n)/);
    const blank = all.indexOf("\r\n");
    const wanted = blank < 0 ? all : all.slice(0, blank + 1 + lines);
    assert.equal(top, wanted.join(""));
  }),
  1_000,
);

/** What an encoder gives for the chunks of a message, and the octets it counts. */
function encoded(encoder: WireEncoder, chunks: readonly Uint8Array[]): [string, number] {
  const pieces = chunks.map((chunk, at) =>
    new Uint8Array(encoder.encode(chunk, at === chunks.length - 1))
  );
  return [Buffer.concat(pieces).toString("latin1"), encoder.octets];
}

function sameWithAndWithoutKernel(chunks: readonly Uint8Array[]): void {
  const fused = encoded(new FusedEncoder(octetKernel!), chunks);
  const stepwise = encoded(new StepwiseEncoder(), chunks);
  assert.equal(fused[1], stepwise[1]);
  assert.ok(fused[0] === stepwise[0]);
  let previous = 0x0a;
  for (const chunk of chunks) {
    const counted = octetKernel!.countBareLineEnds(chunk, previous);
    assert.equal(counted, countBareLineEnds(chunk, previous));
    previous = chunk.at(-1) ?? previous;
  }
}

testProperty(
  "the octet kernel gives and counts what the long way does, wherever messages are cut",
  fc.property(cut(storedMessage()), sameWithAndWithoutKernel),
  3_000,
);

/** Of any length up to 200, where the kernel's blocks begin and end; CR, LF and dot in every order. */
const denseOctets = fc.array(fc.constantFrom(0x0d, 0x0a, 0x2e, 0x61, 0), { maxLength: 200 })
  .map((octets) => Uint8Array.from(octets));

testProperty(
  "the octet kernel gives what the long way does for octets that are line ends and dots throughout",
  fc.property(cut(denseOctets), sameWithAndWithoutKernel),
  3_000,
);

testProperty(
  "the octet kernel gives what the long way does for chunks about as long as it takes",
  fc.property(storedMessage(), fc.integer({ min: -40, max: 0 }), fc.nat(), (unit, less, turn) => {
    const octets = Buffer.alloc(SOURCE_OCTETS * 2, unit.length === 0 ? "a" : unit);
    octets.copyWithin(0, turn % SOURCE_OCTETS);
    const middle = SOURCE_OCTETS + less;
    const end = middle + SOURCE_OCTETS;
    sameWithAndWithoutKernel([octets.subarray(0, middle), octets.subarray(middle, end)]);
  }),
  100,
);
