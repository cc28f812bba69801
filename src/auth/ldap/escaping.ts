/**
 * How a user's name stands in a search filter (RFC 4515 §3) and in a distinguished name (RFC 4514 §2.4), so
 * that it is one value there, whatever it holds.
 *
 * *Knows* the two grammars, and which names Active Directory has. *Does not know* servers.
 */

/**
 * A value in a filter. Of what a name can hold, RFC 4515 has `*`, `(`, `)`, `\` and NUL escaped; all other
 * ASCII but letters, digits and a few are escaped too, which is allowed and needs no thought. What is
 * beyond ASCII stays as it is, as ldapts takes an escaped octet of it for a character.
 */
export function escapeFilterValue(value: string): string {
  return value.replace(/[^A-Za-z0-9@._\u0080-\u{10ffff}-]/gu, hexOf);
}

/** A value in a distinguished name: every special character as `\` and its octet in hexadecimal. */
export function escapeDnValue(value: string): string {
  return value.replace(/[^A-Za-z0-9@._\u0080-\u{10ffff}-]/gu, hexOf);
}

/**
 * Whether a value can stand in a name that Active Directory takes instead of a DN, `user@domain` or
 * `DOMAIN\user`. No escaping is known there, so what could make another name of it is refused: what
 * [MS-SAMR] §3.1.1.6 does not allow in sAMAccountName, controls, and "@" but where the value is all there is.
 */
export function isPlainName(value: string, mayHaveAt: boolean): boolean {
  if (value === "" || /["/\\[\]:;|=,+*?<>\p{Cc}\p{Zl}\p{Zp}]/u.test(value)) return false;
  const parts = value.split("@");
  return parts.length === 1 || mayHaveAt && parts.length === 2 && !parts.includes("");
}

function hexOf(character: string): string {
  return `\\${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
