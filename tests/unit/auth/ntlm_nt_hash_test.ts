/** Vectors: [MS-NLMP] §4.2.2.1.2, and `iconv -t utf-16le | openssl dgst -md4 -provider legacy`. */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { encodeNtHash, ntHash, parseNtHash } from "../../../src/auth/ntlm/nt_hash.ts";
import { PasswordFault } from "../../../src/auth/password_schemes/scheme.ts";
import { NT_PASSWORD_UTF16_UNITS } from "../../../src/limits.ts";

test("the NT hash of Microsoft's example password is Microsoft's", () => {
  strictEqual(encodeNtHash(ntHash("Password")), "A4F49C406510BDCAB6824EE7C30FD852");
});

test("letters beyond ASCII are hashed as the client's system has them, in UTF-16LE", () => {
  strictEqual(encodeNtHash(ntHash("päß🔑")), "D4E87848BC6855F913DBB8924653CE2C");
});

test("a password as typed, in UTF-8, has the hash of its text", () => {
  for (const password of ["secret", "päss wörd", "\ufeffkey", "🔑🔑"]) {
    deepStrictEqual(ntHash(Buffer.from(password, "utf8")), ntHash(password));
  }
});

test("passwords that no NTLM client can use are refused, and the reason does not hold them", () => {
  const long = "x".repeat(NT_PASSWORD_UTF16_UNITS + 1);
  for (const password of ["", long, "a\0b", "\ud83d", Buffer.from([0x70, 0xe4]), Buffer.of()]) {
    throws(() => ntHash(password), (error) => {
      return error instanceof PasswordFault && !error.message.includes("a\0b");
    });
  }
  strictEqual(ntHash(long.slice(1)).length, 16);
});

test("an NT hash is written as 32 digits and read in either case", () => {
  const hash = ntHash("Password");
  deepStrictEqual(parseNtHash(encodeNtHash(hash)), hash);
  deepStrictEqual(parseNtHash(encodeNtHash(hash).toLowerCase()), hash);
});

test("what is no NT hash is not read as one", () => {
  const digits = encodeNtHash(ntHash("Password"));
  for (const text of ["", digits.slice(1), digits + "0", digits.replace("A", "G"), `0x${digits}`]) {
    strictEqual(parseNtHash(text), undefined, text);
  }
});
