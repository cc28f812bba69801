/**
 * Keeps what was measured: a JSON line each, written at once, so that an end before the end loses nothing.
 *
 * *Knows* nothing of what the figures mean; the page does.
 */

import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export type Figures = Readonly<Record<string, number | string>>;

/** Stands in a result for a work when a test ended early: what it did not come to has failed. */
export const BROKE_OFF = "broke off";

/** What is printed while it runs, of what is in the figures. */
const SHOWN = [
  "sess_s",
  "msg_s",
  "mib_s",
  "sess_p50",
  "p99",
  "max",
  "seconds",
  "ms",
  "session_kib",
  "octets_a_message",
  "rest_mib",
  "above_rest_mib",
  "errors",
  "server_cpu",
  "other_cpu",
  "stolen_cpu",
  "first_error",
];

export class Recorder {
  /** The test that is being run, as in `TESTS=`. */
  test = "";
  readonly #path: string;
  #failures = 0;

  /** Begins the file anew. */
  constructor(path: string, head: Readonly<Record<string, unknown>>) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(head)}\n`);
  }

  /** Measurements with an error, so far. */
  get failures(): number {
    return this.#failures;
  }

  add(server: string, work: string, round: number, figures: Figures): void {
    if (figures["errors"] !== 0) this.#failures++;
    appendFileSync(
      this.#path,
      `${JSON.stringify({ server, test: this.test, work, round, ...figures })}\n`,
    );
    const shown = SHOWN.filter((key) => key in figures && figures[key] !== "")
      .map((key) => `${key}=${figures[key]}`);
    console.log(`round ${round}  ${server.padEnd(20)} ${work.padEnd(18)} ${shown.join(" ")}`);
  }

  addFailure(server: string, work: string, round: number, reason: string): void {
    this.add(server, work, round, { errors: 1, first_error: reason });
  }

  /** The test ended early, so that some of what it measures was not. */
  addBreak(server: string, round: number, reason: string): void {
    this.addFailure(server, BROKE_OFF, round, reason);
  }
}
