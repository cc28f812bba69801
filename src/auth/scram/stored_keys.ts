/**
 * The text form of what SCRAM-SHA-256 keeps of a password, as Dovecot writes it:
 * `{SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey`, the last three in base64.
 *
 * It holds no blank and no colon, so that it can stand in any field of a user file. *Does not know*
 * passwords: see `derive_keys.ts`.
 */

import { Buffer } from "node:buffer";
import { SCRAM_ITERATIONS, SCRAM_SALT_OCTETS } from "../../limits.ts";
import type { ScramKeys } from "../login.ts";

/** What is wrong with a stored text, for the log; it repeats nothing of the text. */
export interface ScramKeysFault {
  readonly reason: string;
}

/** Octets of SHA-256, and so of either key. */
const KEY_OCTETS = 32;

const PATTERN =
  /^\{SCRAM-SHA-256\}([1-9][0-9]{0,9}),([A-Za-z0-9+/]+={0,2}),([A-Za-z0-9+/]{43}=),([A-Za-z0-9+/]{43}=)$/i;

/** The keys as text, with the scheme's name before them. */
export function encodeScramKeys({ iterations, salt, storedKey, serverKey }: ScramKeys): string {
  return `{SCRAM-SHA-256}${iterations},${base64(salt)},${base64(storedKey)},${base64(serverKey)}`;
}

/** Reads what `encodeScramKeys` or Dovecot wrote. */
export function parseScramKeys(text: string): ScramKeys | ScramKeysFault {
  const match = PATTERN.exec(text);
  if (match === null) return { reason: "SCRAM-SHA-256 keys are not as the scheme wants them" };
  const iterations = Number(match[1]);
  if (iterations < SCRAM_ITERATIONS.min || iterations > SCRAM_ITERATIONS.max) {
    const { min, max } = SCRAM_ITERATIONS;
    return { reason: `SCRAM-SHA-256 keys have not ${min} to ${max} iterations` };
  }
  const [salt, storedKey, serverKey] = match.slice(2).map((part) => Buffer.from(part, "base64"));
  if (salt === undefined || storedKey?.length !== KEY_OCTETS || serverKey?.length !== KEY_OCTETS) {
    return { reason: "SCRAM-SHA-256 keys are not as the scheme wants them" };
  }
  if (salt.length < SCRAM_SALT_OCTETS.min || salt.length > SCRAM_SALT_OCTETS.max) {
    const { min, max } = SCRAM_SALT_OCTETS;
    return { reason: `the salt of SCRAM-SHA-256 keys has not ${min} to ${max} octets` };
  }
  return { iterations, salt, storedKey, serverKey };
}

export function isScramKeysFault(read: ScramKeys | ScramKeysFault): read is ScramKeysFault {
  return "reason" in read;
}

function base64(octets: Uint8Array): string {
  return Buffer.from(octets).toString("base64");
}
