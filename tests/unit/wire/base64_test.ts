/** Strict base64: what an encoder makes is read, and nothing else. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { decodeBase64, encodeBase64 } from "../../../src/wire/base64.ts";

function decode(text: string): string | undefined {
  const octets = decodeBase64(Buffer.from(text, "latin1"));
  return octets === undefined ? undefined : Buffer.from(octets).toString("latin1");
}

for (const text of ["", "f", "fo", "foo", "\0alice\0secret", "\xff\xfe\xfd"]) {
  test(`${JSON.stringify(text)} comes back as it was`, () => {
    assert.equal(decode(encodeBase64(Buffer.from(text, "latin1"))), text);
  });
}

const FAULTY = [
  ...["Z", "Zg", "Zg=", "Zm8", "Zg===", "=", "==", "====", "Zg==Zg==", "Z=g="],
  ...["Zm9v ", " Zm9v", "Zm 9v", "Zm9v\r", "Zm9v\n", "Zm9v\0", "Zm-_", "Zm9*", "*", "Zm9\xff"],
  // Bits that the padding leaves unused are set: a second spelling of "f" and of "fo".
  ...["Zh==", "Zm9="],
];

for (const text of FAULTY) {
  test(`${JSON.stringify(text)} is refused`, () => {
    assert.equal(decode(text), undefined);
  });
}
