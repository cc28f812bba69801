/**
 * SSHA512, SSHA256, SHA512 and SHA256: one SHA-2 digest of password and salt, the salt written behind it.
 *
 * They cost an attacker who has the file next to nothing, so they are honoured for what already
 * exists; the unsalted ones are never made. Their SHA-1 and MD5 relatives are off.
 */

import { Buffer } from "node:buffer";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import {
  type CheckableHash,
  costClass,
  type HashFault,
  type MakeableScheme,
  malformed,
  type PasswordScheme,
} from "./scheme.ts";

type Algorithm = "sha256" | "sha512";

const DIGEST_OCTETS: Readonly<Record<Algorithm, number>> = { sha256: 32, sha512: 64 };

/** Octets of salt in new hashes. Dovecot makes 4 and takes any number. */
const MADE_SALT_OCTETS = 16;

function salted(name: string, algorithm: Algorithm): MakeableScheme {
  const digestOctets = DIGEST_OCTETS[algorithm];
  return {
    names: [name],
    encoding: "base64",
    read(stored) {
      if (stored.length <= digestOctets) return malformed(name);
      return compare(algorithm, stored.subarray(0, digestOctets), stored.subarray(digestOctets));
    },
    make(password) {
      const salt = randomBytes(MADE_SALT_OCTETS);
      const digest = createHash(algorithm).update(password).update(salt).digest();
      return Promise.resolve(Buffer.concat([digest, salt]).toString("base64"));
    },
  };
}

function unsalted(name: string, algorithm: Algorithm): PasswordScheme {
  const rawOctets = DIGEST_OCTETS[algorithm];
  return {
    names: [name],
    encoding: "base64",
    rawOctets,
    read: (stored): CheckableHash | HashFault =>
      stored.length === rawOctets ? compare(algorithm, stored, new Uint8Array()) : malformed(name),
  };
}

function compare(algorithm: Algorithm, digest: Uint8Array, salt: Uint8Array): CheckableHash {
  return {
    costClass: costClass(algorithm, 1),
    matches: (password) =>
      timingSafeEqual(createHash(algorithm).update(password).update(salt).digest(), digest),
  };
}

export const ssha512: MakeableScheme = salted("SSHA512", "sha512");
export const ssha256: MakeableScheme = salted("SSHA256", "sha256");
export const sha512: PasswordScheme = unsalted("SHA512", "sha512");
export const sha256: PasswordScheme = unsalted("SHA256", "sha256");
