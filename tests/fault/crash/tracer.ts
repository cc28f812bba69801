/**
 * strace, put on processes that run already and taken off again, or ending with them.
 *
 * *Knows* strace and /proc. *Does not know* popkeep.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

/** How long strace may take until it watches every thread, ms. */
const PATIENCE_MS = 60_000;

/** Nothing was traced for this long: what a session left to be done has been done, ms. */
const QUIET_MS = 150;

export class Tracer {
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder;
    this.#child = child;
  }

  /** Watches all threads of some processes, with further options. */
  static async watch(processes: readonly number[], options: readonly string[]): Promise<Tracer> {
    const folder = mkdtempSync(`${os.tmpdir()}/popkeep-strace-`);
    const those = processes.flatMap((process) => ["-p", String(process)]);
    const child = spawn("strace", ["-f", "-o", `${folder}/trace`, ...options, ...those], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const tracer = new Tracer(folder, child);
    let said = "";
    child.stderr?.on("data", (chunk) => said += String(chunk));
    const giveUpAtMs = performance.now() + PATIENCE_MS;
    while (!processes.every((process) => isWatched(process))) {
      if (child.exitCode !== null || performance.now() > giveUpAtMs) {
        await tracer.end();
        throw new Error(`strace cannot watch ${processes}: ${said}`);
      }
      await sleep(5);
    }
    return tracer;
  }

  /** Waits until nothing is traced any more. */
  async quiet(): Promise<void> {
    const size = () => statSync(`${this.#folder}/trace`, { throwIfNoEntry: false })?.size ?? 0;
    for (let before = -1; before !== size();) {
      before = size();
      await sleep(QUIET_MS);
    }
  }

  /** Lets the processes go on by themselves; returns the trace. */
  async end(): Promise<string> {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      process.kill(child.pid!, "SIGINT");
      await ended;
    }
    const trace = readFileSync(`${this.#folder}/trace`, "latin1");
    rmSync(this.#folder, { recursive: true });
    return trace;
  }
}

function isWatched(process: number): boolean {
  const folder = `/proc/${process}/task`;
  try {
    return readdirSync(folder).every((thread) => {
      const status = readFileSync(`${folder}/${thread}/status`, "latin1");
      return /^TracerPid:\t[1-9]/m.test(status) || /^State:\tZ/m.test(status);
    });
  } catch {
    // It, or one of its threads, has ended meanwhile: in the former case there is nothing to watch.
    return !existsSync(folder);
  }
}
