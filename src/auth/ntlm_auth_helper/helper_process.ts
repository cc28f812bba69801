/**
 * One running helper program: a line to it, a line from it, one at a time.
 *
 * *Knows* processes. *Does not know* what the lines mean.
 * Invariant: a process that did anything unforeseen (said nothing in time, too much, or something nobody
 * asked for) is ended, and `usable` is false for ever.
 */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import process from "node:process";
import { getLogger } from "@logtape/logtape";
import { NTLM_HELPER_LINE_OCTETS, NTLM_HELPER_SAID_OCTETS } from "../../limits.ts";

const logger = getLogger(["popkeep", "auth"]);

type Heard = (line: string | undefined) => void;

export class HelperProcess {
  readonly #program: string;
  readonly #child: ChildProcessWithoutNullStreams;
  #heard: Heard | undefined;
  #partial = "";
  #usable = true;

  /** Starts the program, the first word of the command. That it could not be shows when it is asked. */
  constructor(command: readonly string[]) {
    const [program = "", ...args] = command;
    this.#program = program;
    // Of the environment only what a program needs to run: it may hold secrets that are none of its business.
    const { PATH } = process.env;
    const env = { LC_ALL: "C", ...(PATH === undefined ? {} : { PATH }) };
    this.#child = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.once("error", (error) => this.#fail(`cannot be run: ${error.message}`));
    this.#child.once("exit", () => this.#fail("has ended"));
    // Its input closing is no news beside its end.
    this.#child.stdin.on("error", () => {});
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => this.#take(text));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => this.#logSaid(text));
    // Deno throws for a child that never was.
    if (this.#child.pid !== undefined) this.#child.unref();
  }

  /** Whether it can be asked something now or when it has answered. */
  get usable(): boolean {
    return this.#usable;
  }

  /** Whether an answer is due. */
  get busy(): boolean {
    return this.#heard !== undefined;
  }

  /**
   * Sends a line and waits for the line in answer; undefined if none came in time, or the process is or was
   * no longer usable. Ask no more before it answered.
   */
  async ask(line: string, limitMs: number): Promise<string | undefined> {
    if (!this.#usable || this.busy) return undefined;
    const answered = Promise.withResolvers<string | undefined>();
    this.#heard = answered.resolve;
    const timer = setTimeout(() => this.#fail("does not answer"), limitMs);
    this.#child.stdin.write(`${line}\n`);
    try {
      return await answered.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process without a word in the log. Who waits for its answer gets none. */
  end(): void {
    this.#usable = false;
    this.#answer(undefined);
    this.#child.stdin.destroy();
    this.#child.kill("SIGKILL");
  }

  #take(text: string): void {
    if (!this.#usable) return;
    this.#partial += text;
    const end = this.#partial.indexOf("\n");
    if (end < 0) {
      if (this.#partial.length > NTLM_HELPER_LINE_OCTETS) this.#fail("answers without an end");
      return;
    }
    const line = this.#partial.slice(0, end);
    const more = this.#partial.length > end + 1;
    this.#partial = "";
    if (more || !this.busy) return this.#fail("says what nobody asked for");
    this.#answer(line.replace(/\r$/, ""));
  }

  #answer(line: string | undefined): void {
    const heard = this.#heard;
    this.#heard = undefined;
    heard?.(line);
  }

  #fail(what: string): void {
    if (!this.#usable) return;
    logger.error("the NTLM helper fails", { program: this.#program, reason: what });
    this.end();
  }

  #logSaid(text: string): void {
    const said = text.slice(0, NTLM_HELPER_SAID_OCTETS).trim();
    if (said !== "") logger.debug("the NTLM helper says something", { said });
  }
}
