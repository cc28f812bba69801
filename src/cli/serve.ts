/**
 * `popkeep serve`: runs the server until it is told to stop.
 *
 * - SIGHUP: reads settings, users and certificates again; bad ones change nothing, and the log says so.
 * - SIGTERM, SIGINT: stops, and gives sessions time to QUIT. Another one gives no more.
 *
 * *Knows*: signals, exit codes. *Does not know*: what a running popkeep is made of.
 */

import process from "node:process";
import { getLogger } from "@logtape/logtape";
import { Command } from "commander";
import { configureLog, logWritten } from "../admin/log.ts";
import { ListenFailure } from "../net/listener.ts";
import { openFilesLimit } from "../platform/open_files.ts";
import { faultText, loadSettings, type Settings, settingsWarnings } from "../settings.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { Service } from "./service.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { SignalQueue } from "./signal_queue.ts";
import { VERSION } from "./version.ts";

const log = getLogger(["popkeep", "cli"]);

export function serveCommand(): Command {
  const command = new Command("serve")
    .description("run the server; SIGHUP reloads, SIGTERM stops it")
    .addOption(configOption())
    .action(serve);
  return withExample(command, "popkeep serve --config /etc/popkeep/popkeep.toml");
}

async function serve(options: ConfigOptions): Promise<void> {
  const settings = settingsOrFailure(options);
  configureLog(settings);
  surviveFaults();
  // Before anything listens: who sees the port open may send a signal at once.
  const signals = new SignalQueue(["SIGHUP", "SIGTERM", "SIGINT"]);
  try {
    log.info("popkeep starts", { version: VERSION, settings: settings.file, process: process.pid });
    warnOf(settings);
    const service = await start(settings);
    log.info("ready");
    await runUntilStopped(service, settings.file, signals);
    log.info("popkeep has stopped");
  } finally {
    signals.close();
    await logWritten();
  }
}

async function start(settings: Settings): Promise<Service> {
  try {
    return await Service.start(settings);
  } catch (error) {
    if (!(error instanceof ListenFailure)) throw error;
    const code = error.code === "EACCES" ? ExitCode.noPermission : ExitCode.unavailable;
    throw new Failure(code, error.message, { cause: error });
  }
}

/** Resolves when the server was told to stop and has. */
async function runUntilStopped(
  service: Service,
  file: string,
  signals: SignalQueue,
): Promise<void> {
  for (;;) {
    const signal = await signals.next();
    if (signal === "SIGHUP") {
      await reload(service, file);
      continue;
    }
    log.info("stopping", { signal });
    void hastenWhenToldAgain(service, signals);
    return await service.stop();
  }
}

/** Never returns: it waits for more until the process ends. */
async function hastenWhenToldAgain(service: Service, signals: SignalQueue): Promise<void> {
  for (;;) {
    const signal = await signals.next();
    if (signal === "SIGHUP") continue;
    log.info("stopping at once", { signal });
    service.hasten();
  }
}

/** Never rejects: a server that runs goes on with what it has. */
async function reload(service: Service, file: string): Promise<void> {
  const settings = loadSettings(file);
  if (Array.isArray(settings)) {
    for (const fault of settings) log.error("fault in the settings", { fault: faultText(fault) });
    log.error("not reloaded; the old settings hold");
    return;
  }
  try {
    await service.reload(settings);
    warnOf(settings);
    log.info("reloaded");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.error("not reloaded; the old settings hold", { reason });
  }
}

function warnOf(settings: Settings): void {
  for (const { key, message } of settingsWarnings(settings)) {
    log.warning("unwise setting", { key, reason: message });
  }
  const openFiles = openFilesLimit();
  const { maxConnections } = settings;
  // A connection is one, and the message that it sends another.
  if (openFiles !== undefined && openFiles < maxConnections) {
    log.warning("fewer files may be open than connections", { openFiles, maxConnections });
  }
}

/**
 * What escapes all else ends no other session. It is a fault of ours, and the log gets its stack; the
 * connection that it happened in has its timers to end it.
 */
function surviveFaults(): void {
  process.on("uncaughtException", (error) => log.error("fault in popkeep", { error }));
  process.on("unhandledRejection", (error) => log.error("fault in popkeep", { error }));
}
