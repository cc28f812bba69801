import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { envelopeLines, fitsHeader } from "../../../src/delivery/envelope.ts";
import { withoutMboxLine } from "../../../src/delivery/mbox_line.ts";

test("the envelope stands in two header lines; nobody is nobody, and the null sender is one", () => {
  const text = (sender: string | undefined) =>
    Buffer.from(envelopeLines({ sender, recipient: "alice@example.com" })).toString();
  assert.equal(
    text("bob@example.org"),
    "Return-Path: <bob@example.org>\nDelivered-To: alice@example.com\n",
  );
  assert.equal(text(""), "Return-Path: <>\nDelivered-To: alice@example.com\n");
  assert.equal(text(undefined), "Delivered-To: alice@example.com\n");
});

test("an address cannot bring a header line with it", () => {
  for (const address of ["a\nb", "a\r\nSubject: x", "a\0b", "a\u2028b", "<a>", "a".repeat(257)]) {
    assert.equal(fitsHeader(address), false, address);
  }
  for (const address of ["", "alice@example.com", "é@例え.jp", '"a b"@example.com']) {
    assert.equal(fitsHeader(address), true, address);
  }
});

test("an address that cannot stand in a header line is left out, and the other stays", () => {
  const lines = (sender: string, recipient: string) =>
    Buffer.from(envelopeLines({ sender, recipient })).toString();
  assert.equal(lines('"a<b"@example.com', "alice"), "Delivered-To: alice\n");
  assert.equal(lines("bob@example.org", "a\nb"), "Return-Path: <bob@example.org>\n");
  assert.equal(lines("a\nb", "a\nb"), "");
});

async function taken(...chunks: readonly string[]) {
  async function* source() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const { octets, sender } = withoutMboxLine(source());
  const parts: Uint8Array[] = [];
  for await (const part of octets) parts.push(part);
  return [Buffer.concat(parts).toString(), sender()];
}

test("a line of mboxes is taken off wherever it is cut, and says who sent it", async () => {
  const line = "From bob@example.org  Mon Nov 23 14:00:00 2026\n";
  const rest = "From: Bob\n\nFrom here on\n";
  for (let at = 0; at <= line.length; at++) {
    const found = await taken(line.slice(0, at), line.slice(at) + rest);
    assert.deepEqual(found, [rest, "bob@example.org"]);
  }
  assert.deepEqual(await taken(...line, ...rest), [rest, "bob@example.org"]);
});

test("a sender that has blanks in it, and dates as others write them", async () => {
  for (
    const [line, sender] of [
      ["From MAILER-DAEMON  Sun Nov  1 14:00:00 2026\r\n", "MAILER-DAEMON"],
      ['From "a b"@example.org Mon Nov 23 14:00 2026\n', '"a b"@example.org'],
      ["From a@b Mon Nov 23 14:00:00 CET 2026\n", "a@b"],
      ["From a@b Mon Nov 23 14:00:00 2026 +0100\n", "a@b"],
      ["From a\x01b Mon Nov 23 14:00:00 2026\n", "a\x01b"],
    ] as const
  ) {
    assert.deepEqual(await taken(`${line}x`), ["x", sender]);
  }
});

test("what only looks like such a line stays", async () => {
  for (
    const text of [
      ...["", "F", "From", "From: Bob\n\n", "Fromage\n", `From ${"x".repeat(2_000)}\n`],
      "From : Alice <a@example.com>\nSubject: x\n\n",
      "From here on all is body\n",
      "From a@b Mon Nov 23 2026\n",
      "From a@b Mon Nov 23 14:00:00 2026, and more\n",
    ]
  ) {
    assert.deepEqual(await taken(text), [text, undefined]);
    assert.deepEqual(await taken(...text), [text, undefined]);
  }
});
