/** A program that gives up a call that hangs, and then has nothing to do. Started by blocking_calls_test.ts. */

import { Worker } from "node:worker_threads";
import { BlockingCalls } from "../../../src/auth/blocking_calls.ts";

const calls = new BlockingCalls<string, string>({
  purpose: "a test",
  startWorker: () => new Worker(new URL("./stuck_worker.ts", import.meta.url)),
  threads: 1,
  queueLength: 10,
  callLimitMs: 200,
  idleLimitMs: 1_000,
  stuckThreads: 2,
});
console.log(await calls.call("hang 3600000"));
await calls.close();
