/**
 * The NT hash of a password: MD4 of its UTF-16LE, 16 octets ([MS-NLMP] §3.3.1, NTOWFv1). It is not salted,
 * and to NTLM it is the password itself: who has the hash can log in with it. So it is kept only for users
 * who asked for NTLM, and it is never written anywhere but into the directory.
 *
 * *Knows* passwords and their NT hashes as a directory writes them. *Does not know* NTLM's messages.
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { NT_PASSWORD_UTF16_UNITS } from "../../limits.ts";
import { PasswordFault } from "../password_schemes/scheme.ts";

export const NT_HASH_OCTETS = 16;

/**
 * The NT hash of a password, given as text or as the UTF-8 that somebody typed. No normalization: a client
 * hashes what its user types.
 *
 * @throws {PasswordFault} If no NTLM client could log in with such a password: it is empty (which NTLM takes
 *   for nobody), longer than Windows takes, not UTF-8, or has a NUL or half a surrogate pair in it.
 */
export function ntHash(password: string | Uint8Array): Uint8Array {
  const text = typeof password === "string" ? password : decodeUtf8(password);
  if (text.length === 0) throw new PasswordFault("A password cannot be empty.");
  if (text.length > NT_PASSWORD_UTF16_UNITS) {
    throw new PasswordFault(
      `A password for NTLM has at most ${NT_PASSWORD_UTF16_UNITS} characters.`,
    );
  }
  if (text.includes("\0")) throw new PasswordFault("A password cannot have a NUL in it.");
  if (/\p{Surrogate}/u.test(text)) {
    throw new PasswordFault("A password for NTLM has to be whole Unicode characters.");
  }
  return Uint8Array.from(createHash("md4").update(Buffer.from(text, "utf16le")).digest());
}

/** As `smbpasswd` files, Samba's `pdbedit -w` and FreeRADIUS write it: 32 hexadecimal digits, upper case. */
export function encodeNtHash(hash: Uint8Array): string {
  return Buffer.from(hash).toString("hex").toUpperCase();
}

/** Reads 32 hexadecimal digits of either case; undefined for anything else. */
export function parseNtHash(text: string): Uint8Array | undefined {
  if (!/^[0-9A-Fa-f]{32}$/.test(text)) return undefined;
  return Uint8Array.from(Buffer.from(text, "hex"));
}

function decodeUtf8(octets: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    throw new PasswordFault("A password for NTLM has to be UTF-8.");
  }
}
