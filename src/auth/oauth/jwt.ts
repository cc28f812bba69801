/**
 * Signed tokens (JSON Web Tokens, RFC 7519, as RFC 9068 has them for access), by `jose`.
 *
 * Only signatures with a public key count (RFC 8725 §3.1): "none" is none, and with HS256 the public key
 * would be the secret. What the token's header says of keys (jwk, jku, x5c) is not looked at.
 */

import { decodeProtectedHeader, errors, jwtVerify } from "jose";
import { OAUTH_CLOCK_LEEWAY_MS, OAUTH_KEYS_TRIED } from "../../limits.ts";
import type { JsonObject } from "./json_object.ts";
import type { KeySet, KeySource } from "./key_set.ts";

/** Those whose signatures count. */
export const ALGORITHMS: readonly string[] = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

export type SignedClaims =
  | { readonly claims: JsonObject }
  /** In words, for the log. */
  | { readonly reason: string; readonly found?: string };

export interface JwtRules {
  readonly keys: KeySource;
  /** Claims that have to be there. */
  readonly requiredClaims: readonly string[];
  /** The time of day, ms. */
  readonly nowMs: () => number;
}

/** Whether a token has the form of a signed JSON Web Token (three parts, a header that names `alg`). */
export function isJwt(token: string): boolean {
  return token.split(".").length === 3 && headerOf(token) !== undefined;
}

/**
 * The claims of a token, if its signature is right and its time is now.
 *
 * @throws {Error} If the keys cannot be had. Its message is for the log.
 */
export async function readJwt(token: string, rules: JwtRules): Promise<SignedClaims> {
  const keys = await rules.keys.current();
  const first = await verify(token, keys, rules);
  if (first !== "unknown key") return first;
  const newer = await rules.keys.newerThan(keys);
  const second = newer === undefined ? first : await verify(token, newer, rules);
  if (second !== "unknown key") return second;
  const { kid, alg } = headerOf(token) ?? {};
  const found = short(`kid ${kid === undefined ? "none" : JSON.stringify(kid)}, alg ${alg}`);
  return { reason: "it is signed with no key that is known", found };
}

async function verify(
  token: string,
  keys: KeySet,
  { requiredClaims, nowMs }: JwtRules,
): Promise<SignedClaims | "unknown key"> {
  const options = {
    algorithms: [...ALGORITHMS],
    requiredClaims: [...requiredClaims],
    clockTolerance: OAUTH_CLOCK_LEEWAY_MS / 1_000,
    currentDate: new Date(nowMs()),
  };
  try {
    return { claims: (await jwtVerify(token, keys, options)).payload };
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey || isUnnamedKeyAmiss(error, token)) {
      return "unknown key";
    }
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return faultOf(error, token);
    return await verifyWithEach(error, token, options);
  }
}

/** A token without a key id may be signed with any key of its kind. */
async function verifyWithEach(
  candidates: errors.JWKSMultipleMatchingKeys,
  token: string,
  options: Parameters<typeof jwtVerify>[2],
): Promise<SignedClaims | "unknown key"> {
  let tried = 0;
  for await (const key of candidates) {
    if (tried++ === OAUTH_KEYS_TRIED) break;
    try {
      return { claims: (await jwtVerify(token, key, options)).payload };
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) return faultOf(error, token);
    }
  }
  return "unknown key";
}

/** Without a key id, a wrong signature may be that of a key which came later. */
function isUnnamedKeyAmiss(error: unknown, token: string): boolean {
  return error instanceof errors.JWSSignatureVerificationFailed &&
    headerOf(token)?.kid === undefined;
}

function faultOf(error: unknown, token: string): SignedClaims {
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return { reason: "its signature is wrong" };
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    const alg = headerOf(token)?.alg;
    return { reason: "its algorithm is not allowed", found: short(String(alg)) };
  }
  if (error instanceof errors.JWTExpired) {
    return { reason: "it has expired", found: short(JSON.stringify(error.payload.exp)) };
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason, payload } = error;
    if (reason === "missing") return { reason: `it lacks the claim ${claim}` };
    if (reason === "invalid") return { reason: `the claim ${claim} is no number` };
    return { reason: "it is not valid yet", found: short(JSON.stringify(payload.nbf)) };
  }
  if (error instanceof errors.JWKSInvalid) {
    return { reason: "its key in the key set is not public" };
  }
  // Among others: an elliptic curve or RSA key that the runtime does not take.
  const known = error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid ||
    error instanceof errors.JOSENotSupported;
  return { reason: known ? "it is no well-formed token" : "its key cannot be used" };
}

/** Undefined if that is no header. */
function headerOf(token: string): { alg: string; kid?: unknown } | undefined {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return typeof alg === "string" ? { alg, kid } : undefined;
  } catch {
    return undefined;
  }
}

function short(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}
