/** A thread that calls the Kerberos library, one job after the other, for acceptor.ts. */

import process from "node:process";
import { parentPort } from "node:worker_threads";
import { GssapiCalls } from "./calls.ts";
import type { GssapiAnswer, GssapiJob } from "./job.ts";
import { openGssapi } from "./library.ts";

if (parentPort === null) process.exit(1);
const port = parentPort;

let calls: GssapiCalls | undefined;

port.on("message", (job: GssapiJob) => port.postMessage(answerTo(job)));

function answerTo(job: GssapiJob): GssapiAnswer {
  try {
    calls ??= new GssapiCalls(openGssapi().functions);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { kind: "failed", reason: "the Kerberos library is not there", detail };
  }
  return calls.perform(job);
}
