/**
 * Stored passwords that other programs made: `doveadm pw` of Dovecot 2.3.19, `openssl passwd` of OpenSSL
 * 3.0, crypt(3) of libxcrypt 4.4 and the reference `argon2` command; and the NT hash that [MS-NLMP] gives
 * as its example. Passwords are in base64, since
 * some are no UTF-8.
 */

import { ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  ALL_WEAK_SCHEMES,
  isHashFault,
  readStoredPassword,
} from "../../../src/auth/stored_password.ts";

interface Vector {
  readonly by: string;
  readonly passwordBase64: string;
  readonly stored: string;
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL("./password_vectors.json", import.meta.url), "utf8"),
);

const kinds = Map.groupBy(vectors, ({ by, stored }) => {
  const kind = /^\{[^}]+\}|^\$[^$]+\$/.exec(stored)?.[0];
  return `${kind} by ${by}`;
});

for (const [kind, of] of kinds) {
  test(`${kind} matches its password and no other`, async () => {
    for (const { stored, passwordBase64 } of of) {
      const check = readStoredPassword(stored, ALL_WEAK_SCHEMES);
      if (isHashFault(check)) throw new Error(`${stored}: ${check.reason}`);
      const password = Buffer.from(passwordBase64, "base64");
      strictEqual(await check.matches(password), true, stored);
      const other = Buffer.from(password);
      other[0] = (other[0] ?? 0) ^ 1;
      strictEqual(await check.matches(other), false, stored);
    }
  });
}

test("there are vectors of every scheme", () => {
  const text = vectors.map(({ stored }) => stored).join("\n");
  for (
    const scheme of ["ARGON2ID", "ARGON2I", "BLF-CRYPT", "SHA512-CRYPT", "SHA256-CRYPT", "CRYPT"]
      .concat(["SSHA512", "SSHA256", "SHA512", "SHA256", "PBKDF2", "PLAIN", "CLEARTEXT", "CLEAR"])
      .concat(["MD5-CRYPT", "MD5", "SMD5", "SHA", "SHA1", "SSHA", "LDAP-MD5", "PLAIN-MD5", "NTLM"])
      .concat(["PLAIN-MD4", "CRAM-MD5", "HMAC-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"])
  ) ok(text.includes(`{${scheme}}`), scheme);
});
