/**
 * The password field of a directory entry: `{SCHEME}hash`, `{SCHEME.B64}hash`, `{SCHEME.HEX}hash`, or a
 * hash without a scheme, which is CRYPT: Dovecot's default for a passwd-file.
 *
 * *Knows* all schemes by name. *Does not know* users, files or threads.
 */

import { Buffer } from "node:buffer";
import { PASSWORD_OCTETS } from "../limits.ts";
import { argon2, decoyArgon2id } from "./password_schemes/argon2.ts";
import { blfCrypt, crypt, md5Crypt, sha256Crypt, sha512Crypt } from "./password_schemes/crypt.ts";
import { cramMd5 } from "./password_schemes/cram_md5.ts";
import { pbkdf2 } from "./password_schemes/pbkdf2.ts";
import { plaintext } from "./password_schemes/plaintext.ts";
import {
  type CheckableHash,
  type HashFault,
  type MakeableScheme,
  PasswordFault,
  type PasswordScheme,
  tooWeak,
  type WeakSchemes,
} from "./password_schemes/scheme.ts";
import { scramSha1, scramSha256 } from "./password_schemes/scram.ts";
import { sha256, sha512, ssha256, ssha512 } from "./password_schemes/sha2_digest.ts";
import { weakDigests } from "./password_schemes/weak_digests.ts";

const MAKEABLE: readonly MakeableScheme[] = [
  argon2,
  blfCrypt,
  sha512Crypt,
  sha256Crypt,
  ssha512,
  ssha256,
  pbkdf2,
  plaintext,
];

/** Schemes that count only where the setting `weak_password_schemes` names them. */
const WEAK: readonly PasswordScheme[] = [md5Crypt, ...weakDigests, cramMd5];

const SCHEMES: readonly PasswordScheme[] = [
  ...MAKEABLE,
  crypt,
  sha512,
  sha256,
  scramSha256,
  scramSha1,
  ...WEAK,
];

const BY_NAME: ReadonlyMap<string, PasswordScheme> = new Map(
  SCHEMES.flatMap((scheme) => scheme.names.map((name) => [name, scheme])),
);

/**
 * Dovecot's other schemes: what no library that is kept up offers, or what holds no password. A fault may
 * name them; any other word in braces may be part of a password that somebody forgot to hash.
 */
const NOT_HONOURED: ReadonlySet<string> = new Set([
  "DES-CRYPT",
  "DIGEST-MD5",
  "LANMAN",
  "OTP",
  "PLAIN-TRUNC",
  "RPA",
  "SKEY",
]);

/** Names of the schemes that `hashPassword` makes, the recommended one first. */
export const MAKEABLE_SCHEMES: readonly string[] = MAKEABLE.map((scheme) => scheme.names[0] ?? "");

/** Names of the schemes that are honoured only where the settings name them. */
export const WEAK_SCHEMES: readonly string[] = WEAK.map((scheme) => scheme.names[0] ?? "");

/** For who checks what was decided to be honoured before. */
export const ALL_WEAK_SCHEMES: WeakSchemes = new Set(WEAK_SCHEMES);

const NO_WEAK_SCHEMES: WeakSchemes = new Set();

/** What a setting names, in any case and by any of Dovecot's names; what is no weak scheme is `unknown`. */
export function weakSchemesNamed(
  names: readonly string[],
): { readonly weak: WeakSchemes; readonly unknown: readonly string[] } {
  const weak = new Set<string>();
  const unknown: string[] = [];
  for (const name of names) {
    const found = WEAK.find((scheme) => scheme.names.includes(name.toUpperCase()));
    if (found === undefined) unknown.push(name);
    else weak.add(found.names[0] ?? "");
  }
  return { weak, unknown };
}

/**
 * Reads a password field and returns what checks passwords against it; computes nothing.
 *
 * @param weak The weak schemes that are honoured: none unless given.
 */
export function readStoredPassword(
  stored: string,
  weak: WeakSchemes = NO_WEAK_SCHEMES,
): CheckableHash | HashFault {
  if (stored === "") return { kind: "locked", reason: "no password is set" };
  const { name, encoding, hash } = parseScheme(stored);
  const scheme = BY_NAME.get(name);
  // As shadow(5) has it: no hash begins so, the account's password is locked.
  if (scheme !== plaintext && /^[!*]/.test(hash)) {
    return { kind: "locked", reason: "the password is locked" };
  }
  if (scheme === undefined) {
    const what = NOT_HONOURED.has(name) ? `the scheme ${name}` : "a scheme of an unknown name";
    return { kind: "unsupported", reason: `${what} is not honoured` };
  }
  const [canonical = ""] = scheme.names;
  if (scheme.weak && !weak.has(canonical)) return tooWeak(canonical);
  const raw = decode(hash, encoding, scheme);
  return raw instanceof Uint8Array ? scheme.read(raw, weak) : raw;
}

