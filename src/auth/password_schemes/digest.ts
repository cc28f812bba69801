/** Schemes that are one digest of the password, or of password and salt, the salt written behind it. */

import { createHash, timingSafeEqual } from "node:crypto";
import {
  type CheckableHash,
  costClass,
  type HashFault,
  malformed,
  type PasswordScheme,
} from "./scheme.ts";

export type Digest = "md4" | "md5" | "sha1" | "sha256" | "sha512";

export const DIGEST_OCTETS: Readonly<Record<Digest, number>> = {
  md4: 16,
  md5: 16,
  sha1: 20,
  sha256: 32,
  sha512: 64,
};

/** Reads digest and salt. */
export function saltedDigest(names: readonly string[], algorithm: Digest): PasswordScheme {
  const octets = DIGEST_OCTETS[algorithm];
  return {
    names,
    encoding: "base64",
    read(stored): CheckableHash | HashFault {
      if (stored.length <= octets) return malformed(names[0] ?? "");
      return comparing(algorithm, stored.subarray(0, octets), stored.subarray(octets));
    },
  };
}

/** Reads a digest without salt, in hexadecimal or base64. */
export function unsaltedDigest(names: readonly string[], algorithm: Digest): PasswordScheme {
  const rawOctets = DIGEST_OCTETS[algorithm];
  return {
    names,
    encoding: "base64",
    rawOctets,
    read: (stored): CheckableHash | HashFault =>
      stored.length === rawOctets
        ? comparing(algorithm, stored, new Uint8Array())
        : malformed(names[0] ?? ""),
  };
}

function comparing(algorithm: Digest, digest: Uint8Array, salt: Uint8Array): CheckableHash {
  return {
    costClass: costClass(algorithm, 1),
    isQuick: true,
    matches: (password) =>
      timingSafeEqual(createHash(algorithm).update(password).update(salt).digest(), digest),
  };
}
