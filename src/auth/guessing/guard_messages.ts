/**
 * What workers and the supervisor say to each other about logins, since one guard is for all workers: see
 * guard_by_asking.ts for the worker's side, guard_for_workers.ts for the supervisor's.
 *
 * No password is ever said, only a digest of what was tried.
 */

import type { Turn } from "../fair_queue.ts";

/** The questions of a worker. */
export const GUARD_QUESTIONS = {
  /** `LoginWho` to `BeginAnswer`. May wait for others of the address. */
  begin: "guard.begin",
  /** `LoginEnd` to nothing, when the answer may be given. */
  failed: "guard.failed",
  /** `LoginEnd` to whether the next login of the same user from there needs no asking. */
  succeeded: "guard.succeeded",
  /** `LoginWho` to a truth value. */
  isDelayed: "guard.isDelayed",
} as const;

/** What a worker tells: `LoginEnd`. */
export const GUARD_DROPPED = "guard.dropped";

/** What all workers are told: the pair of account and place (`LoginKeys`) that has to be asked about again. */
export const GUARD_PAIR_FAILED = "guard.pairFailed";

export interface LoginWho {
  /** Left out if it is not known. */
  readonly address?: string;
  readonly user: string;
}

export type BeginAnswer =
  | { readonly kind: "open"; readonly attempt: number; readonly turn: Turn }
  | { readonly kind: "delayed" }
  | { readonly kind: "unavailable" };

export interface LoginEnd extends LoginWho {
  /** Left out where the login began without asking. */
  readonly attempt?: number;
  /** Of the secret, base64url; left out where there is none to tell apart. */
  readonly tried?: string;
}

/** What a worker needs to keep the guard: the key of the digests of names, and that of what was tried. */
export interface GuardSecrets {
  readonly key: string;
  readonly triedKey: string;
}
