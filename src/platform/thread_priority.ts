/**
 * Threads that do long work while others have somebody waiting.
 *
 * *Knows*: Linux, where each thread has a niceness of its own (setpriority(2)). *Does not know*: what the work is.
 */

import { openLibrary } from "./foreign_functions.ts";

/** sys/resource.h: of who calls. */
const PRIO_PROCESS = 0;
const SELF = 0;

/** A third of what a thread beside it gets where both want the same processor (sched(7)): not starved. */
const NICENESS = 5;

/** Lets other threads go before this one from now on. Where it may not be, nothing changes. */
export function letOthersGoFirst(): void {
  try {
    const { functions } = openLibrary(["libc.so.6"], {
      setpriority: { takes: ["i32", "u32", "i32"], gives: "i32" },
    });
    functions.setpriority(PRIO_PROCESS, SELF, NICENESS);
  } catch {
    // Then all have the same.
  }
}
