/**
 * What directories know of an account besides its password: whether it is disabled, locked or expired.
 *
 * - Active Directory: `userAccountControl` with the flag ACCOUNTDISABLE; the flags LOCKOUT and
 *   PASSWORD_EXPIRED of `msDS-User-Account-Control-Computed`; `lockoutTime` where that is not there;
 *   `pwdLastSet` 0, a password to change first; `accountExpires`. [MS-ADTS] §2.2.16, [MS-ADA3].
 * - RFC 2307, shadow(5): `shadowExpire`, a day.
 * - 389 Directory Server, FreeIPA: `nsAccountLock`.
 * - OpenLDAP's password policy: `pwdAccountLockedTime` where it is for good. One that ends is left to the
 *   server, which forgets it at the next bind that is right.
 *
 * A bind tells most of this as well. The attributes count where there is none: for who comes by a ticket,
 * a certificate or a token.
 *
 * *Knows* attributes. The time is given. *Does not know* servers.
 */

import type { Attributes } from "./attributes.ts";

export const ACCOUNT_STATE_ATTRIBUTES: readonly string[] = [
  "userAccountControl",
  "msDS-User-Account-Control-Computed",
  "lockoutTime",
  "pwdLastSet",
  "accountExpires",
  "shadowExpire",
  "nsAccountLock",
  "pwdAccountLockedTime",
];

const ACCOUNTDISABLE = 0x2n;
const LOCKOUT = 0x10n;
const DONT_EXPIRE_PASSWORD = 0x1_0000n;
const PASSWORD_EXPIRED = 0x80_0000n;

/** Two ways of Active Directory to say that an account never expires. */
const NEVER: ReadonlySet<bigint> = new Set([0n, 0x7fff_ffff_ffff_ffffn]);

/** From 1601, where FILETIME begins, to 1970, in its units of 100 ns. */
const FILETIME_1970 = 116_444_736_000_000_000n;
const FILETIME_PER_MS = 10_000n;

const DAY_MS = 86_400_000;

/** OpenLDAP, slapo-ppolicy(5): locked until somebody unlocks it. */
const LOCKED_FOR_GOOD = "000001010000Z";

/** Whether the account may not log in now. */
export function isOutOfUse(attributes: Attributes, nowMs: number): boolean {
  const number = (name: string) => readNumber(attributes.text(name));
  const control = number("userAccountControl") ?? 0n;
  if ((control & ACCOUNTDISABLE) !== 0n) return true;

  const computed = number("msDS-User-Account-Control-Computed");
  if (computed !== undefined && (computed & (LOCKOUT | PASSWORD_EXPIRED)) !== 0n) return true;
  if (computed === undefined && (number("lockoutTime") ?? 0n) !== 0n) return true;
  if (number("pwdLastSet") === 0n && (control & DONT_EXPIRE_PASSWORD) === 0n) return true;

  const expires = number("accountExpires");
  const now = BigInt(Math.floor(nowMs)) * FILETIME_PER_MS + FILETIME_1970;
  if (expires !== undefined && !NEVER.has(expires) && expires <= now) return true;

  // -1 is never; the day itself is the first on which the account is out of use.
  const lastDay = number("shadowExpire");
  if (lastDay !== undefined && lastDay >= 0n && Number(lastDay) * DAY_MS <= nowMs) return true;

  if (attributes.text("nsAccountLock")?.toLowerCase() === "true") return true;
  return attributes.text("pwdAccountLockedTime") === LOCKED_FOR_GOOD;
}

function readNumber(text: string | undefined): bigint | undefined {
  return text !== undefined && /^-?[0-9]{1,20}$/.test(text) ? BigInt(text) : undefined;
}
