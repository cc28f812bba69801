/**
 * Whether what a token says of itself is enough to log in here, and as whom. The same for the claims of
 * a signed token (RFC 7519 §4.1, RFC 9068) and for an authorization server's answer (RFC 7662 §2.2).
 *
 * Pure. *Knows* claims, whose origin somebody else has checked. *Does not know* tokens.
 */

import { Buffer } from "node:buffer";
import { OAUTH_CLOCK_LEEWAY_MS, USER_NAME_OCTETS } from "../../limits.ts";
import { isObject, type JsonObject } from "./json_object.ts";
import type { TokenFault } from "./token_check.ts";

export interface ClaimRules {
  /** "" is anybody. */
  readonly issuer: string;
  /** The token has to be for one of these; empty is for anybody. */
  readonly audience: readonly string[];
  /** The token has to have all of these. */
  readonly scopes: readonly string[];
  /** Name of the claim that holds the user; a dot leads into an object. */
  readonly userClaim: string;
}

export interface ClaimsFault {
  readonly fault: TokenFault;
  /** In words, for the log. */
  readonly reason: string;
  /** What the token has there. */
  readonly found?: string;
}

export type ClaimsVerdict =
  | { readonly user: string; readonly endsMs: number }
  | ClaimsFault;

/** `endsMs` is Infinity where the claims name no end. */
export function checkClaims(claims: JsonObject, rules: ClaimRules, nowMs: number): ClaimsVerdict {
  const ends = claims["exp"] === undefined ? Infinity : claims["exp"];
  const fault = timeFault(ends, claims["nbf"], nowMs) ?? originFault(claims, rules) ??
    kindFault(claims) ?? scopeFault(claims, rules);
  if (fault !== undefined) return fault;
  const user = userOf(claims, rules.userClaim);
  return typeof user === "string" ? { user, endsMs: Number(ends) * 1_000 } : user;
}

function timeFault(exp: unknown, nbf: unknown, nowMs: number): ClaimsFault | undefined {
  if (typeof exp !== "number") return invalid("the claim exp is no number");
  if (exp * 1_000 + OAUTH_CLOCK_LEEWAY_MS <= nowMs) return invalid("it has expired", timeText(exp));
  if (nbf === undefined) return undefined;
  if (typeof nbf !== "number") return invalid("the claim nbf is no number");
  const early = nbf * 1_000 - OAUTH_CLOCK_LEEWAY_MS > nowMs;
  return early ? invalid("it is not valid yet", timeText(nbf)) : undefined;
}

function originFault(
  claims: JsonObject,
  { issuer, audience }: ClaimRules,
): ClaimsFault | undefined {
  const { iss, aud } = claims;
  // RFC 7662 §2.2 leaves the issuer of an answer optional; a signed token without it fails in jwt.ts.
  if (issuer !== "" && iss !== undefined && iss !== issuer) {
    return invalid("it is of another issuer", textOf(iss));
  }
  if (audience.length === 0) return undefined;
  if (aud === undefined) return invalid("it names no audience");
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return audience.some((one) => named.includes(one))
    ? undefined
    : invalid("it is for another audience", textOf(aud));
}

/** Tokens that are good for something else than to be shown. */
function kindFault(claims: JsonObject): ClaimsFault | undefined {
  // RFC 7800 §3: it is worth something only together with a key, of which nothing is proved here.
  if (claims["cnf"] !== undefined) return invalid("it is bound to a key of the client");
  // RFC 7662 §2.1 lets servers answer for refresh tokens, too; Hydra says so in "token_use".
  if (claims["token_use"] === "refresh_token") return invalid("it is a refresh token");
  const type = claims["token_type"];
  const isBearer = typeof type === "string" && /^(?:Bearer|access_token)$/i.test(type);
  if (type === undefined || isBearer) return undefined;
  return invalid("it is no bearer token", textOf(type));
}

function scopeFault(claims: JsonObject, { scopes }: ClaimRules): ClaimsFault | undefined {
  // "scope" is RFC 8693 §4.2's and RFC 7662's, "scp" is Microsoft's and Okta's.
  const held = [claims["scope"], claims["scp"]].flatMap((claim): unknown[] =>
    typeof claim === "string" ? claim.split(" ") : Array.isArray(claim) ? claim : []
  );
  const missing = scopes.filter((scope) => !held.includes(scope));
  if (missing.length === 0) return undefined;
  const reason = `it lacks the scope ${missing.join(" ")}`;
  return { fault: "insufficient_scope", reason, found: textOf(held) };
}

function userOf(claims: JsonObject, userClaim: string): string | ClaimsFault {
  const { holder, name } = findClaim(claims, userClaim);
  const user = ownClaim(holder, name);
  if (user === undefined) return invalid(`it lacks the claim ${userClaim}`);
  // deno-lint-ignore no-control-regex -- a name holds no control characters
  if (typeof user !== "string" || user === "" || /[\x00-\x1f\x7f]/.test(user)) {
    return invalid(`its claim ${userClaim} is no user name`);
  }
  if (Buffer.byteLength(user, "utf8") > USER_NAME_OCTETS) {
    return invalid(`its claim ${userClaim} is too long for a user name`);
  }
  // OpenID Connect Core §5.1; some servers write it as a text. Else who claims an address would be it.
  const verified = ownClaim(holder, "email_verified");
  if (name === "email" && verified !== undefined && verified !== true && verified !== "true") {
    return invalid("its e-mail address is not verified", user);
  }
  return user;
}

/** A claim's own name may have dots in it, as those that are URLs have; else a dot leads into an object. */
function findClaim(claims: JsonObject, path: string): { holder: JsonObject; name: string } {
  const names = Object.hasOwn(claims, path) ? [path] : path.split(".");
  const name = names.pop()!;
  let holder = claims;
  for (const step of names) {
    const inner = ownClaim(holder, step);
    holder = isObject(inner) ? inner : {};
  }
  return { holder, name };
}

function ownClaim(holder: JsonObject, name: string): unknown {
  return Object.hasOwn(holder, name) ? holder[name] : undefined;
}

function invalid(reason: string, found?: string): ClaimsFault {
  return { fault: "invalid_token", reason, ...(found === undefined ? {} : { found }) };
}

/** Short enough for a log line. */
function textOf(claim: unknown): string {
  const text = typeof claim === "string" ? claim : JSON.stringify(claim) ?? "";
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

function timeText(seconds: number): string {
  const date = new Date(seconds * 1_000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}
