/**
 * Which system calls a running process makes, counted by strace: work can be compared where time cannot.
 *
 * *Knows*: strace. *Does not know*: popkeep.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

/** How long strace may take until it watches, ms. */
const PATIENCE_MS = 60_000;

export type CallCounts = ReadonlyMap<string, number>;

/**
 * Counts the calls, by name, that all threads of a process make while `work` runs. Files of the system that a
 * C library looks into once, such as how many processors there are or how memory is promised, are left out.
 */
export async function systemCallsDuring(
  processId: number,
  work: () => Promise<void>,
): Promise<CallCounts> {
  return countsOf(await tracedDuring(processId, ["-s", "0"], work));
}

/** What strace with these options writes of all threads of a process while `work` runs. */
export async function tracedDuring(
  processId: number,
  options: readonly string[],
  work: () => Promise<void>,
): Promise<string> {
  const folder = mkdtempSync(`${tmpdir()}/popkeep-strace-`);
  const table = `${folder}/table`;
  const words = ["-f", ...options, "-o", table, "-p", String(processId)];
  const tracer = spawn("strace", words, { stdio: ["ignore", "ignore", "pipe"] });
  try {
    await isWatching(tracer, processId);
    await work();
    const ended = once(tracer, "exit");
    process.kill(tracer.pid!, "SIGINT");
    await ended;
    return readFileSync(table, "utf8");
  } finally {
    if (tracer.exitCode === null) tracer.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
}

/** Waits until every thread that the process has is watched. */
async function isWatching(tracer: ChildProcess, processId: number): Promise<void> {
  let said = "";
  tracer.stderr?.on("data", (chunk) => said += String(chunk));
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const status = readFileSync(`/proc/${processId}/status`, "latin1");
    if (/^TracerPid:\t[1-9]/m.test(status) && /attached/.test(said)) return;
    if (tracer.exitCode !== null || performance.now() > giveUpAtMs) {
      throw new Error(`strace cannot watch process ${processId}: ${said}`);
    }
    await sleep(10);
  }
}

/** Calls by their beginning, so that one which is told in two lines counts once. */
function countsOf(trace: string): CallCounts {
  const counts = new Map<string, number>();
  for (const line of trace.split("\n")) {
    const [, name, words] = /^\d+ +(\w+)\((.*)/.exec(line) ?? [];
    if (name === undefined || /"(\/proc)?\/sys\//.test(words!)) continue;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
