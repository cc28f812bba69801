/**
 * PBKDF2 (RFC 8018 §5.2) with HMAC-SHA-1 in Dovecot's form: `$1$<salt>$<rounds>$<40 hexadecimal digits>`.
 * The salt is the text as it stands there.
 */

import { Buffer } from "node:buffer";
import { pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { HASH_COST } from "../../limits.ts";
import { costClass, type MakeableScheme, malformed, octetsAsText, tooCostly } from "./scheme.ts";

/** Dovecot makes 5,000. OWASP asks for 1,300,000, at which each guess costs a server up to two seconds. */
const MADE_ROUNDS = 600_000;

const PATTERN = /^\$1\$([^$]*)\$([1-9][0-9]{0,9})\$([0-9a-fA-F]{40})$/;

export const pbkdf2: MakeableScheme = {
  names: ["PBKDF2"],
  encoding: "text",

  read(stored) {
    const match = PATTERN.exec(octetsAsText(stored));
    if (match === null) return malformed("PBKDF2");
    const rounds = Number(match[2]);
    if (rounds > HASH_COST.pbkdf2Rounds) return tooCostly("PBKDF2");
    const salt = Buffer.from(match[1] as string, "latin1");
    const key = Buffer.from(match[3] as string, "hex");
    return {
      costClass: costClass("pbkdf2", rounds),
      // Synchronous, since it runs in a thread made for it.
      matches: (password) => timingSafeEqual(compute(password, salt, rounds), key),
    };
  },

  make(password) {
    const salt = randomBytes(16).toString("hex");
    const key = compute(password, Buffer.from(salt, "latin1"), MADE_ROUNDS);
    return Promise.resolve(`$1$${salt}$${MADE_ROUNDS}$${key.toString("hex")}`);
  },
};

function compute(password: Uint8Array, salt: Uint8Array, rounds: number): Buffer {
  return pbkdf2Sync(password, salt, rounds, 20, "sha1");
}
