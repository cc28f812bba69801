/**
 * Names in NTLM messages: as a person reads them, and as the client put them into its hash. These are not
 * the same where a client speaks OEM: no code page is said, and those that still do it (curl) put the
 * user's octets, UTF-8 nowadays, into the message and widen each of them to 16 bits for the hash.
 */

import { Buffer } from "node:buffer";

export interface NtlmName {
  readonly text: string;
  /** The UTF-16 code units that the client hashed. */
  readonly hashed: string;
  /** The same in upper case, as a user name is hashed. */
  readonly hashedUpper: string;
}

/** Undefined if the octets are no name: half a code unit or half a surrogate pair, or a NUL. */
export function decodeName(octets: Uint8Array, unicode: boolean): NtlmName | undefined {
  const name = unicode ? decodeUnicode(octets) : decodeOem(octets);
  return name?.text.includes("\0") ? undefined : name;
}

function decodeUnicode(octets: Uint8Array): NtlmName | undefined {
  if (octets.length % 2 !== 0) return undefined;
  const text = Buffer.from(octets).toString("utf16le");
  if (/\p{Surrogate}/u.test(text)) return undefined;
  return { text, hashed: text, hashedUpper: upperCase(text) };
}

function decodeOem(octets: Uint8Array): NtlmName {
  const hashed = Buffer.from(octets).toString("latin1");
  const hashedUpper = hashed.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
  return { text: decodeUtf8(octets) ?? hashed, hashed, hashedUpper };
}

/** A name as the client gave it, with the domain where it gave one. */
export function loggedName({ user, domain }: {
  readonly user: NtlmName;
  readonly domain: NtlmName;
}): string {
  return domain.text === "" ? user.text : `${domain.text}\\${user.text}`;
}

/** Windows changes single code units: a letter whose upper case is several stays as it is. */
export function upperCase(text: string): string {
  let upper = "";
  for (let at = 0; at < text.length; at++) {
    const unit = text[at]!;
    const changed = unit.toUpperCase();
    upper += changed.length === 1 ? changed : unit;
  }
  return upper;
}

function decodeUtf8(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}
