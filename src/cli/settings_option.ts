/** `--config FILE`: which settings file a command works with, read or refused. */

import { closeSync, constants, openSync } from "node:fs";
import { Option } from "commander";
import { faultText, type LoadOptions, loadSettings, type Settings } from "../settings.ts";
import { whyUnreadable } from "../settings/certificate_files.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";

/** Where the settings are when the command line does not say; the first that exists is taken. */
const USUAL_PLACES = ["popkeep.toml", "/etc/popkeep/popkeep.toml"];

/** What commander hands over for commands with `configOption`. */
export interface ConfigOptions {
  readonly config?: string;
}

/** The option itself, the same for all commands. */
export function configOption(): Option {
  return new Option(
    "--config <file>",
    `settings file (default: ./${USUAL_PLACES[0]}, then ${USUAL_PLACES[1]})`,
  );
}

/**
 * The settings file to use.
 *
 * @throws {Failure} If there is none, or it may not be read.
 */
export function settingsFilePath({ config }: ConfigOptions): string {
  for (const place of config === undefined ? USUAL_PLACES : [config]) {
    try {
      closeSync(openSync(place, constants.O_RDONLY | constants.O_NONBLOCK));
      return place;
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (config === undefined && (code === "ENOENT" || code === "ENOTDIR")) continue;
      throw new Failure(
        code === "EACCES" ? ExitCode.noPermission : ExitCode.noInput,
        `the settings file ${place} ${whyUnreadable(error)}`,
        { cause: error },
      );
    }
  }
  throw new Failure(
    ExitCode.noInput,
    `there is no settings file ${USUAL_PLACES.join(" or ")}; ` +
      "name one with --config, or make one with `popkeep init`",
  );
}

/**
 * Reads the settings.
 *
 * @throws {Failure} If there are none or they have faults, with a message for each.
 */
export function settingsOrFailure(options: ConfigOptions, load?: LoadOptions): Settings {
  const settings = loadSettings(settingsFilePath(options), load);
  if (!Array.isArray(settings)) return settings;
  throw new Failure(ExitCode.badSettings, settings.map(faultText));
}
