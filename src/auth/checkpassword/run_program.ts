/**
 * One run of a checkpassword program: descriptor 3 carries the request, descriptor 4 the report, and the
 * exit code says the rest.
 *
 * It is the leader of a process group of its own, which is killed when it takes too long, reports too much
 * or nobody waits any more. Standard output goes nowhere; the beginning of the error output is kept for
 * the log, unless the password stands in it.
 *
 * *Knows* processes. *Does not know* users or what a report says.
 */

import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { CHECKPASSWORD_REPORT_OCTETS, CHECKPASSWORD_SAID_OCTETS } from "../../limits.ts";
import { REPORT_DESCRIPTOR } from "./report.ts";

export interface ProgramRun {
  /** The program and its arguments, the reporting command among them. */
  readonly command: readonly string[];
  readonly environment: Record<string, string>;
  readonly request: Uint8Array;
  /** Not to be repeated in what comes back. */
  readonly password: Uint8Array;
  readonly limitMs: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

export interface ProgramResult {
  readonly exitCode: number;
  readonly report: Uint8Array;
  /** The beginning of what it wrote to its error output; "" where that is not to be repeated. */
  readonly said: string;
}

/**
 * Runs it to its end.
 *
 * @throws {Error} If it cannot be started, does not end in time or by itself, or reports too much.
 */
export function runProgram(run: ProgramRun): Promise<ProgramResult> {
  const { command: [program = "", ...values], environment, request, limitMs, signal } = run;
  return new Promise((resolve, reject) => {
    const child = spawn(program, values, {
      cwd: "/",
      detached: true,
      env: environment,
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
    });
    const report = new Gathered(CHECKPASSWORD_REPORT_OCTETS);
    const said = new Gathered(CHECKPASSWORD_SAID_OCTETS);
    let exitCode = -1;
    let settled = false;

    const finish = (settle: () => void) => {
      settled = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      for (const stream of child.stdio) stream?.destroy();
      settle();
    };
    const fail = (reason: string) => {
      if (settled) return;
      killGroup(child);
      finish(() => reject(new Error(`The checkpassword program ${reason}`)));
    };
    const abort = () => fail("was ended, since the directory is closed");
    const timer = setTimeout(() => fail("took too long and was killed"), limitMs);
    signal.addEventListener("abort", abort);

    // Without streams it has not been started, which "error" tells.
    const requestTo = child.stdio[3] as Writable | null | undefined;
    const reportFrom = child.stdio[REPORT_DESCRIPTOR] as Readable | null | undefined;
    // A program that ends without reading its request may be right to: the exit code tells.
    requestTo?.on("error", () => {});
    requestTo?.end(request);
    reportFrom?.on("data", (octets: Uint8Array) => {
      if (!report.add(octets)) fail("reported too much");
    });
    child.stderr?.on("data", (octets: Uint8Array) => void said.add(octets));

    child.on("error", (error) => fail(`cannot be run: ${error.message}`));
    const exited = new Promise<void>((done) => {
      child.on("exit", (code, killedBy) => {
        if (code === null) return fail(`was ended by ${killedBy}`);
        exitCode = code;
        done();
      });
    });
    // Who still holds a descriptor is waited for, as in Dovecot. The child's own "close" does not do: under
    // Bun (1.4) it comes before what is left in one pipe when another one broke.
    const read = [reportFrom, child.stderr].map((stream) =>
      new Promise<void>((done) => {
        stream?.on("error", () => done());
        stream?.on("end", () => done());
        stream?.on("close", () => done());
      })
    );
    void Promise.all([exited, ...read]).then(() => {
      if (settled) return;
      finish(() =>
        resolve({ exitCode, report: report.octets(), said: spoken(said, run.password) })
      );
    });
  });
}

/** The first octets of a stream. */
class Gathered {
  readonly #parts: Uint8Array[] = [];
  #room: number;
  overflown = false;

  constructor(room: number) {
    this.#room = room;
  }

  /** False if there were more than there is room for; the others are dropped. */
  add(octets: Uint8Array): boolean {
    if (octets.length > this.#room) this.overflown = true;
    if (this.#room > 0) this.#parts.push(octets.slice(0, this.#room));
    this.#room = Math.max(0, this.#room - octets.length);
    return !this.overflown;
  }

  octets(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** A program that traces itself may print the password; a cut may have left a part of it. */
function spoken(said: Gathered, password: Uint8Array): string {
  const octets = said.octets();
  if (octets.includes(password)) return "";
  const whole = said.overflown ? octets.subarray(0, -password.length) : octets;
  return whole.toString("utf8").trim();
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It is gone, or has become another user's.
  }
}
