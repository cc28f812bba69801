/** `--config FILE`: which settings file a command works with, read or refused. */

import { closeSync, constants, openSync } from "node:fs";
import { Option } from "commander";
import { faultText, type LoadOptions, loadSettings, type Settings } from "../settings.ts";
import { whyUnreadable } from "../settings/certificate_files.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { printable } from "./printable.ts";
import { whyNotTrusted } from "./settings_found.ts";

/** In the current folder, where anybody may have put it. */
const HERE = "popkeep.toml";

/** Where the settings are when the command line does not say; the first that exists is taken. */
const USUAL_PLACES = [HERE, "/etc/popkeep/popkeep.toml"];

/** What commander hands over for commands with `configOption`. */
export interface ConfigOptions {
  readonly config?: string;
}

/** The option itself, the same for all commands. */
export function configOption(): Option {
  return new Option(
    "--config <file>",
    `settings file (default: ./${HERE}, then ${USUAL_PLACES[1]})`,
  );
}

/**
 * The settings file to use.
 *
 * @throws {Failure} If there is none, or it may not be read, or was not named and could be a stranger's.
 */
export function settingsFilePath({ config }: ConfigOptions): string {
  for (const place of config === undefined ? USUAL_PLACES : [config]) {
    try {
      closeSync(openSync(place, constants.O_RDONLY | constants.O_NONBLOCK));
      if (config === undefined && place === HERE) mustBeTrusted(place);
      return place;
    } catch (error) {
      if (error instanceof Failure) throw error;
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

/** @throws {Failure} If others than root and the caller could have made or changed it. */
function mustBeTrusted(file: string): void {
  const why = whyNotTrusted(file);
  if (why === undefined) return;
  throw new Failure(
    ExitCode.noPermission,
    `./${file} is not taken unasked, since ${printable(why)}: ` +
      `where it is to be trusted, name it with --config ${file}`,
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
