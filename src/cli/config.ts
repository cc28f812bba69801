/** `popkeep config`: the group of commands about the settings file. */

import { Command } from "commander";
import { configCheckCommand } from "./config_check.ts";
import { configReferenceCommand } from "./config_reference.ts";
import { configShowCommand } from "./config_show.ts";
import { withExample } from "./example.ts";

export function configCommand(): Command {
  const command = new Command("config")
    .description("test, show and explain the settings")
    .addCommand(configCheckCommand())
    .addCommand(configShowCommand())
    .addCommand(configReferenceCommand());
  return withExample(command, "popkeep config check --config /etc/popkeep/popkeep.toml");
}
