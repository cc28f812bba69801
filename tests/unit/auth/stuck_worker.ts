/**
 * A thread for tests that does what the job says, also hanging in a call of the system's as no JavaScript
 * can. Started by blocking_calls_test.ts and stuck_calls_program.ts.
 */

import process from "node:process";
import { parentPort } from "node:worker_threads";
import { foreignMemory, openLibrary } from "../../../src/platform/foreign_functions.ts";

const { functions: libc } = openLibrary(["libc.so.6"], {
  pthread_mutex_lock: { takes: ["buffer"], gives: "i32" },
  pthread_mutex_timedlock: { takes: ["buffer", "buffer"], gives: "i32" },
});

/** Waits for a lock that nobody gives back, since a sleep would end with the first signal. */
function hang(ms: number): void {
  const mutex = foreignMemory(64);
  const until = foreignMemory(16);
  const untilMs = Date.now() + ms;
  new DataView(until.buffer).setBigInt64(0, BigInt(Math.floor(untilMs / 1_000)), true);
  new DataView(until.buffer).setBigInt64(8, BigInt(untilMs % 1_000) * 1_000_000n, true);
  libc.pthread_mutex_lock(mutex);
  libc.pthread_mutex_timedlock(mutex, until);
}

parentPort?.on("message", (job: string) => {
  if (job === "exit") process.exit(3);
  if (job === "throw") throw new Error("a fault of the thread");
  if (job.startsWith("hang ")) hang(Number(job.slice(5)));
  parentPort?.postMessage(`${job} done`);
});
