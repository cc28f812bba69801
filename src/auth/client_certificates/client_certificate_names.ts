/** Which user names a client certificate stands for, by the kind of name that the settings choose. */

import { faultOfUserName } from "../user_name.ts";
import type { Certificate } from "../x509/certificate.ts";

/**
 * - `email`: an e-mail address among the alternative names; the one that old certificates have in their
 *   subject does not count (RFC 5280 §4.1.2.6).
 * - `upn`: a user principal name, as Active Directory's certificates have.
 * - `dns`: a DNS name among the alternative names, for devices.
 * - `common_name`: the subject's common name, if it has exactly one.
 */
export type CertificateUserName = "email" | "upn" | "dns" | "common_name";

/**
 * The names in the order of the certificate; none if it has none of the kind, or only such as no user can
 * have. Names with a "*" stand for many, so for no user.
 */
export function userNamesOf(
  { alternatives, commonNames }: Certificate,
  kind: CertificateUserName,
): readonly string[] {
  const names = kind === "common_name"
    // Which of several was meant cannot be told.
    ? commonNames.length === 1 ? commonNames : []
    : alternatives[kind];
  return names.filter((name) => !name.includes("*") && faultOfUserName(name) === undefined);
}
