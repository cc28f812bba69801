/**
 * The log of the whole program: LogTape, to standard error, which is where a service's log belongs and
 * which leaves standard output to commands that print data.
 *
 * *Knows*: LogTape, the process's standard error. *Does not know*: what is logged.
 */

import {
  compareLogLevel,
  configureSync,
  getLogger,
  type LogLevel,
  type LogRecord,
} from "@logtape/logtape";
import process from "node:process";
import { formatRecord, type LogFormat } from "./log_format.ts";
import { LineWriter } from "./line_writer.ts";

export interface LogSettings {
  readonly logLevel: LogLevel;
  /** `auto`: text on a terminal, JSON otherwise. */
  readonly logFormat: LogFormat | "auto";
}

/** What every line says besides, such as which of several processes it is from. */
export type LogOrigin = Readonly<Record<string, number>>;

const STDERR_FD = 2;

let writer: LineWriter | undefined;

let origin: LogOrigin = {};

/** Has every line say where it is from. To be called before the first one. */
export function logFrom(from: LogOrigin): void {
  origin = from;
}

/** Begins to log, or goes on with other settings. */
export function configureLog({ logLevel, logFormat }: LogSettings): void {
  const lines = writer ??= openStderr();
  const format = logFormat !== "auto" ? logFormat : process.stderr.isTTY ? "text" : "json";
  configureSync({
    reset: true,
    sinks: { stderr: (record) => append(lines, record, format) },
    loggers: [
      { category: "popkeep", lowestLevel: logLevel, sinks: ["stderr"] },
      // LogTape's own: only what keeps it from logging.
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
    ],
  });
}

/** Resolves when everything logged so far is out. */
export async function logWritten(): Promise<void> {
  await writer?.idle();
}

function openStderr(): LineWriter {
  const lines = new LineWriter(STDERR_FD);
  process.on("exit", () => lines.flushNow());
  return lines;
}

function append(lines: LineWriter, record: LogRecord, format: LogFormat): void {
  // What went wrong is looked for in the same moment; what went well may come with what goes well next.
  const isUrgent = compareLogLevel(record.level, "warning") >= 0;
  if (!lines.append(formatRecord(record, format, origin), isUrgent)) return;
  const dropped = lines.takeDropped();
  if (dropped > 0) getLogger(["popkeep", "admin"]).warning("log lines dropped", { count: dropped });
}
