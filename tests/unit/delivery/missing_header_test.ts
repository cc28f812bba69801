import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { withHeaderEnd } from "../../../src/delivery/missing_header.ts";

async function behind(...chunks: readonly Uint8Array[]): Promise<string> {
  async function* source() {
    for (const chunk of chunks) yield chunk;
  }
  const parts: Uint8Array[] = [];
  for await (const part of withHeaderEnd(source())) parts.push(part);
  return Buffer.concat(parts).toString("latin1");
}

/** Wherever a message is cut, and octet by octet. */
async function eachCut(message: string): Promise<Set<string>> {
  const octets = Buffer.from(message, "latin1");
  const found = new Set([await behind(...Array.from(octets, (octet) => Buffer.of(octet)))]);
  for (let at = 0; at <= octets.length; at++) {
    found.add(await behind(octets.subarray(0, at), octets.subarray(at)));
  }
  return found;
}

const WITH_HEADER = [
  "",
  "\n",
  "\r\n",
  "\n\nbody",
  "Subject: x\n\ny\n",
  "Subject:\r\n",
  "From : a@b\n",
  "X-\t\t: y",
  ">From: a@b\n\n",
  "!:",
];

const WITHOUT = [
  "just text\nand more",
  "just",
  "\r",
  "\rx",
  " folded\n",
  "\tfolded: x\n",
  ": no name\n",
  "two words: x\n",
  "From bob to you\n",
  ">From bob@example.org  Mon Nov 23 14:00:00 2026\n",
  "b\xc3\xbccher: x\n",
  "nul\0: x\n",
  "name\n: x\n",
];

test("a message without a header has its end, so that its text is not among our header lines", async () => {
  for (const message of WITHOUT) {
    assert.deepEqual(await eachCut(message), new Set([`\n${message}`]), JSON.stringify(message));
  }
});

test("a message that begins with a header line, or with the end of one, stays as it is", async () => {
  for (const message of WITH_HEADER) {
    assert.deepEqual(await eachCut(message), new Set([message]), JSON.stringify(message));
  }
});

test("no more is held back than a line may be long", async () => {
  let came = 0;
  async function* source() {
    for (; came < 100_000; came += 100) yield Buffer.from("x".repeat(100));
  }
  const { value } = await withHeaderEnd(source()).next();
  assert.deepEqual([Buffer.from(value!).toString(), came < 2_000], ["\n", true]);
});
