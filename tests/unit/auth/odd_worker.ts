/** A hash thread for tests that does what the stored password says. Started by hash_pool_test.ts. */

import process from "node:process";
import { parentPort } from "node:worker_threads";
import type { HashJob, HashVerdict } from "../../../src/auth/hash_worker.ts";

parentPort?.on("message", ({ stored, password }: HashJob) => {
  const answer = (verdict: HashVerdict) => parentPort?.postMessage(verdict);
  if (stored === "silence") return;
  if (stored === "exit") process.exit(3);
  if (stored === "fail") return answer({ kind: "failed", reason: "out of memory" });
  answer({ kind: stored === new TextDecoder().decode(password) ? "right" : "wrong" });
});
