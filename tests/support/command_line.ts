/**
 * Runs popkeep's command line as a child process: from the sources by the runtime that runs the test, or
 * the executable that POPKEEP_EXECUTABLE names. With or without a terminal.
 */

import { spawn } from "node:child_process";
import { Buffer } from "node:buffer";
import process from "node:process";
import { fileURLToPath } from "node:url";

export interface RunOptions {
  /** Current folder. */
  readonly folder: string;
  /** What standard input holds; nothing unless given. */
  readonly input?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether to give up root's rights, which no permission holds back; others keep their own. */
  readonly unprivileged?: boolean;
}

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const TERMINAL = fileURLToPath(new URL("./terminal.py", import.meta.url));

/** Starts what follows as a user who owns nothing (util-linux). */
const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/** The words that start popkeep, to which arguments are added. */
export function popkeepCommand(): [string, ...string[]] {
  const executable = process.env["POPKEEP_EXECUTABLE"];
  if (executable) return [executable];
  const isDeno = "Deno" in globalThis;
  // Quiet, since Deno draws a progress bar of its own at a terminal.
  return isDeno ? [process.execPath, "run", "-A", "--quiet", MAIN] : [process.execPath, MAIN];
}

/** Runs popkeep without a terminal and waits for its end. */
export function popkeep(args: readonly string[], options: RunOptions): Promise<Ended> {
  const asWhom = options.unprivileged && process.geteuid?.() === 0 ? NOBODY : [];
  return run([...asWhom, ...popkeepCommand(), ...args], options);
}

/** Waits for a text to appear at the terminal, then types. */
export type Dialogue = readonly (readonly [waitFor: string, type: string])[];

export interface TerminalOptions extends RunOptions {
  readonly dialogue?: Dialogue;
  readonly columns?: number;
}

/** Runs popkeep at a terminal; `screen` is everything that was written to it. */
export async function popkeepAtTerminal(
  args: readonly string[],
  options: TerminalOptions,
): Promise<{ readonly exitCode: number | null; readonly screen: string }> {
  const { dialogue = [], columns = 80 } = options;
  const script = JSON.stringify({ dialogue, columns });
  const { stdout, stderr, exitCode } = await run(
    ["python3", TERMINAL, script, ...popkeepCommand(), ...args],
    options,
  );
  if (exitCode !== 0) throw new Error(`the terminal failed: ${stderr}`);
  return JSON.parse(stdout);
}

function run(command: readonly string[], options: RunOptions): Promise<Ended> {
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.folder,
      env: { ...process.env, ...options.environment },
      stdio: "pipe",
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk) => out.push(chunk));
    child.stderr.on("data", (chunk) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (exitCode) => {
      const stdout = Buffer.concat(out).toString("utf8");
      resolve({ exitCode, stdout, stderr: Buffer.concat(err).toString("utf8") });
    });
    // A command that reads nothing may be gone before its input is.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}
