/** What a process that serves does with errors that nobody caught. */

import process from "node:process";
import { getLogger } from "@logtape/logtape";

const log = getLogger(["popkeep", "cli"]);

/**
 * What escapes all else ends no other session. It is a fault of ours, and the log gets its stack; the
 * connection that it happened in has its timers to end it.
 */
export function surviveFaults(): void {
  process.on("uncaughtException", (error) => log.error("fault in popkeep", { error }));
  process.on("unhandledRejection", (error) => log.error("fault in popkeep", { error }));
}
