/**
 * ARGON2ID and ARGON2I (RFC 9106), written as the reference implementation and Dovecot do:
 * `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`, base64 without padding.
 *
 * The variant is what the hash says, whichever of the two names stands before it, as in Dovecot.
 * ARGON2D is not taken (its memory accesses follow the password), nor is version 16.
 */

import { Buffer } from "node:buffer";
import * as crypto from "node:crypto";
import { HASH_COST } from "../../limits.ts";
import {
  type CheckableHash,
  costClass,
  type HashFault,
  type MakeableScheme,
  malformed,
  octetsAsText,
  tooCostly,
} from "./scheme.ts";

/** OWASP Password Storage Cheat Sheet, Argon2id: 19 MiB, two passes, one lane. */
const MADE = {
  memoryKib: 19_456,
  passes: 2,
  parallelism: 1,
  saltOctets: 16,
  hashOctets: 32,
} as const;

/** Node's function of that name, which Bun has too and Deno has not; it takes three fifths of hash-wasm's time. */
const { argon2Sync } = crypto as {
  readonly argon2Sync?: (
    algorithm: "argon2i" | "argon2id",
    parameters: {
      readonly message: Uint8Array;
      readonly nonce: Uint8Array;
      readonly parallelism: number;
      readonly tagLength: number;
      /** KiB. */
      readonly memory: number;
      readonly passes: number;
    },
  ) => Uint8Array;
};

const PATTERN =
  /^\$argon2(id|i)\$v=19\$m=([0-9]{1,10}),t=([0-9]{1,10}),p=([0-9]{1,10})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

export const argon2: MakeableScheme = {
  names: ["ARGON2ID", "ARGON2I"],
  encoding: "text",

  read(stored): CheckableHash | HashFault {
    const match = PATTERN.exec(octetsAsText(stored));
    if (match === null) return malformed("ARGON2");
    const [, variant, m, t, p, salt64 = "", hash64 = ""] = match;
    const [memoryKib, passes, parallelism] = [Number(m), Number(t), Number(p)];
    if (parallelism < 1 || passes < 1 || memoryKib < 8 * parallelism) return malformed("ARGON2");
    if (
      memoryKib > HASH_COST.argon2MemoryKib || memoryKib * passes > HASH_COST.argon2WorkKib ||
      parallelism > HASH_COST.argon2Parallelism
    ) return tooCostly("ARGON2");
    const salt = Buffer.from(salt64, "base64");
    const hash = Buffer.from(hash64, "base64");

    return {
      costClass: costClass("argon2", memoryKib * passes),
      async matches(password) {
        const made = await compute(variant === "id" ? "id" : "i", password, salt, {
          memoryKib,
          passes,
          parallelism,
          hashOctets: hash.length,
        });
        return crypto.timingSafeEqual(made, hash);
      },
    };
  },

  async make(password) {
    const salt = crypto.randomBytes(MADE.saltOctets);
    const hash = await compute("id", password, salt, MADE);
    return encodeArgon2id(salt, hash);
  },
};

/** A string that costs what checking a fresh ARGON2ID hash costs and that no password is known to match. */
export function decoyArgon2id(): string {
  return encodeArgon2id(crypto.randomBytes(MADE.saltOctets), crypto.randomBytes(MADE.hashOctets));
}

function encodeArgon2id(salt: Uint8Array, hash: Uint8Array): string {
  const base64 = (octets: Uint8Array) => Buffer.from(octets).toString("base64").replace(/=+$/, "");
  const cost = `m=${MADE.memoryKib},t=${MADE.passes},p=${MADE.parallelism}`;
  return `$argon2id$v=19$${cost}$${base64(salt)}$${base64(hash)}`;
}

interface Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly hashOctets: number;
}

async function compute(
  variant: "id" | "i",
  password: Uint8Array,
  salt: Uint8Array,
  cost: Cost,
): Promise<Uint8Array> {
  if (argon2Sync !== undefined) {
    return argon2Sync(`argon2${variant}`, {
      message: password,
      nonce: salt,
      parallelism: cost.parallelism,
      tagLength: cost.hashOctets,
      memory: cost.memoryKib,
      passes: cost.passes,
    });
  }
  // Loaded when first needed: the thread that only reads hashes need not carry the algorithms.
  const { argon2i, argon2id } = await import("hash-wasm");
  return await (variant === "id" ? argon2id : argon2i)({
    password,
    salt,
    iterations: cost.passes,
    parallelism: cost.parallelism,
    memorySize: cost.memoryKib,
    hashLength: cost.hashOctets,
    outputType: "binary",
  });
}
