/** The log of a server under test, as the records that it is made of. */

import { setTimeout as sleep } from "node:timers/promises";
import type { RunningServer } from "../support/server.ts";

export type LogRecord = Readonly<Record<string, unknown>>;

/** How long a line may take to come, ms. */
const PATIENCE_MS = 30_000;

/** All whole lines so far. Fails on a line that is no JSON, which no line may be. */
export function logRecords(server: RunningServer): LogRecord[] {
  return recordsOf(server.log);
}

/**
 * Waits until the server has logged `message` with these fields, and returns the first such record.
 * `since` is an earlier length of `server.log`: only what came after it counts.
 */
export async function logged(
  server: RunningServer,
  { since, message, ...fields }: LogRecord & { readonly since: number; readonly message: string },
): Promise<LogRecord> {
  const wanted: LogRecord = { message, ...fields };
  // From the beginning of the line that was not whole then.
  const from = server.log.lastIndexOf("\n", since - 1) + 1;
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  while (performance.now() < giveUpAtMs) {
    const found = recordsOf(server.log.slice(from)).find((record) =>
      Object.entries(wanted).every(([name, value]) => record[name] === value)
    );
    if (found !== undefined) return found;
    await sleep(20);
  }
  throw new Error(`The server did not log ${JSON.stringify(wanted)}, but:\n${server.log}`);
}

function recordsOf(log: string): LogRecord[] {
  return log.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}
