/** Strict base64 (RFC 4648 §4) for SASL: what a client sends is either exactly right or a fault. */

import { Buffer } from "node:buffer";

/** Groups of four, padding only at the end and only as long as it must be. */
const GRAMMAR = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Decodes base64, or returns undefined for anything that an encoder would not have made: foreign
 * characters, blanks, missing padding, and bits set that padding leaves unused. `node:buffer` alone
 * would skip and guess.
 */
export function decodeBase64(encoded: Uint8Array): Uint8Array | undefined {
  const text = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length).toString("latin1");
  if (!GRAMMAR.test(text)) return undefined;
  const octets = Buffer.from(text, "base64");
  return octets.toString("base64") === text ? octets : undefined;
}

/** Encodes octets as base64 on one line. */
export function encodeBase64(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("base64");
}
