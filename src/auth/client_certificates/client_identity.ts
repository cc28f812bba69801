/** What a login mechanism may know of the client's certificate. */

/**
 * - `yes`: the certificate holds.
 * - `no`: it is out of date or revoked.
 * - `unknown`: it cannot be found out now, since a revocation list is missing or out of date.
 */
export type Validity = "yes" | "no" | "unknown";

/** Whom a verified client certificate names. */
export interface ClientIdentity {
  /** User names, the certificate's first one first. */
  readonly names: readonly [string, ...string[]];
  /** Whether the certificate still holds, asked at each login. Never rejects; the log has the reason. */
  validity(): Promise<Validity>;
}
