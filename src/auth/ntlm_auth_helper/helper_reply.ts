/**
 * What Samba's `ntlm_auth --helper-protocol=squid-2.5-ntlmssp` answers (ntlm_auth(1), and Squid's description
 * of its NTLM helpers): a line of two letters and what goes with them.
 *
 * - `TT BASE64`: send this challenge to the client.
 * - `AF NAME`: the client is NAME, with its domain before a backslash.
 * - `NA REASON`: no; the reason is the name of an NTSTATUS, which may also speak of an outage.
 * - `BH REASON`: the helper cannot tell.
 */

import { Buffer } from "node:buffer";

export type HelperReply =
  | { readonly kind: "challenge"; readonly octets: Uint8Array }
  | { readonly kind: "right"; readonly name: string }
  | { readonly kind: "wrong" }
  /** What the helper said, for the log; not made of anything secret. */
  | { readonly kind: "unavailable"; readonly said: string };

/**
 * Reasons that are about the client, what it sent or its account ([MS-ERREF] §2.3.1). Everything else is
 * about domain controllers, trusts and Samba itself, and never "wrong password".
 */
const ABOUT_THE_CLIENT: ReadonlySet<string> = new Set([
  "NT_STATUS_ACCOUNT_DISABLED",
  "NT_STATUS_ACCOUNT_EXPIRED",
  "NT_STATUS_ACCOUNT_LOCKED_OUT",
  "NT_STATUS_ACCOUNT_RESTRICTION",
  "NT_STATUS_INVALID_LOGON_HOURS",
  "NT_STATUS_INVALID_PARAMETER",
  "NT_STATUS_INVALID_WORKSTATION",
  "NT_STATUS_LOGON_FAILURE",
  "NT_STATUS_LOGON_TYPE_NOT_GRANTED",
  "NT_STATUS_NO_SUCH_USER",
  "NT_STATUS_NTLM_BLOCKED",
  "NT_STATUS_PASSWORD_EXPIRED",
  "NT_STATUS_PASSWORD_MUST_CHANGE",
  "NT_STATUS_WRONG_PASSWORD",
]);

/** Reads one line without its end. A line that is none of these is `unavailable`. */
export function parseHelperReply(line: string): HelperReply {
  const [, code = "", rest = ""] = /^([A-Z]{2})(?: (.*))?$/s.exec(line) ?? [];
  if (code === "TT" && rest !== "") {
    const octets = Buffer.from(rest, "base64");
    if (octets.toString("base64") === rest) return { kind: "challenge", octets };
  }
  if (code === "AF" && rest !== "") return { kind: "right", name: rest };
  if (code === "NA" && ABOUT_THE_CLIENT.has(rest)) return { kind: "wrong" };
  return { kind: "unavailable", said: code === "TT" || code === "AF" ? code : line };
}
