/** The threads that ask PAM, by what they answer. */

import { Worker } from "node:worker_threads";
import { DIRECTORY_TURNS_WAITING, PAM_IDLE_MS, STUCK_THREADS } from "../../limits.ts";
import { workerLocation } from "../../platform/worker_location.ts";
import { BlockingCalls } from "../blocking_calls.ts";
import type { PamJob, PamVerdict } from "./verdict.ts";

export type PamCalls = BlockingCalls<PamJob, PamVerdict>;

/** @param threads Calls at the same time at most. */
export function openPamCalls(threads: number, callLimitMs: number): PamCalls {
  return new BlockingCalls({
    purpose: "PAM",
    startWorker: () => new Worker(workerLocation("src/auth/pam/pam_worker.ts", import.meta.url)),
    threads,
    queueLength: DIRECTORY_TURNS_WAITING,
    callLimitMs,
    idleLimitMs: PAM_IDLE_MS,
    stuckThreads: STUCK_THREADS,
  });
}
