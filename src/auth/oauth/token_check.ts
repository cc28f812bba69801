/** What a mechanism may ask about an access token. A mechanism knows no keys and no clock. */

/** RFC 6750 §3.1: why a token does not do. This is all that a client learns. */
export type TokenFault = "invalid_request" | "invalid_token" | "insufficient_scope";

/**
 * - `valid`: the token is good here, and `user` is who it was issued for.
 * - `invalid`: it is not; the reason is in the log.
 * - `unavailable`: nothing could be found out now.
 */
export type TokenVerdict =
  | { readonly kind: "valid"; readonly user: string }
  | { readonly kind: "invalid"; readonly fault: TokenFault }
  | { readonly kind: "unavailable" };

/**
 * Checks a token; never rejects, what goes wrong is `unavailable`, with the reason in the log.
 *
 * @param token Undefined if the client sent what is no bearer token; only the log wants to know.
 * @param claimed The name that the client gave, for the log only.
 */
export type CheckToken = (token: string | undefined, claimed: string) => Promise<TokenVerdict>;
