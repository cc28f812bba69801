/** `popkeep user app-password list`: which app passwords a user has, and which of them are in use. */

import { Command } from "commander";
import { type AppPasswordUse, readAppPasswordUses } from "../auth/app_password_uses.ts";
import { openPasswdFile } from "../auth/user_file/passwd_file.ts";
import { appPasswordsOf } from "../auth/user_file/user_file_edit.ts";
import { withExample } from "./example.ts";
import { listing, type ListOptions } from "./listing.ts";
import { print, printErrors } from "./output.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { editing, existingUser } from "./user_file.ts";

export function userAppPasswordListCommand(): Command {
  const command = new Command("list")
    .description("list a user's app passwords: label, made when, last used when and from where")
    .argument("<user>", "the name to log in with")
    .addOption(configOption())
    .option("--json", "print JSON")
    .action(list);
  return withExample(command, "popkeep user app-password list alice@example.com");
}

interface Row {
  readonly label: string;
  /** ISO 8601, as the others; null if not known. */
  readonly made: string | null;
  readonly lastUsed: string | null;
  readonly from: string | null;
}

async function list(name: string, options: ConfigOptions & ListOptions): Promise<void> {
  const { userFile, stateFolder } = settingsOrFailure(options, { checkFiles: false });
  const { user } = await existingUser(userFile, name);
  const uses = await usesOf(userFile, stateFolder, user);
  const rows = (await editing(appPasswordsOf(userFile, user))).map(({ name, madeMs }): Row => {
    // One from before it was made is of a removed one of the same label.
    const use = uses.find((one) => one.name === name && one.usedMs >= (madeMs ?? 0));
    return {
      label: name,
      made: madeMs === undefined ? null : new Date(madeMs).toISOString(),
      lastUsed: use === undefined ? null : new Date(use.usedMs).toISOString(),
      from: use?.address || null,
    };
  });
  await print(listing(options, {
    columns: [{ title: "LABEL" }, { title: "MADE" }, { title: "LAST USED" }, { title: "FROM" }],
    rows: rows.map(({ label, made, lastUsed, from }) => [
      label,
      minutes(made),
      minutes(lastUsed),
      printable(from ?? "-"),
    ]),
    values: rows,
  }));
}

/** The last uses are a help: without them the list is still of use. */
async function usesOf(
  userFile: string,
  stateFolder: string,
  user: string,
): Promise<readonly AppPasswordUse[]> {
  try {
    // The server notes them under the user whose mailbox was opened.
    const account = (await (await openPasswdFile(userFile)).lookUp(user))?.account;
    const uses = await readAppPasswordUses(stateFolder);
    return uses.filter((use) => use.user === (account?.user ?? user));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await printErrors([`warning: the last uses are not known: ${printable(reason)}`]);
    return [];
  }
}

/** As `mailbox show` writes dates: to the minute, in UTC. */
function minutes(time: string | null): string {
  return time?.slice(0, 16).replace("T", " ") ?? "-";
}
