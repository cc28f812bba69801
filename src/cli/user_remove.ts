/** `popkeep user remove`: takes a user out of the user file and leaves the mail where it is. */

import { Command } from "commander";
import { removeUser } from "../auth/user_file/user_file_edit.ts";
import { withExample } from "./example.ts";
import { print } from "./output.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { editing, existingUser } from "./user_file.ts";

export function userRemoveCommand(): Command {
  const command = new Command("remove")
    .description("remove a user from the user file; the mail stays where it is")
    .argument("<user>", "the name to log in with")
    .addOption(configOption())
    .action(remove);
  return withExample(command, "popkeep user remove alice@example.com");
}

async function remove(name: string, options: ConfigOptions): Promise<void> {
  const { userFile } = settingsOrFailure(options, { checkFiles: false });
  const { user } = await existingUser(userFile, name);
  await editing(removeUser(userFile, user));
  await print(`Removed ${printable(user)} from ${userFile}. The mail is still there.\n`);
}
