/**
 * The thread that checks passwords against stored hashes, one after the other, for hash_pool.ts.
 *
 * *Knows* the schemes. *Does not know* users; it remembers nothing between two jobs.
 */

import process from "node:process";
import { parentPort } from "node:worker_threads";
import { letOthersGoFirst } from "../platform/thread_priority.ts";
import { ALL_WEAK_SCHEMES, isHashFault, readStoredPassword } from "./stored_password.ts";

export interface HashJob {
  readonly stored: string;
  readonly password: Uint8Array;
}

export type HashVerdict =
  | { readonly kind: "right" }
  | { readonly kind: "wrong" }
  /** The hash could not be computed, for want of memory for one. */
  | { readonly kind: "failed"; readonly reason: string };

if (parentPort === null) process.exit(1);
const port = parentPort;

letOthersGoFirst();
port.on("message", async ({ stored, password }: HashJob) => {
  port.postMessage(await verdictOn(stored, password));
});

async function verdictOn(stored: string, password: Uint8Array): Promise<HashVerdict> {
  try {
    // Whether a weak scheme is honoured was decided before the job was given.
    const check = readStoredPassword(stored, ALL_WEAK_SCHEMES);
    if (isHashFault(check)) return { kind: "wrong" };
    return { kind: await check.matches(password) ? "right" : "wrong" };
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}
