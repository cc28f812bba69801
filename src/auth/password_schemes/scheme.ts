/** The interface of a password scheme: how one kind of stored hash is read, checked and made. */

/** A stored hash that was read. */
export interface CheckableHash {
  /** Names what a check costs, by `costClass`: hashes of one class take about the same time. */
  readonly costClass: string;
  /** A check is a digest or two, microseconds: handing it to a thread would cost more. */
  readonly isQuick?: boolean;
  /**
   * Checks a password, in time that does not depend on how nearly it matches. It has 1 to
   * PASSWORD_OCTETS octets and no NUL.
   */
  matches(password: Uint8Array): boolean | Promise<boolean>;
}

/**
 * Why a stored hash can never be matched.
 * - `locked`: nothing is stored, or what is stored says that no password fits (`!`, `*`).
 * - `unsupported`: a scheme that popkeep does not know or has turned off.
 * - `malformed`: not what the scheme writes.
 * - `too-costly`: beyond HASH_COST.
 */
export interface HashFault {
  readonly kind: "locked" | "unsupported" | "malformed" | "too-costly";
  /** For the log and the operator; never holds anything of the hash but a known scheme's name. */
  readonly reason: string;
}

/** Weak schemes that are honoured, by the first of their names. */
export type WeakSchemes = ReadonlySet<string>;

export interface PasswordScheme {
  /** Dovecot's names, upper case; the first is the one that popkeep writes. */
  readonly names: readonly string[];
  /** How the hash is written where the entry names no encoding, as `{SCHEME.HEX}` would. */
  readonly encoding: "text" | "base64";
  /** Octets of a hash of fixed size: then hexadecimal is told from base64 by its length, as Dovecot does. */
  readonly rawOctets?: number;
  /** Whether it is honoured only where the setting `weak_password_schemes` names it. */
  readonly weak?: boolean;
  /**
   * Reads a hash and bounds its cost; computes nothing.
   *
   * @param weak The weak schemes that are honoured, for CRYPT, which may turn out to be one of them.
   */
  read(stored: Uint8Array, weak: WeakSchemes): CheckableHash | HashFault;
}

/** A scheme that popkeep makes hashes of. */
export interface MakeableScheme extends PasswordScheme {
  /**
   * Makes a hash with a fresh random salt, in the scheme's default encoding.
   *
   * @throws {PasswordFault} If the scheme cannot take this password.
   */
  make(password: Uint8Array): Promise<string>;
}

/** The password cannot be used; the message is for the person who chose it. */
export class PasswordFault extends Error {
  override readonly name = "PasswordFault";
}

/** Names a cost to a power of two; `work` is a number that the time of a check is proportional to. */
export function costClass(algorithm: string, work: number): string {
  return `${algorithm} 2^${Math.floor(Math.log2(work))}`;
}

export function malformed(scheme: string): HashFault {
  return { kind: "malformed", reason: `not a hash as ${scheme} writes it` };
}

/** The fault of a hash of a weak scheme that the settings do not name. */
export function tooWeak(scheme: string): HashFault {
  return {
    kind: "unsupported",
    reason: `the scheme ${scheme} is weak, and weak_password_schemes does not name it`,
  };
}

export function tooCostly(scheme: string): HashFault {
  return { kind: "too-costly", reason: `a ${scheme} hash that would take too long to compute` };
}

/** The stored octets as text, one character an octet, so that patterns see each of them. */
export function octetsAsText(stored: Uint8Array): string {
  let text = "";
  for (const octet of stored) text += String.fromCharCode(octet);
  return text;
}
