/**
 * CRYPT and its named kinds: what crypt(3) writes, told apart by its prefix.
 *
 * As in Dovecot the prefix counts and not which of the names stands before it. MD5 (`$1$`) and DES are
 * off because they are broken; yescrypt (`$y$`) and scrypt (`$7$`) are not there.
 */

import { makeBcrypt, readBcrypt } from "./bcrypt.ts";
import {
  type CheckableHash,
  type HashFault,
  type MakeableScheme,
  octetsAsText,
  type PasswordScheme,
} from "./scheme.ts";
import { makeShaCrypt, readShaCrypt } from "./sha_crypt.ts";

const READERS: Readonly<Record<string, (stored: Uint8Array) => CheckableHash | HashFault>> = {
  "2a": readBcrypt,
  "2b": readBcrypt,
  "2y": readBcrypt,
  "5": readShaCrypt,
  "6": readShaCrypt,
};

const NOT_HONOURED: Readonly<Record<string, string>> = {
  "1": "MD5-CRYPT",
  "2x": "the faulty bcrypt of $2x$",
  "7": "scrypt",
  "gy": "gost-yescrypt",
  "md5": "SunMD5",
  "sha1": "SHA1-CRYPT",
  "y": "yescrypt",
};

function readCrypt(stored: Uint8Array): CheckableHash | HashFault {
  const text = octetsAsText(stored);
  // As shadow(5) has it: no hash begins so, the account's password is locked.
  if (/^[!*]/.test(text)) return { kind: "locked", reason: "the password is locked" };
  const prefix = /^\$([0-9a-z]+)[$,]/.exec(text)?.[1] ?? "";
  const reader = READERS[prefix];
  if (reader !== undefined) return reader(stored);
  const what = NOT_HONOURED[prefix];
  const reason = what === undefined
    ? "neither a {SCHEME} nor a crypt(3) hash that popkeep honours"
    : `${what} is not honoured`;
  return { kind: "unsupported", reason };
}

export const crypt: PasswordScheme = { names: ["CRYPT"], encoding: "text", read: readCrypt };

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
