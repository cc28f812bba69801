/** `popkeep user passwd`: a new password for a user. */

import { Command } from "commander";
import { setPassword } from "../auth/user_file_edit.ts";
import { withExample } from "./example.ts";
import { print, printErrors } from "./output.ts";
import { newPassword, PASSWORD_STDIN, type PasswordOptions } from "./password.ts";
import { printable } from "./printable.ts";
import { sendingWarnings } from "./sending.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import {
  editing,
  existingUser,
  schemeOption,
  type SchemeOptions,
  storedPassword,
} from "./user_file.ts";

type Options = ConfigOptions & PasswordOptions & SchemeOptions;

export function userPasswdCommand(): Command {
  const command = new Command("passwd")
    .description("change a user's password; asks for the new one twice, hidden")
    .argument("<user>", "the name to log in with")
    .addOption(configOption())
    .option(...PASSWORD_STDIN)
    .addOption(schemeOption())
    .action(passwd);
  return withExample(command, "popkeep user passwd alice@example.com");
}

async function passwd(name: string, options: Options): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  const { userFile, passwordScheme } = settings;
  const { user } = await existingUser(userFile, name);
  const password = await newPassword(printable(user), options);
  const stored = await storedPassword(options.scheme ?? passwordScheme, password);
  await editing(setPassword(userFile, user, stored));
  const warnings = sendingWarnings({ user, password }, settings.maxCommandSizeOctets);
  await printErrors(warnings.map((warning) => `warning: ${warning}`));
  await print(`Changed the password of ${printable(user)}.\n`);
}
