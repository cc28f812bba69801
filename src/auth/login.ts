/** What a login can come to, and what checks a user name and a password. */

import type { Account } from "../maildrop/store.ts";

/**
 * - `granted`: the credentials are right.
 * - `refused`: wrong password or unknown user, never told apart (`[AUTH]`).
 * - `disabled`: the credentials are right and the account may not log in (`[SYS/PERM]`).
 * - `unavailable`: nothing could be found out; never "wrong password" (`[SYS/TEMP]`).
 */
export type LoginOutcome =
  | { readonly kind: "granted"; readonly account: Account }
  | { readonly kind: "refused" }
  | { readonly kind: "disabled" }
  | { readonly kind: "unavailable" };

/**
 * Checks a user name and a password; an unknown user costs the same time as a known one.
 * Never rejects: what goes wrong is `unavailable`, with the reason in the log.
 */
export type CheckPassword = (user: string, password: Uint8Array) => Promise<LoginOutcome>;
