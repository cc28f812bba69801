/**
 * `popkeep config check`: tells all faults of a settings file, and what is allowed but unwise there and
 * in the user file.
 */

import { Command } from "commander";
import { settingsWarnings } from "../settings.ts";
import { openPasswdFile } from "../auth/passwd_file.ts";
import { WEAK_SCHEMES, weakSchemesNamed } from "../auth/stored_password.ts";
import { listUsers } from "../auth/user_file_edit.ts";
import { withExample } from "./example.ts";
import { usersWithoutDomain, usersWithoutPlace } from "./login_obstacles.ts";
import { print, printErrors } from "./output.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { printUserFileFaults } from "./user_file.ts";

export function configCheckCommand(): Command {
  const command = new Command("check")
    .description("test the settings file, the certificates and keys; exit 78 with every fault")
    .addOption(configOption())
    .action(check);
  return withExample(command, "popkeep config check && systemctl reload popkeep");
}

async function check(options: ConfigOptions): Promise<void> {
  const settings = settingsOrFailure(options);
  const warnings = settingsWarnings(settings);
  const { weak, unknown } = weakSchemesNamed(settings.weakPasswordSchemes);
  for (const name of unknown) {
    const message = `${name} is no weak scheme; those are ${WEAK_SCHEMES.join(", ")}`;
    warnings.push({ key: "weak_password_schemes", message });
  }
  const { users, faults } = await listUsers(settings.userFile, weak);
  const directory = await openPasswdFile(settings.userFile, { weakSchemes: weak });
  if (users.length === 0) {
    warnings.push({ key: "user_file", message: `there are no users in ${settings.userFile}` });
  }
  for (const message of usersWithoutDomain(users, settings.defaultDomain)) {
    warnings.push({ key: "default_domain", message });
  }
  for (const message of await usersWithoutPlace(users, directory, settings.maildir)) {
    warnings.push({ key: "maildir", message });
  }
  await printErrors(warnings.map(({ key, message }) => `warning: ${key}: ${message}`));
  await printUserFileFaults(settings.userFile, faults);
  const verdict = warnings.length + faults.length === 0 ? "good" : "usable; see the warnings";
  await print(`${settings.file} is ${verdict}.\n`);
}
