/**
 * `popkeep serve`: runs the server until it is told to stop.
 *
 * - SIGHUP: reads settings, users and certificates again; bad ones change nothing, and the log says so.
 * - SIGTERM, SIGINT: stops, and gives sessions time to QUIT. Another one gives no more.
 * - Started as root it becomes the user that the settings name before it serves anybody.
 *
 * *Knows*: signals, exit codes. *Does not know*: what a running popkeep is made of.
 */

import { availableParallelism } from "node:os";
import process from "node:process";
import { getLogger } from "@logtape/logtape";
import { Command } from "commander";
import { configureLog, logWritten } from "../admin/log.ts";
import { endSoon } from "./end_soon.ts";
import { DISK_THREADS, WORKERS } from "../limits.ts";
import { allowDiskThreads } from "../platform/disk_threads.ts";
import { openFilesLimit } from "../platform/open_files.ts";
import { faultText, loadSettings, type Settings, settingsWarnings } from "../settings.ts";
import { withExample } from "./example.ts";
import { leaveRoot, type LeftRoot, rootsGroupWarnings } from "./leave_root.ts";
import type { Beginning } from "./beginning.ts";
import { Housekeeping } from "./daily/housekeeping.ts";
import { orListenFailure } from "./listen_failure.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { SignalQueue } from "./signal_queue.ts";
import { surviveFaults } from "./survive_faults.ts";
import { VERSION } from "./version.ts";

const log = getLogger(["popkeep", "cli"]);

/** What runs: a `Service` or a `WorkersService`. */
interface RunningService {
  /** @throws {Error} If the settings cannot be had; then everything is as before. */
  reload(settings: Settings): Promise<void>;
  stop(): Promise<void>;
  hasten(): void;
  /** Lends a mailbox that no session has open; what is returned gives it back. */
  borrow(path: string): Promise<(() => void) | undefined>;
}

export function serveCommand(): Command {
  const command = new Command("serve")
    .description("run the server; SIGHUP reloads, SIGTERM stops it")
    .addOption(configOption())
    .action(serve);
  return withExample(command, "popkeep serve --config /etc/popkeep/popkeep.toml");
}

async function serve(options: ConfigOptions): Promise<void> {
  // Before the log, whose lines are written by such a thread.
  allowDiskThreads(DISK_THREADS);
  const settings = settingsOrFailure(options);
  const leftRoot = leaveRoot(settings);
  configureLog(settings);
  surviveFaults();
  // Before anything listens: who sees the port open may send a signal at once.
  const signals = new SignalQueue(["SIGHUP", "SIGTERM", "SIGINT"]);
  try {
    log.info("popkeep starts", { version: VERSION, settings: settings.file, process: process.pid });
    warnOf(settings);
    const service = await start(settings, leftRoot);
    const housekeeping = await Housekeeping.start(settings, (path) => service.borrow(path));
    log.info("ready");
    await runUntilStopped(service, settings, { signals, housekeeping });
    log.info("popkeep has stopped");
  } finally {
    signals.close();
    await logWritten();
    endSoon();
  }
}

/** One process, or as many workers as the settings say with this one as their supervisor. */
async function start(settings: Settings, leftRoot?: LeftRoot): Promise<RunningService> {
  const workers = workersOf(settings);
  const beginning: Beginning = leftRoot === undefined ? {} : {
    certificates: leftRoot.certificates,
    placesHad: () => leftRoot.giveUp(workers > 1),
  };
  // Loaded only where it is needed: a supervisor has nothing of what serves clients.
  const starting = workers === 1
    ? import("./service.ts").then(({ Service }) => Service.start(settings, beginning))
    : import("./workers/workers_service.ts").then(({ WorkersService }) =>
      WorkersService.start(settings, workers, beginning)
    );
  return await orListenFailure<RunningService>(starting);
}

function workersOf({ workers }: Settings): number {
  return workers === "auto" ? Math.min(availableParallelism(), WORKERS.max) : workers;
}

/** Resolves when the server was told to stop and has. */
async function runUntilStopped(
  service: RunningService,
  settings: Settings,
  { signals, housekeeping }: {
    readonly signals: SignalQueue;
    readonly housekeeping: Housekeeping;
  },
): Promise<void> {
  for (;;) {
    const signal = await signals.next();
    if (signal === "SIGHUP") {
      const changed = await reload(service, settings);
      if (changed !== undefined) await housekeeping.reload(changed);
      continue;
    }
    log.info("stopping", { signal });
    void hastenWhenToldAgain(service, signals);
    await Promise.all([service.stop(), housekeeping.stopDaily()]);
    // Until now sessions had their mailboxes open.
    housekeeping.close();
    return;
  }
}

/** Never returns: it waits for more until the process ends. */
async function hastenWhenToldAgain(
  service: RunningService,
  signals: SignalQueue,
): Promise<void> {
  for (;;) {
    const signal = await signals.next();
    if (signal === "SIGHUP") continue;
    log.info("stopping at once", { signal });
    service.hasten();
  }
}

/** The settings that hold now; undefined if the old ones do. Never rejects: a server that runs goes on with what it has. */
async function reload(
  service: RunningService,
  begunWith: Settings,
): Promise<Settings | undefined> {
  const settings = loadSettings(begunWith.file);
  if (Array.isArray(settings)) {
    for (const fault of settings) log.error("fault in the settings", { fault: faultText(fault) });
    log.error("not reloaded; the old settings hold");
    return undefined;
  }
  try {
    await service.reload(settings);
    warnOf(settings);
    const { workers, user, group } = settings;
    if (workers !== begunWith.workers) {
      log.warning("the number of workers changes with a restart", { workers });
    }
    if (user !== begunWith.user || group !== begunWith.group) {
      log.warning("whom popkeep runs as changes with a restart", { user, group });
    }
    log.info("reloaded");
    return settings;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.error("not reloaded; the old settings hold", { reason });
    return undefined;
  }
}

function warnOf(settings: Settings): void {
  for (const { key, message } of [...settingsWarnings(settings), ...rootsGroupWarnings(settings)]) {
    log.warning("unwise setting", { key, reason: message });
  }
  const openFiles = openFilesLimit();
  const { maxConnections } = settings;
  // A connection is one, and the message that it sends another.
  if (openFiles !== undefined && openFiles < maxConnections) {
    log.warning("fewer files may be open than connections", { openFiles, maxConnections });
  }
}
