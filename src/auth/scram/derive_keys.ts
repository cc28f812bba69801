/**
 * From a password to what SCRAM-SHA-256 keeps of it (RFC 5802 §3 with the hash of RFC 7677).
 *
 * The keys do not let anybody log in, unlike an NT hash, but they let who has them try passwords at the
 * cost of their iterations.
 */

import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import saslprep from "@mongodb-js/saslprep";
import { PASSWORD_OCTETS, SCRAM_ITERATIONS, SCRAM_SALT_OCTETS } from "../../limits.ts";
import type { ScramKeys } from "../login.ts";
import { PasswordFault } from "../password_schemes/scheme.ts";

const computePbkdf2 = promisify(pbkdf2);

export interface ScramKeyOptions {
  /** Drawn anew unless given. */
  readonly salt?: Uint8Array;
  readonly iterations?: number;
}

/**
 * Makes the keys for a password. Takes a tenth of a second, in a thread of the runtime.
 *
 * @throws {PasswordFault} If no client could log in with the password by SCRAM: RFC 5802 §2.2 wants it
 *   to be UTF-8 and prepared by SASLprep (RFC 4013), which forbids some characters.
 */
export async function makeScramKeys(
  password: Uint8Array,
  options: ScramKeyOptions = {},
): Promise<ScramKeys> {
  const prepared = preparePassword(password);
  const salt = options.salt ?? randomBytes(SCRAM_SALT_OCTETS.default);
  const iterations = options.iterations ?? SCRAM_ITERATIONS.default;
  const salted = await computePbkdf2(prepared, salt, iterations, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const serverKey = createHmac("sha256", salted).update("Server Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest();
  return { iterations, salt, storedKey, serverKey };
}

/** The octets that RFC 5802 calls Normalize(password). */
function preparePassword(password: Uint8Array): Uint8Array {
  if (password.length > PASSWORD_OCTETS) {
    throw new PasswordFault(`A password has at most ${PASSWORD_OCTETS} octets.`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(password);
  } catch {
    throw new PasswordFault("A password for SCRAM has to be UTF-8.");
  }
  let prepared: string;
  try {
    // A stored string (RFC 4013 §2): characters that Unicode 3.2 does not have are refused, as the
    // clients' libraries may refuse them.
    prepared = saslprep(text);
  } catch {
    throw new PasswordFault(
      "The password has characters that SCRAM cannot take (RFC 4013: control characters, some " +
        "mixtures of writing directions, characters newer than Unicode 3.2).",
    );
  }
  if (prepared === "") throw new PasswordFault("A password for SCRAM cannot be empty.");
  return Buffer.from(prepared, "utf8");
}
