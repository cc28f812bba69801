/** `popkeep user`: the group of commands about the user file. */

import { Command } from "commander";
import { withExample } from "./example.ts";
import { userAddCommand } from "./user_add.ts";
import { userAppPasswordCommand } from "./user_app_password.ts";
import { userListCommand } from "./user_list.ts";
import { userPasswdCommand } from "./user_passwd.ts";
import { userRemoveCommand } from "./user_remove.ts";
import { userTestCommand } from "./user_test_command.ts";

export function userCommand(): Command {
  const command = new Command("user")
    .description("add, change, remove, list and test users")
    .addCommand(userAddCommand())
    .addCommand(userPasswdCommand())
    .addCommand(userRemoveCommand())
    .addCommand(userListCommand())
    .addCommand(userAppPasswordCommand())
    .addCommand(userTestCommand());
  return withExample(command, "popkeep user add alice@example.com");
}
