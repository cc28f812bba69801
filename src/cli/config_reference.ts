/** `popkeep config reference`: the documentation of every key, from the schema. */

import { Command } from "commander";
import { settingsReference } from "../settings/reference.ts";
import { withExample } from "./example.ts";
import { print } from "./output.ts";

export function configReferenceCommand(): Command {
  const command = new Command("reference")
    .description("print the documentation of every key of the settings file, as Markdown")
    .action(() => print(settingsReference()));
  return withExample(command, "popkeep config reference | less");
}
