/** What is counted is what is sent, however the stored octets are cut. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { CanonicalCounter, Canonicaliser } from "../../src/message/canonical.ts";
import { TopCutter } from "../../src/message/top.ts";
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
    const canonicaliser = new Canonicaliser();
    const cutter = new TopCutter(lines);
    const pieces = chunks.map((chunk) => new Uint8Array(cutter.push(canonicaliser.push(chunk))));
    const top = Buffer.concat([...pieces, cutter.push(canonicaliser.end())]).toString("latin1");
    const all = whole.split(/(?<=\n)/);
    const blank = all.indexOf("\r\n");
    const wanted = blank < 0 ? all : all.slice(0, blank + 1 + lines);
    assert.equal(top, wanted.join(""));
  }),
  1_000,
);
