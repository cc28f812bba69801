/** `popkeep user passwd`: a new password for a user. */

import { Command } from "commander";
import { appPasswordsOf, secretKindsOf, setPassword } from "../auth/user_file/user_file_edit.ts";
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
import {
  makeSecrets,
  newlyOffered,
  planSecrets,
  type SecretOptions,
  secretSentences,
  secretWarnings,
  withSecretOptions,
} from "./user_secrets.ts";

type Options = ConfigOptions & PasswordOptions & SchemeOptions & SecretOptions;

export function userPasswdCommand(): Command {
  const command = new Command("passwd")
    .description("change a user's password; asks for the new one twice, hidden")
    .argument("<user>", "the name to log in with")
    .addOption(configOption())
    .option(...PASSWORD_STDIN)
    .addOption(schemeOption())
    .action(passwd);
  withSecretOptions(command, { mayRemove: true });
  return withExample(
    command,
    "popkeep user passwd alice@example.com",
    "popkeep user passwd alice@example.com --ntlm",
  );
}

async function passwd(name: string, options: Options): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  const { userFile, passwordScheme } = settings;
  const { user } = await existingUser(userFile, name);
  const plan = planSecrets(options, await editing(secretKindsOf(userFile, user)));
  const password = await newPassword(printable(user), options);
  const stored = await storedPassword(options.scheme ?? passwordScheme, password);
  const secrets = await makeSecrets(plan, password);
  const offered = await newlyOffered(plan, settings, user);
  await editing(setPassword(userFile, user, stored, secrets));
  const warnings = [
    ...sendingWarnings({ user, password }, settings.maxCommandSizeOctets),
    ...secretWarnings(plan, userFile),
    ...offered,
  ];
  await printErrors(warnings.map((warning) => `warning: ${warning}`));
  const shown = printable(user);
  const sentences = [
    `Changed the password of ${shown}.`,
    ...secretSentences(plan, shown),
    ...await appPasswordSentences(userFile, user),
  ];
  await print(sentences.map((sentence) => `${sentence}\n`).join(""));
}

/** App passwords are not made of the password, so a new one does not end them. */
async function appPasswordSentences(userFile: string, user: string): Promise<string[]> {
  const names = (await editing(appPasswordsOf(userFile, user))).map(({ name }) => name);
  if (names.length === 0) return [];
  return [
    `The app passwords go on working: ${names.join(", ")}. ` +
    "`popkeep user app-password remove` ends one.",
  ];
}
