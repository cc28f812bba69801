/** `popkeep user list`: who is in the user file. */

import { Command } from "commander";
import type { DirectoryEntry } from "../auth/directory.ts";
import { openPasswdFile } from "../auth/user_file/passwd_file.ts";
import type { WeakSchemes } from "../auth/password_schemes/scheme.ts";
import { isHashFault, readStoredPassword, weakSchemesNamed } from "../auth/stored_password.ts";
import { listUsers } from "../auth/user_file/user_file_edit.ts";
import { withExample } from "./example.ts";
import { usersWithoutDomain } from "./login_obstacles.ts";
import { print, printErrors } from "./output.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { notListed } from "./find_user.ts";
import { listing, type ListOptions } from "./listing.ts";
import { printUserFileFaults } from "./user_file.ts";

export function userListCommand(): Command {
  const command = new Command("list")
    .description(
      "list the users of the user file: name, password scheme, state, home, ways to log in",
    )
    .addOption(configOption())
    .option("--json", "print JSON")
    .action(list);
  return withExample(command, "popkeep user list --json");
}

async function list(options: ConfigOptions & ListOptions): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  const { userFile, weakPasswordSchemes, defaultDomain } = settings;
  const { weak } = weakSchemesNamed(weakPasswordSchemes);
  const directory = await openPasswdFile(userFile, { weakSchemes: weak });
  const { users, faults } = await listUsers(userFile, weak);
  await printUserFileFaults(userFile, faults);
  await printErrors(notListed(settings));
  const bare = usersWithoutDomain(users, defaultDomain);
  await printErrors(bare.map((message) => `warning: default_domain: ${message}`));
  const rows: Row[] = [];
  for (const { user, scheme = null, home = null } of users) {
    const entry = await directory.lookUp(user);
    const ways = entry === undefined ? [] : waysOf(entry, weak);
    const appPasswords = (entry?.appPasswords ?? []).map(({ name }) => name);
    rows.push({ user, scheme, state: stateOf(entry, ways), home, ways, appPasswords });
  }
  await print(listing(options, {
    columns: [
      { title: "USER", shrinksTo: 12 },
      { title: "SCHEME" },
      { title: "STATE" },
      { title: "HOME", shrinksTo: 12 },
      { title: "WAYS" },
    ],
    rows: rows.map(({ user, scheme, state, home, ways }) => [
      printable(user),
      scheme ?? "-",
      state,
      printable(home ?? "-"),
      ways.join(",") || "-",
    ]),
    values: rows,
  }));
}

interface Row {
  readonly user: string;
  readonly scheme: string | null;
  readonly state: "active" | "disabled" | "locked" | "unusable";
  readonly home: string | null;
  readonly ways: readonly Way[];
  /** Their names. */
  readonly appPasswords: readonly string[];
}

/** What the entry has something stored for; whether the server offers it is another matter. */
type Way = "password" | "ntlm" | "scram" | "app-password";

function waysOf(entry: DirectoryEntry, weak: WeakSchemes): Way[] {
  const { storedPassword, secrets = {}, appPasswords = [] } = entry;
  const ways: [Way, boolean][] = [
    ["password", !isHashFault(readStoredPassword(storedPassword, weak))],
    ["ntlm", secrets.ntHash !== undefined],
    ["scram", secrets.scramSha256 !== undefined],
    ["app-password", appPasswords.length > 0],
  ];
  return ways.flatMap(([way, has]) => has ? [way] : []);
}

/**
 * `locked` has nothing that could be right, and `unusable` only what popkeep cannot check; a user with
 * another way than the password is neither.
 */
function stateOf(entry: DirectoryEntry | undefined, ways: readonly Way[]): Row["state"] {
  if (entry === undefined) return "unusable"; // it went away while we looked
  if (ways.length > 0) return entry.disabled ? "disabled" : "active";
  const stored = readStoredPassword(entry.storedPassword);
  return isHashFault(stored) && stored.kind === "locked" ? "locked" : "unusable";
}
