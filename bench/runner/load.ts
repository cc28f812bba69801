/**
 * Runs the load generator against a server and says what both of them used.
 *
 * *Knows* pop3bench's command line and its one line of JSON. *Does not know* which load means what.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { calm, processorSeconds, stolenSeconds } from "./processes.ts";
import type { Place } from "./place.ts";
import type { Figures } from "./recorder.ts";
import type { RunningServer } from "./running_server.ts";

/** What is kept of pop3bench's line; the rest follows from the arguments. */
const KEPT = [
  "wall",
  "sessions",
  "messages",
  "octets",
  "errors",
  "first_error",
  "stat_mismatch",
  "sess_s",
  "msg_s",
  "mib_s",
  "sess_p50",
  "sess_p95",
  "sess_p99",
  "pass_p50",
  "client_cpu",
];

/** Processor time comes in hundredths of a second: in a shorter run nothing can be told of what others used. */
const SHORT_S = 0.3;

export interface LoadOptions {
  readonly limitSeconds?: number;
  /** Not waited for when something cold is to be measured that waiting might warm. */
  readonly calm?: boolean;
}

/** One run of the load generator, from its start to its line; errors are in the figures, not thrown. */
export async function load(
  place: Place,
  running: RunningServer,
  words: string,
  options: LoadOptions = {},
): Promise<Figures> {
  const noise = options.calm === false ? 0 : await calm();
  const before = processorSeconds(running.roots);
  const stolenBefore = stolenSeconds();
  const started = performance.now();
  const { result } = startLoad(place, running, words, options.limitSeconds);
  const figures = await result;
  const seconds = (performance.now() - started) / 1000;
  const serverSeconds = processorSeconds(running.roots) - before;
  const stolen = stolenSeconds() - stolenBefore;
  const serverCores = serverSeconds / seconds;
  const kept = Object.fromEntries(
    KEPT.filter((key) => key in figures).map((k) => [k, figures[k]!]),
  );
  const machine = Number(figures["machine_cpu"] ?? 0) - Number(figures["client_cpu"] ?? 0);
  return {
    ...kept,
    server_cpu: rounded(serverCores),
    server_s: rounded(serverSeconds),
    other_cpu: seconds < SHORT_S ? noise : rounded(machine - serverCores),
    stolen_cpu: rounded(stolen / seconds),
    args: words,
  };
}

export interface StartedLoad {
  readonly child: ChildProcess;
  /** Resolves when all sessions of `-s idle` are in. */
  readonly ready: Promise<void>;
  /** Its figures; with an error of ours if it gave none in time. */
  readonly result: Promise<Figures>;
}

export function startLoad(
  place: Place,
  running: RunningServer,
  words: string,
  limitSeconds = 300,
): StartedLoad {
  const flags = running.server.tls ? ["-T"] : [];
  const child = spawn(
    place.program("pop3bench"),
    ["-p", String(running.port), ...flags, ...words.split(" ")],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const guard = setTimeout(() => child.kill("SIGKILL"), limitSeconds * 1000);
  const ready = Promise.withResolvers<void>();
  let last = "";
  createInterface({ input: child.stdout! }).on("line", (line) => {
    last = line;
    if (line.startsWith("READY")) ready.resolve();
  });
  const result = once(child, "close").then(() => {
    clearTimeout(guard);
    ready.resolve();
    return last.startsWith("{")
      ? JSON.parse(last) as Figures
      : { errors: 1, first_error: `the load did not end within ${limitSeconds} s` };
  });
  return { child, ready: ready.promise, result };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
