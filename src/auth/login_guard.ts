/** The interface of what keeps guessers from trying on and on; see guessing/ for the one that does. */

import type { Turn } from "./fair_queue.ts";

/** `user` is a name as failures count for it, known or not; `address` undefined where it is not known. */
export interface LoginGuard {
  /** Whether credentials are looked at now. `delayed` counts as no failure. */
  check(address: string | undefined, user: string): "open" | "delayed";

  /**
   * Counts a failure, and resolves when its answer may go out.
   *
   * @param password Where there was one: the same wrong one again is not counted again.
   */
  failed(address: string | undefined, user: string, password?: Uint8Array): Promise<void>;

  succeeded(address: string | undefined, user: string): void;

  /** In which turn a password of that visitor is hashed. */
  turn(address: string | undefined, user: string): Turn;
}

/** Counts nothing. */
export const NO_GUARD: LoginGuard = {
  check: () => "open",
  failed: () => Promise.resolve(),
  succeeded: () => {},
  turn: (address = "") => ({ source: address, known: false }),
};