/** Whether a password field says that nobody logs in, by whatever else the entry may hold. */
export function isLocked(stored: string): boolean {
  if (stored === "") return false;
  const read = readStoredPassword(stored);
  return isHashFault(read) && read.kind === "locked";
}

export function isHashFault(read: CheckableHash | HashFault): read is HashFault {
  return "reason" in read;
}

/** The name of the scheme that a password field is written in, or undefined if it is none of ours. */
export function schemeOf(stored: string): string | undefined {
  return BY_NAME.get(parseScheme(stored).name)?.names[0];
}

/** Whether a string of octets could be somebody's password: 1 to PASSWORD_OCTETS of them, no NUL. */
export function isPossiblePassword(password: Uint8Array): boolean {
  // Dovecot and crypt(3) end a password at NUL, so a hash of more than stands before it cannot exist.
  return password.length > 0 && password.length <= PASSWORD_OCTETS && !password.includes(0);
}

/**
 * Makes a password field for a directory entry: `{SCHEME}hash` with a fresh salt.
 *
 * Takes up to a second and blocks its thread: for command lines, not for a server's.
 *
 * @throws {PasswordFault} If popkeep makes no such scheme, or it cannot take this password.
 */
export async function hashPassword(scheme: string, password: Uint8Array): Promise<string> {
  const name = scheme.toUpperCase();
  const found = MAKEABLE.find((makeable) => makeable.names[0] === name);
  if (found === undefined) {
    throw new PasswordFault(`There is no scheme "${scheme}". Take ${MAKEABLE_SCHEMES.join(", ")}.`);
  }
  if (password.length === 0) throw new PasswordFault("A password cannot be empty.");
  if (password.length > PASSWORD_OCTETS) {
    throw new PasswordFault(`A password has at most ${PASSWORD_OCTETS} octets.`);
  }
  if (password.includes(0)) throw new PasswordFault("A password cannot have a NUL in it.");
  const hash = await found.make(password);
  // Only PLAIN can hold what would end the field or the line, or be no UTF-8.
  if (/^[\x21-\x39\x3b-\x7e]+$/.test(hash)) return `{${name}}${hash}`;
  return `{${name}.B64}${Buffer.from(hash, "latin1").toString("base64")}`;
}

/** A password field that costs what a fresh one of the default scheme costs and that nothing matches. */
export function decoyPassword(): string {
  return `{ARGON2ID}${decoyArgon2id()}`;
}

/** Scheme and encoding in upper case; the encoding is "" where the scheme's own is meant. */
function parseScheme(stored: string): { name: string; encoding: string; hash: string } {
  const match = /^\{([^}.]*)(?:\.([^}]*))?\}(.*)$/s.exec(stored);
  if (match === null) return { name: "CRYPT", encoding: "", hash: stored };
  const [, name = "", encoding = "", hash = ""] = match;
  // Dovecot's MD5 is two things, told apart by what crypt(3) begins with.
  if (name.toUpperCase() === "MD5" && hash.startsWith("$1$")) {
    return { name: "MD5-CRYPT", encoding: "", hash };
  }
  return { name: name.toUpperCase(), encoding: encoding.toUpperCase(), hash };
}

function decode(hash: string, encoding: string, scheme: PasswordScheme): Uint8Array | HashFault {
  const hexOctets = (scheme.rawOctets ?? 0) * 2;
  const is = encoding !== "" || scheme.encoding === "text"
    ? encoding
    : hash.length === hexOctets
    ? "HEX"
    : "B64";
  if (is === "") return Buffer.from(hash, "utf8");
  if (is === "HEX") {
    return /^(?:[0-9a-fA-F]{2})*$/.test(hash)
      ? Buffer.from(hash, "hex")
      : { kind: "malformed", reason: "not hexadecimal as the scheme wants it" };
  }
  if (is === "B64" || is === "BASE64") {
    return /^[A-Za-z0-9+/]*={0,2}$/.test(hash)
      ? Buffer.from(hash, "base64")
      : { kind: "malformed", reason: "not base64 as the scheme wants it" };
  }
  return { kind: "unsupported", reason: "an encoding of an unknown name is not honoured" };
}
