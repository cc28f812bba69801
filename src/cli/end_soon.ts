/**
 * Ends the process when all is done, though something keeps it: a call to a disk that hangs does, and nobody
 * can take it back. What is done in time ends by itself.
 */

import process from "node:process";

/** Time to end by itself, ms: for what is on its way out through pipes. */
const OWN_TIME_MS = 1_000;

export function endSoon(): void {
  setTimeout(() => process.exit(), OWN_TIME_MS).unref();
}
