/**
 * `popkeep config check`: tells all faults of a settings file and of what logins need besides, and what
 * is allowed but unwise there and in the user file. It changes nothing.
 */

import { Command } from "commander";
import { lineOfSetting, type Settings, settingsWarnings } from "../settings.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { checkLogins } from "./login_check.ts";
import { print, printErrors } from "./output.ts";
import { Parts } from "./parts.ts";
import type { SettingFault } from "./setting_fault.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { printUserFileFaults } from "./user_file.ts";
import { checkUserFile } from "./user_file_check.ts";

export function configCheckCommand(): Command {
  const command = new Command("check")
    .description("test the settings file, the certificates and keys; exit 78 with every fault")
    .addOption(configOption())
    .action(check);
  return withExample(command, "popkeep config check && systemctl reload popkeep");
}

async function check(options: ConfigOptions): Promise<void> {
  const settings = settingsOrFailure(options);
  const parts = new Parts();
  try {
    const logins = await checkLogins(settings, parts);
    const users = await checkUserFiles(settings);
    const warnings = [
      ...settingsWarnings(settings),
      ...logins.warnings,
      ...users.flatMap(({ findings }) => findings.warnings),
    ];
    await printErrors(warnings.map(({ key, message }) => `warning: ${key}: ${message}`));
    for (const { file, findings } of users) await printUserFileFaults(file, findings.faults);
    if (logins.faults.length > 0) {
      throw new Failure(ExitCode.badSettings, faultsWithPlaces(settings.file, logins.faults));
    }
    const isGood = warnings.length === 0 &&
      users.every(({ findings }) => findings.faults.length === 0);
    await print(`${settings.file} is ${isGood ? "good" : "usable; see the warnings"}.\n`);
  } finally {
    await parts.closeAllBut();
  }
}

/** Each user file that users come from, once. */
async function checkUserFiles(settings: Settings) {
  const keys = new Map<string, string>();
  for (const [index, table] of settings.directories.entries()) {
    if (table.kind !== "user_file" || keys.has(table.file)) continue;
    const isOwn = table.file === settings.userFile;
    keys.set(table.file, isOwn ? "user_file" : `directories[${index}].file`);
  }
  return await Promise.all(
    Array.from(keys, async ([file, key]) => ({
      file,
      findings: await checkUserFile(key, file, settings),
    })),
  );
}

/** The faults as lines of text, in the order of the file. */
function faultsWithPlaces(file: string, faults: readonly SettingFault[]): string[] {
  return faults.map(({ key, reason }) => ({ key, reason, line: lineOfSetting(file, key) }))
    .sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || 0)
    .map(({ key, reason, line }) =>
      `${line === undefined ? file : `${file}:${line}`}: ${key}: ${reason}`
    );
}
