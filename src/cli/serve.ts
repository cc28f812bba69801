/**
 * `popkeep serve`: runs the server until it is told to stop.
 *
 * - SIGHUP: reads settings, users and certificates again; bad ones change nothing, and the log says so.
 * - SIGTERM, SIGINT: stops, and gives sessions time to QUIT. A second one gives no more.
 *
 * *Knows*: signals, exit codes. *Does not know*: what a running popkeep is made of.
 */

import process from "node:process";
import { getLogger } from "@logtape/logtape";
import { Command } from "commander";
import { configureLog, logWritten } from "../admin/log.ts";
import { ListenFailure } from "../net/listener.ts";
import { faultText, loadSettings, type Settings, settingsWarnings } from "../settings.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { Service } from "./service.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
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
  log.info("popkeep starts", { version: VERSION, settings: settings.file, process: process.pid });
  warnOf(settings);
  const service = await start(settings);
  log.info("ready");
  await runUntilStopped(service, settings.file);
  log.info("popkeep has stopped");
  await logWritten();
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
async function runUntilStopped(service: Service, file: string): Promise<void> {
  let reloading = Promise.resolve();
  const hangUp = () => void (reloading = reloading.then(() => reload(service, file)));
  process.on("SIGHUP", hangUp);
  await new Promise<void>((resolve, reject) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals) => {
      log.info(stopping ? "stopping at once" : "stopping", { signal });
      if (stopping) return service.hasten();
      stopping = true;
      service.stop().then(resolve, reject).finally(() => {
        for (const signal of STOP_SIGNALS) process.off(signal, stop);
        process.off("SIGHUP", hangUp);
      });
    };
    for (const signal of STOP_SIGNALS) process.on(signal, stop);
  });
}

const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

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
}

/**
 * What escapes all else ends no other session. It is a fault of ours, and the log gets its stack; the
 * connection that it happened in has its timers to end it.
 */
function surviveFaults(): void {
  process.on("uncaughtException", (error) => log.error("fault in popkeep", { error }));
  process.on("unhandledRejection", (error) => log.error("fault in popkeep", { error }));
}
