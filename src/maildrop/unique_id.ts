import { UNIQUE_ID_CHARACTERS } from "../limits.ts";

declare const brand: unique symbol;

/** A message's unique-id as sent: 1 to 70 characters of 0x21 to 0x7E (RFC 1939 §7 UIDL). */
export type UniqueId = string & { readonly [brand]: "UniqueId" };

/** Returns `text` as a unique-id, or undefined when it may not stand in a UIDL response. */
export function parseUniqueId(text: string): UniqueId | undefined {
  if (text.length < 1 || text.length > UNIQUE_ID_CHARACTERS) return undefined;
  return /^[\x21-\x7e]+$/.test(text) ? text as UniqueId : undefined;
}

/** The unique-id of a message that the counter numbered: decimal digits ([MS-STANXPOP3] C0007). */
export function decimalUniqueId(value: number): UniqueId {
  return String(value) as UniqueId;
}
