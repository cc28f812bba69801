/**
 * How many of the runtime's own calls to the disk may wait at once.
 *
 * Bun has as many threads for them as there are processors: where two files have to be waited for, a third
 * that is at hand waits too. It takes another number from the environment of the C library, once, at the
 * first call that needs a thread; what `process.env` is given it does not see. Threads are made when calls
 * wait, not before. Deno has 512.
 *
 * *Knows*: which runtime this is. *Does not know*: what is waited for.
 */

import { Buffer } from "node:buffer";
import { availableParallelism } from "node:os";
import process from "node:process";
import { openLibrary } from "./foreign_functions.ts";
import { isOwnExecutable } from "./own_command.ts";

/** What Bun reads; who sets one of them knows better. */
const VARIABLES = ["UV_THREADPOOL_SIZE", "GOMAXPROCS"] as const;

const DENO_THREADS = 512;

/** What was asked for in time, by a program whose calls need no thread before its first line. */
let allowedThreads: number | undefined;

/** To be called before the first use of the disk that waits. Where it cannot be done nothing changes. */
export function allowDiskThreads(threads: number): void {
  if ("Deno" in globalThis || VARIABLES.some((name) => process.env[name] !== undefined)) return;
  try {
    const { functions } = openLibrary(["libc.so.6", "libSystem.B.dylib"], {
      setenv: { takes: ["buffer", "buffer", "i32"], gives: "i32" },
    });
    functions.setenv(Buffer.from(`${VARIABLES[0]}\0`), Buffer.from(`${threads}\0`), 1);
    allowedThreads = threads;
  } catch {
    // As many as there are processors, then.
  }
}

/** How many threads there are for such calls, as far as that can be known; at least 1. */
export function diskThreads(): number {
  if ("Deno" in globalThis) return DENO_THREADS;
  for (const name of VARIABLES) {
    const threads = Number(process.env[name]);
    if (Number.isInteger(threads) && threads > 0) return threads;
  }
  // Started from sources, Bun had read them by calls that came too late for it.
  if (allowedThreads !== undefined && isOwnExecutable()) return allowedThreads;
  return availableParallelism();
}
