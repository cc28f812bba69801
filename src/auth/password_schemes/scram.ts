/**
 * SCRAM-SHA-256 and SCRAM-SHA-1: what SCRAM keeps of a password, checked by deriving it anew (RFC 5802 §3),
 * so that who has nothing else stored can log in by a password too.
 *
 * RFC 5802 prepares the password by SASLprep first and Dovecot does not; where the two differ, both are
 * right.
 */

import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";
import { SCRAM_ITERATIONS } from "../../limits.ts";
import { DIGEST_OCTETS } from "./digest.ts";
import { costClass, malformed, octetsAsText, type PasswordScheme, tooCostly } from "./scheme.ts";

const PATTERN = /^([1-9][0-9]{0,9}),([A-Za-z0-9+/]+={0,2}),([A-Za-z0-9+/]+=*),([A-Za-z0-9+/]+=*)$/;

function scram(name: string, algorithm: "sha1" | "sha256"): PasswordScheme {
  const digestOctets = DIGEST_OCTETS[algorithm];
  return {
    names: [name],
    encoding: "text",
    read(stored) {
      const match = PATTERN.exec(octetsAsText(stored));
      if (match === null) return malformed(name);
      const iterations = Number(match[1]);
      if (iterations > SCRAM_ITERATIONS.max) return tooCostly(name);
      const salt = Buffer.from(match[2] as string, "base64");
      const storedKey = Buffer.from(match[3] as string, "base64");
      const serverKey = Buffer.from(match[4] as string, "base64");
      if (storedKey.length !== digestOctets || serverKey.length !== digestOctets) {
        return malformed(name);
      }
      const isKeyOf = (password: Uint8Array) => {
        const salted = pbkdf2Sync(password, salt, iterations, digestOctets, algorithm);
        const clientKey = createHmac(algorithm, salted).update("Client Key").digest();
        return timingSafeEqual(createHash(algorithm).update(clientKey).digest(), storedKey);
      };
      return {
        costClass: costClass(`pbkdf2 ${algorithm}`, iterations),
        async matches(password) {
          if (isKeyOf(password)) return true;
          const prepared = await preparedOtherwise(password);
          return prepared !== undefined && isKeyOf(prepared);
        },
      };
    },
  };
}

/** The password by SASLprep (RFC 4013); undefined where that changes nothing or cannot be done. */
async function preparedOtherwise(password: Uint8Array): Promise<Uint8Array | undefined> {
  if (password.every((octet) => octet >= 0x20 && octet < 0x7f)) return undefined;
  const { default: saslprep } = await import("@mongodb-js/saslprep");
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(password);
    const prepared = saslprep(text);
    return prepared === text || prepared === "" ? undefined : Buffer.from(prepared, "utf8");
  } catch {
    return undefined;
  }
}

export const scramSha256: PasswordScheme = scram("SCRAM-SHA-256", "sha256");
export const scramSha1: PasswordScheme = scram("SCRAM-SHA-1", "sha1");
