/** `popkeep user list`: who is in the user file. */

import { Command } from "commander";
import { type ListedUser, listUsers } from "../auth/user_file_edit.ts";
import { withExample } from "./example.ts";
import { print } from "./output.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { listing, type ListOptions } from "./listing.ts";
import { printUserFileFaults } from "./user_file.ts";

export function userListCommand(): Command {
  const command = new Command("list")
    .description("list the users: name, password scheme, state, home")
    .addOption(configOption())
    .option("--json", "print JSON")
    .action(list);
  return withExample(command, "popkeep user list --json");
}

async function list(options: ConfigOptions & ListOptions): Promise<void> {
  const { userFile } = settingsOrFailure(options, { checkFiles: false });
  const { users, faults } = await listUsers(userFile);
  await printUserFileFaults(userFile, faults);
  await print(listing(options, {
    columns: [
      { title: "USER", shrinksTo: 12 },
      { title: "SCHEME" },
      { title: "STATE" },
      { title: "HOME", shrinksTo: 12 },
    ],
    rows: users.map((user) => [
      printable(user.user),
      user.scheme ?? "-",
      stateOf(user),
      printable(user.home ?? "-"),
    ]),
    values: users.map((user) => ({
      user: user.user,
      scheme: user.scheme ?? null,
      state: stateOf(user),
      home: user.home ?? null,
    })),
  }));
}

function stateOf({ disabled, scheme }: ListedUser): string {
  return disabled ? "disabled" : scheme === undefined ? "locked" : "active";
}
