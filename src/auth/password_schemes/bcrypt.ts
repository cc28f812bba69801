/**
 * BLF-CRYPT: bcrypt as crypt(3) writes it, `$2a$`, `$2b$` or `$2y$`, two digits of cost, salt and hash.
 *
 * bcrypt sees 72 octets of a password. A longer one is checked by its first 72, as crypt(3) and Dovecot
 * do, or an existing user could not log in; a new hash of one is refused, since what follows would
 * silently count for nothing. `$2x$`, made by a faulty implementation, is not taken.
 */

import { randomBytes } from "node:crypto";
import { HASH_COST } from "../../limits.ts";
import {
  type CheckableHash,
  costClass,
  type HashFault,
  malformed,
  octetsAsText,
  PasswordFault,
  tooCostly,
} from "./scheme.ts";

/** What bcrypt's key schedule takes of a password. */
const KEY_OCTETS = 72;

/** OWASP asks for at least 10; 12 is what PHP and Django make now. */
const MADE_COST = 12;

const PATTERN = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/;

export function readBcrypt(stored: Uint8Array): CheckableHash | HashFault {
  const hash = octetsAsText(stored);
  const cost = Number(PATTERN.exec(hash)?.[1]);
  if (!(cost >= 4 && cost <= 31)) return malformed("BLF-CRYPT");
  if (cost > HASH_COST.bcryptCost) return tooCostly("BLF-CRYPT");
  return {
    costClass: costClass("bcrypt", 2 ** cost),
    async matches(password) {
      const { bcryptVerify } = await import("hash-wasm");
      // It compares the whole of both hashes, whatever differs.
      return await bcryptVerify({ password: password.subarray(0, KEY_OCTETS), hash });
    },
  };
}

/** @throws {PasswordFault} If the password has more than 72 octets. */
export async function makeBcrypt(password: Uint8Array): Promise<string> {
  if (password.length > KEY_OCTETS) {
    throw new PasswordFault(
      `BLF-CRYPT looks at the first ${KEY_OCTETS} octets of a password and this one is longer. ` +
        `Take a shorter one, or the scheme ARGON2ID.`,
    );
  }
  const { bcrypt } = await import("hash-wasm");
  const salt = randomBytes(16);
  return await bcrypt({ password, salt, costFactor: MADE_COST, outputType: "encoded" });
}
