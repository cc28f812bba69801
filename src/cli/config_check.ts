/**
 * `popkeep config check`: tells all faults of a settings file and of what logins need besides, and what
 * is allowed but unwise there and in the user file. It changes nothing.
 *
 * Root looks as the user that the settings name would, who reads less: as `serve` becomes that user.
 */

import { accessSync, constants } from "node:fs";
import { Command } from "commander";
import {
  fileFaults,
  lineOfSetting,
  type Settings,
  settingsWarnings,
  type Warning,
} from "../settings.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { lookAsUser } from "./leave_root.ts";
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
  const eyes = lookAsUser(settings);
  const parts = new Parts();
  try {
    const logins = await checkLogins(settings, parts, eyes?.certificates);
    const users = await checkUserFiles(settings);
    const warnings = [
      ...settingsWarnings(settings),
      ...(eyes === undefined ? [] : notReadAgain(settings)),
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
    const whose = eyes === undefined ? "" : ` as the user ${eyes.user} sees it`;
    const verdict = isGood ? `good${whose}` : `usable${whose}; see the warnings`;
    await print(`${settings.file} is ${verdict}.\n`);
  } finally {
    await parts.closeAllBut();
  }
}

/** What root reads at the start and the user that popkeep becomes cannot read again. */
function notReadAgain(settings: Settings): Warning[] {
  const { user, file } = settings;
  const keys = fileFaults(settings, "certificates").map(({ key = "" }) => key);
  try {
    accessSync(file, constants.R_OK);
  } catch {
    keys.push("settings");
  }
  return keys.map((key) => ({
    key,
    message:
      `${user} may not read this: it is read by root at the start, and each reload is refused`,
  }));
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
