import { strictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeModifiedUtf7, encodeModifiedUtf7 } from "../../../src/maildir/modified_utf7.ts";

/** RFC 3501 §5.1.3 has the first; Dovecot 2.3 (`doveadm mailbox mutf7`) wrote the others. */
const NAMES: readonly [name: string, onDisk: string][] = [
  ["~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"],
  ["Entwürfe", "Entw&APw-rfe"],
  ["R&D", "R&-D"],
  ["Work", "Work"],
  ["📬", "&2D3c7A-"],
];

test("names are written on disk as RFC 3501 and Dovecot write them", () => {
  for (const [name, onDisk] of NAMES) strictEqual(encodeModifiedUtf7(name), onDisk);
});

test("every name is read back as it was", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (name) => {
    strictEqual(decodeModifiedUtf7(encodeModifiedUtf7(name)), name);
  }));
});

test("what no name is written as is no name", () => {
  for (const odd of ["a&b", "a&", "&AGE-", "&A-", "&!!-", "ü"]) {
    strictEqual(decodeModifiedUtf7(odd), undefined, odd);
  }
});
