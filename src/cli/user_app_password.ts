/** `popkeep user app-password`: secrets of a user, each for one program or device. */

import { Command } from "commander";
import { withExample } from "./example.ts";
import { userAppPasswordAddCommand } from "./user_app_password_add.ts";
import { userAppPasswordListCommand } from "./user_app_password_list.ts";
import { userAppPasswordRemoveCommand } from "./user_app_password_remove.ts";

export function userAppPasswordCommand(): Command {
  const command = new Command("app-password")
    .description("make, list and remove passwords for single programs and devices")
    .addCommand(userAppPasswordAddCommand())
    .addCommand(userAppPasswordListCommand())
    .addCommand(userAppPasswordRemoveCommand());
  return withExample(command, "popkeep user app-password add alice@example.com phone");
}
