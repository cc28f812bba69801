declare const brand: unique symbol;

/** A message's number within one session: 1 to the snapshot's count, fixed for the session (RFC 1939 §5). */
export type MessageNumber = number & { readonly [brand]: "MessageNumber" };

/**
 * Reads a message number as a client sends it: decimal digits only, 1 to `count`.
 *
 * Leading zeros are allowed, signs, points, exponents and anything else are not. Returns undefined for
 * what is no number of the snapshot; the caller does not learn whether it was malformed or too large.
 */
export function parseMessageNumber(text: string, count: number): MessageNumber | undefined {
  if (!/^[0-9]{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= 1 && value <= count ? value as MessageNumber : undefined;
}
