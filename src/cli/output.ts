/**
 * Writes to the terminal or to whatever stands in its place.
 *
 * *Knows*: standard output and standard error. *Does not know*: what is written.
 */

import process from "node:process";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";

/** Writes to standard output; resolves when the text has left the process. */
export function print(text: string): Promise<void> {
  return write(process.stdout, text);
}

/** Writes octets to standard output. */
export function printOctets(octets: Uint8Array): Promise<void> {
  return write(process.stdout, octets);
}

/** Writes one "popkeep: ..." line to standard error for each message. */
export function printErrors(messages: readonly string[]): Promise<void> {
  return write(process.stderr, messages.map((message) => `popkeep: ${message}\n`).join(""));
}

/** Writes to standard error as it is: questions and hints that are not the result. */
export function printAside(text: string): Promise<void> {
  return write(process.stderr, text);
}

/** Whether standard output is a terminal that may be coloured (https://no-color.org). */
export function mayColour(): boolean {
  const { NO_COLOR, TERM } = process.env;
  return process.stdout.isTTY === true && !NO_COLOR && TERM !== "dumb";
}

/** Columns of the terminal that standard output is, or undefined when it is none. */
export function terminalColumns(): number | undefined {
  if (process.stdout.isTTY !== true) return undefined;
  const columns = process.stdout.columns;
  return columns !== undefined && columns > 0 ? columns : 80;
}

function write(stream: NodeJS.WriteStream, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      // The reader of a pipe, such as head, has seen enough: that is no fault of anybody.
      if (!error || (error as NodeJS.ErrnoException).code === "EPIPE") return resolve();
      const name = stream === process.stderr ? "standard error" : "standard output";
      const reason = `${name} cannot be written: ${error.message}`;
      reject(new Failure(ExitCode.inputOutput, reason, { cause: error }));
    });
  });
}

/** Leaves failures of standard output and error to whoever writes: unheard, they would be crashes. */
export function listenForWriteErrors(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}
