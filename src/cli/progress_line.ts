/**
 * How far long work has come, on standard error: one line that changes at a terminal, a line now and then
 * elsewhere, as in logs of scripts. Short work says nothing.
 *
 * *Knows*: standard error. *Does not know*: what is worked at.
 */

import process from "node:process";
import { printable } from "./printable.ts";

/** How often the line at a terminal changes, ms. */
const AT_TERMINAL_MS = 100;

/** How often a line is written elsewhere, ms. */
const ELSEWHERE_MS = 10_000;

const CLEAR_LINE = "\r\x1b[K";

export class ProgressLine {
  readonly #isTerminal = process.stderr.isTTY === true;
  readonly #pauseMs = this.#isTerminal ? AT_TERMINAL_MS : ELSEWHERE_MS;
  #about = "";
  #what = "";
  #steps = 0;
  #done = 0;
  #toldMs = performance.now();
  #isShown = false;

  /** Says whose work it is from now on; it stands before the number. */
  about(whose: string): void {
    this.#about = printable(whose);
    this.#steps = 0;
  }

  /** Work of so many steps begins; `what` follows the numbers. */
  begin(what: string, steps: number): void {
    this.#what = what;
    this.#steps = steps;
    this.#done = 0;
  }

  /** One more step is done. */
  step(): void {
    this.#done++;
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < this.#pauseMs) return;
    this.#toldMs = nowMs;
    const text = `${this.#about}: ${this.#done} of ${this.#steps} ${this.#what}`;
    if (!this.#isTerminal) {
      process.stderr.write(`popkeep: ${text}\n`);
      return;
    }
    const columns = Math.max(1, (process.stderr.columns ?? 80) - 1);
    process.stderr.write(CLEAR_LINE + text.slice(0, columns));
    this.#isShown = true;
  }

  /** Takes the line away, before anything else is written. */
  clear(): void {
    if (this.#isShown) process.stderr.write(CLEAR_LINE);
    this.#isShown = false;
  }
}
