/**
 * Asks questions at the terminal, with what is typed hidden or shown.
 *
 * *Knows*: raw mode, and the keys that edit a hidden line. *Does not know*: what is asked.
 *
 * Questions go to standard error, so that standard output stays the command's result.
 */

import { Buffer } from "node:buffer";
import process from "node:process";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { printAside } from "./output.ts";

/** Longest line that is taken, octets; far beyond any password, and the rest is not read. */
const LINE_OCTETS = 4_096;

const KEY = { ctrlC: 0x03, ctrlD: 0x04, backspace: 0x08, ctrlU: 0x15, ctrlW: 0x17, delete: 0x7f };
const LF = 0x0a;
const CR = 0x0d;
const ESCAPE = 0x1b;

/** Whether there is somebody to ask. */
export function hasKeyboard(): boolean {
  return process.stdin.isTTY === true;
}

/** The keyboard, while questions are asked; `close` gives the terminal back. */
export class Keyboard {
  /** What was typed ahead of the question that it answers. */
  #typed = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => {};
  readonly #onData = (chunk: Uint8Array | string) => {
    this.#typed = Buffer.concat([this.#typed, Buffer.from(chunk as Uint8Array)]);
    this.#wake();
  };
  readonly #onEnd = () => {
    this.#closed = true;
    this.#wake();
  };

  constructor() {
    process.stdin.on("data", this.#onData);
    process.stdin.on("end", this.#onEnd);
    process.stdin.resume();
  }

  /**
   * Asks and waits for a line; its octets without the line end.
   *
   * @throws {Failure} If it is broken off by Ctrl-C, Ctrl-D on an empty line, or a hang-up.
   */
  async ask(question: string, { hidden }: { readonly hidden: boolean }): Promise<Buffer> {
    // A terminal that is not raw shows what is typed and edits the line itself.
    process.stdin.setRawMode(hidden);
    await printAside(question);
    const line: number[] = [];
    for (;;) {
      const octet = await this.#next();
      if (octet === LF || octet === CR) break;
      if (
        octet === KEY.ctrlC || octet === undefined || (octet === KEY.ctrlD && line.length === 0)
      ) {
        await printAside("\n");
        throw new Failure(ExitCode.interrupted, "stopped at the keyboard");
      }
      if (octet === KEY.backspace || octet === KEY.delete) eraseCharacter(line);
      else if (octet === KEY.ctrlU || octet === KEY.ctrlW) line.length = 0;
      else if (octet === ESCAPE) this.#skipEscape();
      else if (octet >= 0x20 && line.length < LINE_OCTETS) line.push(octet);
    }
    if (hidden) await printAside("\n");
    return Buffer.from(line);
  }

  close(): void {
    process.stdin.off("data", this.#onData);
    process.stdin.off("end", this.#onEnd);
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }

  async #next(): Promise<number | undefined> {
    while (this.#typed.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const octet = this.#typed[0];
    this.#typed = this.#typed.subarray(1);
    return octet;
  }

  /** Drops the rest of an arrow or function key, which the terminal sends in one piece. */
  #skipEscape(): void {
    const key = /^(?:\[[0-9;]*[@-~]|O[@-~])/.exec(this.#typed.toString("latin1"));
    this.#typed = this.#typed.subarray(key?.[0].length ?? 0);
  }
}

/** Takes the last character off, all octets of its UTF-8. */
function eraseCharacter(line: number[]): void {
  while (line.length > 0) {
    const octet = line.pop() ?? 0;
    if ((octet & 0xc0) !== 0x80) return;
  }
}
