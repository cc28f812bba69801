/** `popkeep user list`: who is in the user file. */

import { Command } from "commander";
import type { DirectoryEntry } from "../auth/directory.ts";
import { openPasswdFile } from "../auth/passwd_file.ts";
import { isHashFault, readStoredPassword } from "../auth/stored_password.ts";
import { listUsers } from "../auth/user_file_edit.ts";
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
  const directory = await openPasswdFile(userFile);
  const { users, faults } = await listUsers(userFile);
  await printUserFileFaults(userFile, faults);
  const rows: Row[] = [];
  for (const { user, scheme = null, home = null } of users) {
    rows.push({ user, scheme, state: stateOf(await directory.lookUp(user)), home });
  }
  await print(listing(options, {
    columns: [
      { title: "USER", shrinksTo: 12 },
      { title: "SCHEME" },
      { title: "STATE" },
      { title: "HOME", shrinksTo: 12 },
    ],
    rows: rows.map(({ user, scheme, state, home }) => [
      printable(user),
      scheme ?? "-",
      state,
      printable(home ?? "-"),
    ]),
    values: rows,
  }));
}

interface Row {
  readonly user: string;
  readonly scheme: string | null;
  readonly state: "active" | "disabled" | "locked" | "unusable";
  readonly home: string | null;
}

/** `locked` has no password that could be right, `unusable` one that popkeep cannot check. */
function stateOf(entry: DirectoryEntry | undefined): Row["state"] {
  if (entry === undefined) return "unusable"; // it went away while we looked
  const stored = readStoredPassword(entry.storedPassword);
  if (isHashFault(stored)) return stored.kind === "locked" ? "locked" : "unusable";
  return entry.disabled ? "disabled" : "active";
}
