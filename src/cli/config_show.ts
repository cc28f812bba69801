/** `popkeep config show`: the settings in force, defaults included. There are no secrets among them. */

import { Command } from "commander";
import { fileValues, settingsToml } from "../settings/effective_toml.ts";
import { withExample } from "./example.ts";
import { print } from "./output.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";

export function configShowCommand(): Command {
  const command = new Command("show")
    .description("print the settings in force, with defaults and absolute paths")
    .addOption(configOption())
    .option("--json", "print JSON instead of TOML")
    .action(show);
  return withExample(command, "popkeep config show --json");
}

async function show(options: ConfigOptions & { readonly json?: boolean }): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  await print(
    options.json
      ? JSON.stringify(fileValues(settings), undefined, 2) + "\n"
      : settingsToml(settings),
  );
}
