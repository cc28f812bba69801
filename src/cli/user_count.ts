/**
 * How many users have been worked through, on a terminal's standard error; elsewhere nothing.
 *
 * *Does not know* what is done for them.
 */

import process from "node:process";
import { printable } from "./printable.ts";

/** How often the line changes, ms. */
const PAUSE_MS = 100;

const CLEAR_LINE = "\r\x1b[K";

export class UserCount {
  #users = 0;
  #toldMs = 0;
  #isShown = false;

  /** Says who is next. */
  next(user: string): void {
    this.#users++;
    const nowMs = performance.now();
    if (process.stderr.isTTY !== true || nowMs - this.#toldMs < PAUSE_MS) return;
    this.#toldMs = nowMs;
    const columns = Math.max(1, (process.stderr.columns ?? 80) - 1);
    const noun = this.#users === 1 ? "user" : "users";
    const text = `${this.#users} ${noun}, now ${printable(user)}`;
    process.stderr.write(CLEAR_LINE + text.slice(0, columns));
    this.#isShown = true;
  }

  /** Takes the line away, before anything else is written. */
  clear(): void {
    if (this.#isShown) process.stderr.write(CLEAR_LINE);
    this.#isShown = false;
  }
}
