/**
 * The thread that asks PAM, for one login after the other, since PAM's modules block: they read files, ask
 * servers and wait.
 *
 * *Knows* messages. *Does not know* PAM: see verdict.ts.
 */

import process from "node:process";
import { parentPort } from "node:worker_threads";
import { SystemFunctions } from "./transaction.ts";
import { type PamJob, type PamVerdict, pamVerdict } from "./verdict.ts";

if (parentPort === null) process.exit(1);
const port = parentPort;

let system: SystemFunctions | undefined;

port.on("message", (job: PamJob) => {
  port.postMessage(answerTo(job));
  job.password?.fill(0);
});

function answerTo(job: PamJob): PamVerdict {
  try {
    return pamVerdict(system ??= new SystemFunctions(), job);
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}
