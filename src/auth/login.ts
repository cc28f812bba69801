/**
 * What a login can come to, and what a mechanism may ask of those who know the accounts.
 *
 * A mechanism never sees a directory: it asks the login desk of its connection, which knows the client's
 * address, the directories in their order, who may act as whom, and how many logins failed lately.
 */

import type { Account } from "../maildrop/store.ts";

/**
 * - `granted`: the credentials are right.
 * - `refused`: wrong credentials or unknown user, never told apart (`[AUTH]`).
 * - `disabled`: the credentials are right and the account may not log in (`[SYS/PERM]`).
 * - `unavailable`: nothing could be found out; never "wrong password" (`[SYS/TEMP]`).
 * - `delayed`: too many logins failed lately from this address or for this user, so that the credentials
 *   were not looked at (`[LOGIN-DELAY]`).
 */
export type LoginOutcome =
  | {
    readonly kind: "granted";
    readonly account: Account;
    /** Who proved to be there, where that is somebody else than the account's user. */
    readonly actedBy?: string;
  }
  | { readonly kind: "refused" }
  | { readonly kind: "disabled" }
  | { readonly kind: "unavailable" }
  | { readonly kind: "delayed" };

/**
 * Checks a user name and a password; an unknown user costs the same time as a known one.
 * Never throws or rejects: what goes wrong is `unavailable`, with the reason in the log. The outcome is
 * there at once where nothing has to be waited for: a right password that is remembered.
 *
 * @param actAs The identity that the client wants to act as (RFC 4422 §2's authorization identity); ""
 *   or undefined means its own.
 */
export type CheckPassword = (
  user: string,
  password: Uint8Array,
  actAs?: string,
) => LoginOutcome | Promise<LoginOutcome>;

/** What SCRAM-SHA-256 keeps of a password (RFC 5802 §3, RFC 7677). */
export interface ScramKeys {
  readonly iterations: number;
  readonly salt: Uint8Array;
  /** 32 octets. */
  readonly storedKey: Uint8Array;
  /** 32 octets. */
  readonly serverKey: Uint8Array;
}

/** What everybody gets to see of a user's keys who asks for them. */
export interface ScramShape {
  readonly iterations: number;
  readonly saltOctets: number;
}

/** What a directory keeps of a user besides the password field. */
export interface UserSecrets {
  /** MD4 of the password in UTF-16LE, 16 octets: as good as the password to who has it. */
  readonly ntHash?: Uint8Array;
  readonly scramSha256?: ScramKeys;
}

export type SecretKind = keyof UserSecrets;

/**
 * What a mechanism may ask, on behalf of one connection. Nothing here rejects; what goes wrong is
 * `unavailable`, with the reason in the log.
 *
 * A mechanism that checks a proof itself first asks `secretsOf`, does the whole computation whether there
 * are any or not, and ends with exactly one of `admit` and `refuse`: these count for guessing, and wait
 * where an answer has to wait.
 */
export interface LoginDesk {
  readonly checkPassword: CheckPassword;

  /**
   * The secrets of a user, by any name that a client may send; none at all for an unknown user, for one who
   * is locked and for one who has none. `unavailable` and `delayed` end the exchange as they are.
   */
  secretsOf(user: string): Promise<
    | {
      readonly kind: "found";
      readonly secrets: UserSecrets;
      /** What keys of a user of that name would look like if there were any, as those of others do. */
      readonly scramShape?: ScramShape;
    }
    | { readonly kind: "unavailable" }
    | { readonly kind: "delayed" }
  >;

  /**
   * The client has proved to be `user`, by whatever the mechanism is about: says whether that user, acting
   * as `actAs`, may log in. Never called on the strength of a name alone. After `secretsOf` the user is the
   * name that the client sent, and may say whose mailbox it wants; else it is a name that somebody else
   * vouches for, and says no more than who the client is.
   *
   * @param isVouched True where `secretsOf` was asked and somebody else vouches for the name all the same,
   *   such as a domain that checked the proof.
   */
  admit(user: string, actAs?: string, isVouched?: boolean): Promise<LoginOutcome>;

  /**
   * The proof of being `user` was wrong; "" where no name was said. Gives `refused` or `delayed`.
   *
   * @param tried Octets that are the same for the same wrong secret, such as a token, where the proof has
   *   any: the same one again is not counted again, so that a forgotten device does not shut out others.
   */
  refuse(user: string, tried?: Uint8Array): Promise<LoginOutcome>;

  /**
   * 32 octets that are the same for the same text as long as the server lives and over a restart, and that
   * nobody outside can compute: to make up what an unknown user's salt would be.
   */
  madeUp(text: string): Uint8Array;
}
