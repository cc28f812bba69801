/** A command that is talked to by lines on its standard input, and listened to on both of its outputs. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import process from "node:process";

/** One that says nothing for this long hangs, ms. */
const PATIENCE_MS = 30_000;

export class DialogueProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  #output = "";
  /** What is said from here on has not been asked for yet. */
  #read = 0;
  #ended = false;
  #wake: () => void = () => {};

  constructor(command: string, ...arguments_: string[]) {
    this.#child = spawn(command, arguments_, {
      env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on("data", (chunk) => {
        this.#output += String(chunk);
        this.#wake();
      });
    }
    // It may be gone before all has been said.
    this.#child.stdin.on("error", () => {});
    this.#child.on("error", (error) => this.#output += String(error));
    this.#child.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  say(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Waits for what matches in what was not yet read, reads to its end, and returns its first group. */
  async hear(pattern: RegExp): Promise<string> {
    const timer = setTimeout(() => this.stop(), PATIENCE_MS);
    try {
      for (;;) {
        const match = pattern.exec(this.#output.slice(this.#read));
        if (match !== null) {
          this.#read += match.index + match[0].length;
          return match[1] ?? match[0];
        }
        if (this.#ended) throw new Error(`${pattern} was not said:\n${this.#output}`);
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  stop(): void {
    this.#child.stdin.end();
    if (!this.#ended) this.#child.kill("SIGKILL");
  }
}
