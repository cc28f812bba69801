/**
 * What an LDAP server's answers mean: whether it answered at all, and what it says of a password.
 *
 * Active Directory answers every bind that fails with invalidCredentials and tells more in the text, as
 * `data 52e`, a Win32 error in hexadecimal ([MS-ERREF] §2.2). Of those 530, 531, 532, 533, 701 and 773 come
 * only when the password is right (Microsoft, "Bind Error Codes" of the LDAP documentation of Active Directory); 525,
 * 52e and 775, which is a lock after too many wrong passwords, tell nothing of it.
 *
 * *Knows* RFC 4511's result codes. *Does not know* connections.
 */

import { ResultCodeError } from "ldapts";

/** `disabled`: the password is right and the account may not log in. */
export type BindVerdict = "right" | "wrong" | "disabled";

/** Result codes of RFC 4511 Appendix A, and what they mean of a bind as a user. */
const CODES = {
  timeLimitExceeded: 3,
  adminLimitExceeded: 11,
  /** 389 Directory Server: too many wrong passwords. */
  constraintViolation: 19,
  noSuchObject: 32,
  /** The name cannot be one. */
  invalidDnSyntax: 34,
  /** The entry has no password. */
  inappropriateAuthentication: 48,
  invalidCredentials: 49,
  busy: 51,
  unavailable: 52,
  unwillingToPerform: 53,
} as const;

/** Win32 errors that Active Directory gives only to who knows the password. */
const RIGHT_BUT: ReadonlySet<string> = new Set([
  "530", // ERROR_INVALID_LOGON_HOURS
  "531", // ERROR_INVALID_WORKSTATION
  "532", // ERROR_PASSWORD_EXPIRED
  "533", // ERROR_ACCOUNT_DISABLED
  "701", // ERROR_ACCOUNT_EXPIRED
  "773", // ERROR_PASSWORD_MUST_CHANGE
]);

/** The server has no time for us: another may. */
const NO_ANSWERS: ReadonlySet<number> = new Set([
  CODES.timeLimitExceeded,
  CODES.adminLimitExceeded,
  CODES.busy,
  CODES.unavailable,
]);

/** Codes that say of a bind that this name and this password do not go together. */
const WRONG: ReadonlySet<number> = new Set([
  CODES.constraintViolation,
  CODES.noSuchObject,
  CODES.invalidDnSyntax,
  CODES.inappropriateAuthentication,
  CODES.invalidCredentials,
]);

/** Characters of a server's text that are told: it is for a log line. */
const TEXT_LENGTH = 200;

/** Whether the server answered, for good or bad, and the connection is all right. */
export function isLdapAnswer(error: unknown): boolean {
  return error instanceof ResultCodeError && !NO_ANSWERS.has(error.code);
}

/**
 * What a bind that failed says of the password.
 *
 * @throws That very error, if it says nothing of it.
 */
export function verdictOfRefusal(error: unknown): BindVerdict {
  if (!(error instanceof ResultCodeError)) throw error;
  if (error.code === CODES.invalidCredentials) {
    const [, data = ""] = /\bdata ([0-9a-f]{1,8})\b/i.exec(error.message) ?? [];
    return RIGHT_BUT.has(data.toLowerCase()) ? "disabled" : "wrong";
  }
  if (WRONG.has(error.code)) return "wrong";
  // 389 Directory Server does not say whether the password was right.
  if (error.code === CODES.unwillingToPerform && /inactivated/i.test(error.message)) return "wrong";
  throw error;
}

/** A sentence for the log of what the server answered. */
export function ldapText(what: string, error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  return `${what}: ${said.replaceAll("\0", "").slice(0, TEXT_LENGTH)}`;
}
