/** `popkeep user app-password add`: makes a secret by chance, stores its digest and shows it once. */

import { Command } from "commander";
import {
  faultOfAppPasswordName,
  makeAppPassword,
  storeAppPassword,
} from "../auth/app_passwords.ts";
import { addAppPassword } from "../auth/user_file/user_file_edit.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { print, printAside } from "./output.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { editing, existingUser } from "./user_file.ts";

export function userAppPasswordAddCommand(): Command {
  const command = new Command("add")
    .description("make an app password and show it, this once")
    .argument("<user>", "the name to log in with")
    .argument("<label>", "what it is for, such as phone: lower-case letters, digits, - and _")
    .addOption(configOption())
    .action(add);
  return withExample(command, "popkeep user app-password add alice@example.com phone");
}

async function add(name: string, label: string, options: ConfigOptions): Promise<void> {
  const { userFile } = settingsOrFailure(options, { checkFiles: false });
  const fault = faultOfAppPasswordName(label);
  if (fault !== undefined) throw new Failure(ExitCode.badData, `an app password's label ${fault}`);
  const { user } = await existingUser(userFile, name);
  const secret = makeAppPassword();
  const storedPassword = storeAppPassword(secret);
  await editing(
    addAppPassword(userFile, user, { name: label, storedPassword, madeMs: Date.now() }),
  );
  // The secret alone on standard output, so that a script can take it from there.
  await print(`${secret}\n`);
  await printAside(
    `This is the app password ${label} of ${printable(user)}. It cannot be shown again.\n` +
      "Blanks, dashes and letter case do not matter when it is typed.\n",
  );
}
