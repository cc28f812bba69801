/**
 * Tells which keys of a key set could verify a token at all, for who looks at settings before they count.
 *
 * *Knows* keys. *Does not know* files or tokens.
 */

import { importJWK, type JWK } from "jose";
import { isObject, type JsonObject } from "./json_object.ts";
import { ALGORITHMS } from "./jwt.ts";

/** An algorithm to try a key with that names none, by its type and curve. */
const USUAL: Readonly<Record<string, string>> = {
  RSA: "RS256",
  "EC P-256": "ES256",
  "EC P-384": "ES384",
  "EC P-521": "ES512",
  "OKP Ed25519": "EdDSA",
};

/** How many keys of the set can be used. What is no key set has none. */
export async function countUsableKeys({ keys }: JsonObject): Promise<number> {
  // As `parseKeySet` takes it: one of them that is no key is somebody's mistake.
  if (!Array.isArray(keys) || !keys.every(isObject)) return 0;
  const usable = await Promise.all(keys.map(isUsable));
  return usable.filter((is) => is).length;
}

async function isUsable(key: unknown): Promise<boolean> {
  if (!isObject(key) || key["use"] !== undefined && key["use"] !== "sig") return false;
  const { kty, crv } = key;
  // Not every value can be made a text.
  if (typeof kty !== "string") return false;
  const type = kty === "RSA" || typeof crv !== "string" ? kty : `${kty} ${crv}`;
  const algorithm = key["alg"] ?? USUAL[type];
  if (typeof algorithm !== "string" || !ALGORITHMS.includes(algorithm)) return false;
  try {
    await importJWK(key as JWK, algorithm);
    return true;
  } catch {
    return false;
  }
}
