/**
 * CRYPT and its named kinds: what crypt(3) writes, told apart by its prefix.
 *
 * As in Dovecot the prefix counts and not which of the names stands before it. MD5-CRYPT (`$1$`) is weak.
 * DES-CRYPT is not there, for want of a library that is kept up (8 characters and 56 bits: no loss), nor
 * are yescrypt (`$y$`) and scrypt (`$7$`).
 */

import { makeBcrypt, readBcrypt } from "./bcrypt.ts";
import { readMd5Crypt } from "./md5_crypt.ts";
import {
  type CheckableHash,
  type HashFault,
  type MakeableScheme,
  octetsAsText,
  type PasswordScheme,
  tooWeak,
  type WeakSchemes,
} from "./scheme.ts";
import { makeShaCrypt, readShaCrypt } from "./sha_crypt.ts";

const MD5_CRYPT = "MD5-CRYPT";

// Maps, since a prefix may be a word that every object answers to.
const READERS: ReadonlyMap<string, (stored: Uint8Array) => CheckableHash | HashFault> = new Map([
  ["2a", readBcrypt],
  ["2b", readBcrypt],
  ["2y", readBcrypt],
  ["5", readShaCrypt],
  ["6", readShaCrypt],
]);

const NOT_HONOURED: ReadonlyMap<string, string> = new Map([
  ["2x", "the faulty bcrypt of $2x$"],
  ["7", "scrypt"],
  ["gy", "gost-yescrypt"],
  ["md5", "SunMD5"],
  ["sha1", "SHA1-CRYPT"],
  ["y", "yescrypt"],
]);

function readCrypt(stored: Uint8Array, weak: WeakSchemes): CheckableHash | HashFault {
  const text = octetsAsText(stored);
  const prefix = /^\$([0-9a-z]+)[$,]/.exec(text)?.[1] ?? "";
  if (prefix === "1") return weak.has(MD5_CRYPT) ? readMd5Crypt(stored) : tooWeak(MD5_CRYPT);
  const reader = READERS.get(prefix);
  if (reader !== undefined) return reader(stored);
  const what = NOT_HONOURED.get(prefix);
  const reason = what === undefined
    ? "neither a {SCHEME} nor a crypt(3) hash that popkeep honours"
    : `${what} is not honoured`;
  return { kind: "unsupported", reason };
}

export const crypt: PasswordScheme = { names: ["CRYPT"], encoding: "text", read: readCrypt };

/** No `weak` here: what stands behind the name counts, as for CRYPT. */
export const md5Crypt: PasswordScheme = { names: [MD5_CRYPT], encoding: "text", read: readCrypt };

export const blfCrypt: MakeableScheme = {
  names: ["BLF-CRYPT"],
  encoding: "text",
  read: readCrypt,
  make: makeBcrypt,
};

export const sha512Crypt: MakeableScheme = {
  names: ["SHA512-CRYPT"],
  encoding: "text",
  read: readCrypt,
  make: (password) => Promise.resolve(makeShaCrypt("6", password)),
};

export const sha256Crypt: MakeableScheme = {
  names: ["SHA256-CRYPT"],
  encoding: "text",
  read: readCrypt,
  make: (password) => Promise.resolve(makeShaCrypt("5", password)),
};
