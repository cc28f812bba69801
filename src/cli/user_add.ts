/** `popkeep user add`: a new entry in the user file. */

import { resolve } from "node:path";
import { Command } from "commander";
import { addUser } from "../auth/user_file/user_file_edit.ts";
import { mailboxPath } from "../maildir/location.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { usersWithoutDomain } from "./login_obstacles.ts";
import { print, printErrors } from "./output.ts";
import { whyNoPlace } from "./maildir_place.ts";
import { newPassword, PASSWORD_STDIN, type PasswordOptions } from "./password.ts";
import { printable } from "./printable.ts";
import { sendingWarnings } from "./sending.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import {
  checkIsNew,
  checkUserName,
  editing,
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

type Options = ConfigOptions & PasswordOptions & SchemeOptions & SecretOptions & {
  readonly home?: string;
};

export function userAddCommand(): Command {
  const command = new Command("add")
    .description("add a user; asks for the password twice, hidden")
    .argument("<user>", "the name to log in with, such as alice or alice@example.com")
    .addOption(configOption())
    .option("--home <folder>", "the user's home folder, {home} in the setting maildir")
    .option(...PASSWORD_STDIN)
    .addOption(schemeOption())
    .action(add);
  withSecretOptions(command, { mayRemove: false });
  return withExample(
    command,
    "popkeep user add alice@example.com --home /srv/mail/alice",
    "pass mail/bob | popkeep user add bob --password-stdin",
  );
}

async function add(user: string, options: Options): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  const { userFile, passwordScheme, maildir } = settings;
  checkUserName(user);
  await checkIsNew(userFile, user);
  if (maildir.includes("{home}") && options.home === undefined) {
    throw new Failure(
      ExitCode.usage,
      `the setting maildir is ${maildir}, so the user needs a home: name it with --home`,
    );
  }
  const home = options.home === undefined ? {} : { home: resolve(options.home) };
  const account = { user, ...home, extra: {} };
  if (mailboxPath(maildir, account) === undefined) {
    throw new Failure(ExitCode.badData, printable(whyNoPlace(maildir, account)));
  }
  const password = await newPassword(printable(user), options);
  const stored = await storedPassword(options.scheme ?? passwordScheme, password);
  const plan = planSecrets(options, new Set());
  const secrets = await makeSecrets(plan, password);
  const offered = await newlyOffered(plan, settings, user);
  await editing(addUser(userFile, { user, storedPassword: stored, secrets, ...home }));
  const warnings = [
    ...sendingWarnings({ user, password }, settings.maxCommandSizeOctets),
    ...secretWarnings(plan, userFile),
    ...offered,
    ...usersWithoutDomain([{ user }], settings.defaultDomain),
  ];
  await printErrors(warnings.map((warning) => `warning: ${warning}`));
  const shown = printable(user);
  const sentences = [`Added ${shown} to ${userFile}.`, ...secretSentences(plan, shown)];
  await print(sentences.map((sentence) => `${sentence}\n`).join(""));
}
