/** `popkeep user app-password remove`: ends one app password; the others and the password go on. */

import { Command } from "commander";
import { removeAppPassword } from "../auth/user_file/user_file_edit.ts";
import { withExample } from "./example.ts";
import { print } from "./output.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { editing, existingUser } from "./user_file.ts";

export function userAppPasswordRemoveCommand(): Command {
  const command = new Command("remove")
    .description("remove an app password, so that it is no use any more")
    .argument("<user>", "the name to log in with")
    .argument("<label>", "which one, as the list has it")
    .addOption(configOption())
    .action(remove);
  return withExample(command, "popkeep user app-password remove alice@example.com phone");
}

async function remove(name: string, label: string, options: ConfigOptions): Promise<void> {
  const { userFile } = settingsOrFailure(options, { checkFiles: false });
  const { user } = await existingUser(userFile, name);
  await editing(removeAppPassword(userFile, user, label));
  await print(`Removed the app password ${printable(label)} of ${printable(user)}.\n`);
}
