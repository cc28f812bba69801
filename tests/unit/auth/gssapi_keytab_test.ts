import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { readKeytab, realmsOf } from "../../../src/auth/gssapi/keytab.ts";

/** As kadmin wrote it, with two keys, which are zeros here. */
const WRITTEN = "0502" +
  "00000057" + "0002" + "000b4558414d504c452e4f5247" + "0003706f70" +
  "00106d61696c2e6578616d706c652e6f7267" + "00000001" + "6b039cec" + "01" + "0012" + "0020" +
  "00".repeat(32) + "00000001" +
  "00000047" + "0002" + "000b4558414d504c452e4f5247" + "0003706f70" +
  "00106d61696c2e6578616d706c652e6f7267" + "00000001" + "6b039cec" + "01" + "0011" + "0010" +
  "00".repeat(16) + "00000001";

const keytab = () => Buffer.from(WRITTEN, "hex");

const POP = { realm: "EXAMPLE.ORG", components: ["pop", "mail.example.org"] };

function text(value: string): Buffer {
  const octets = Buffer.from(value);
  return Buffer.concat([Buffer.from([octets.length >> 8, octets.length & 0xff]), octets]);
}

function entry(realm: string, ...components: string[]): Buffer {
  const content = Buffer.concat([
    Buffer.from([0, components.length]),
    ...[realm, ...components].map(text),
    Buffer.alloc(20),
  ]);
  return Buffer.concat([lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeInt32BE(length);
  return octets;
}

const file = (...parts: readonly Buffer[]) => Buffer.concat([Buffer.from([5, 2]), ...parts]);

test("the principal of each key is read", () => {
  deepStrictEqual(readKeytab(keytab()), [POP, POP]);
});

test("entries are read in their order, over the holes between them", () => {
  const hole = Buffer.concat([lengthOf(-7), Buffer.alloc(7, 0xff)]);
  const octets = file(entry("A.ORG", "pop", "a"), hole, entry("B.ORG", "imap", "b"), hole);
  deepStrictEqual(readKeytab(octets), [
    { realm: "A.ORG", components: ["pop", "a"] },
    { realm: "B.ORG", components: ["imap", "b"] },
  ]);
});

test("a length of nothing ends the file", () => {
  const octets = file(entry("A.ORG", "pop", "a"), lengthOf(0), Buffer.alloc(100, 0xff));
  strictEqual(readKeytab(octets)?.length, 1);
});

test("a keytab without entries has none", () => {
  deepStrictEqual(readKeytab(file()), []);
});

test("what is no keytab, and one of version 1, is told", () => {
  for (const octets of [Buffer.alloc(0), Buffer.from("hello"), Buffer.from([5, 1, 0, 0])]) {
    strictEqual(readKeytab(octets), undefined);
  }
});

test("lengths that lead out of the file or of an entry are told, wherever it is cut", () => {
  const octets = file(entry("A.ORG", "pop", "a"));
  for (let length = 6; length < octets.length; length++) {
    strictEqual(readKeytab(octets.subarray(0, length)), undefined, `cut at ${length}`);
  }
  const tooManyComponents = Buffer.from(octets);
  tooManyComponents.writeUInt16BE(40_000, 6);
  strictEqual(readKeytab(tooManyComponents), undefined);
  const most = Buffer.from(octets);
  most.writeInt32BE(-2_147_483_648, 2);
  strictEqual(readKeytab(most), undefined);
});

test("the realms of a service are those of its keys, each once", () => {
  const principals = readKeytab(file(
    entry("A.ORG", "pop", "a"),
    entry("A.ORG", "pop", "b"),
    entry("B.ORG", "pop", "a"),
    entry("C.ORG", "imap", "a"),
    entry("D.ORG", "popular", "a"),
  ));
  deepStrictEqual(realmsOf(principals!, "pop"), ["A.ORG", "B.ORG"]);
});
