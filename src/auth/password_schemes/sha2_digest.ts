/**
 * SSHA512, SSHA256, SHA512 and SHA256: one SHA-2 digest of password and salt.
 *
 * They cost an attacker who has the file next to nothing, so they are honoured for what already
 * exists; the unsalted ones are never made. Their SHA-1 and MD5 relatives are in weak_digests.ts.
 */

import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { saltedDigest, unsaltedDigest } from "./digest.ts";
import type { MakeableScheme, PasswordScheme } from "./scheme.ts";

/** Octets of salt in new hashes. Dovecot makes 4 and takes any number. */
const MADE_SALT_OCTETS = 16;

function makeable(name: string, algorithm: "sha256" | "sha512"): MakeableScheme {
  return {
    ...saltedDigest([name], algorithm),
    make(password) {
      const salt = randomBytes(MADE_SALT_OCTETS);
      const digest = createHash(algorithm).update(password).update(salt).digest();
      return Promise.resolve(Buffer.concat([digest, salt]).toString("base64"));
    },
  };
}

export const ssha512: MakeableScheme = makeable("SSHA512", "sha512");
export const ssha256: MakeableScheme = makeable("SSHA256", "sha256");
export const sha512: PasswordScheme = unsaltedDigest(["SHA512"], "sha512");
export const sha256: PasswordScheme = unsaltedDigest(["SHA256"], "sha256");
