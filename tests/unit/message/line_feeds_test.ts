import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { LineFeeds } from "../../../src/message/line_feeds.ts";

function stored(chunks: readonly Uint8Array[]): string {
  const lines = new LineFeeds();
  const parts = chunks.map((chunk) => Buffer.from(lines.push(chunk)));
  return Buffer.concat([...parts, lines.end()]).toString("latin1");
}

const whole = (text: string) => stored([Buffer.from(text, "latin1")]);

test("lines end in LF, the last one too", () => {
  assert.equal(whole("a\r\nb\r\n"), "a\nb\n");
  assert.equal(whole("a\nb"), "a\nb\n");
  assert.equal(whole("a\r\nb"), "a\nb\n");
  assert.equal(whole(""), "");
  assert.equal(whole("\r\n"), "\n");
});

test("a CR that no LF follows stays", () => {
  assert.equal(whole("a\rb\r\n"), "a\rb\n");
  assert.equal(whole("\r\r\n"), "\r\n");
  assert.equal(whole("a\r"), "a\r\n");
});

test("what is unchanged is not copied", () => {
  const chunk = Buffer.from("one\ntwo\n");
  assert.equal(new LineFeeds().push(chunk), chunk);
});

test("it does not matter where the octets are cut", () => {
  const octets = fc.array(fc.constantFrom(10, 13, 97), { maxLength: 40 });
  fc.assert(fc.property(octets, fc.array(fc.nat(40)), (values, cuts) => {
    const text = Buffer.from(values);
    const places = [...new Set([0, ...cuts.filter((at) => at <= text.length), text.length])]
      .sort((one, other) => one - other);
    const chunks = places.slice(1).map((end, at) => text.subarray(places[at], end));
    const plain = text.toString("latin1").replaceAll("\r\n", "\n");
    // What the rule says, written once more in the plainest way.
    const wanted = plain === "" || plain.endsWith("\n") ? plain : `${plain}\n`;
    assert.equal(stored(chunks), wanted);
  }));
});
