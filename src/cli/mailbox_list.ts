/** `popkeep mailbox list`: the mailbox of every user, with its path, messages and octets. */

import { Command } from "commander";
import { openPasswdFile } from "../auth/user_file/passwd_file.ts";
import { weakSchemesNamed } from "../auth/stored_password.ts";
import { listUsers } from "../auth/user_file/user_file_edit.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { notListed } from "./find_user.ts";
import { listing, type ListOptions } from "./listing.ts";
import { type MaildropState, maildropState, refusalOf, storedOctetsOf } from "./maildrop_state.ts";
import { print, printErrors } from "./output.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { printUserFileFaults } from "./user_file.ts";

export function mailboxListCommand(): Command {
  const command = new Command("list")
    .description("list the mailboxes of the user file's users: path, messages, octets in storage")
    .addOption(configOption())
    .option("--json", "print JSON")
    .action(list);
  return withExample(command, "popkeep mailbox list");
}

interface Row {
  readonly user: string;
  readonly state: MaildropState;
}

async function list(options: ConfigOptions & ListOptions): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  const { userFile, maildir } = settings;
  const { weak } = weakSchemesNamed(settings.weakPasswordSchemes);
  const directory = await openPasswdFile(userFile, { weakSchemes: weak });
  const { users, faults } = await listUsers(userFile, weak);
  await printUserFileFaults(userFile, faults);
  await printErrors(notListed(settings));
  const rows: Row[] = [];
  for (const { user } of users) {
    const account = (await directory.lookUp(user))?.account;
    if (account !== undefined) rows.push({ user, state: await maildropState(maildir, account) });
  }
  await print(listing(options, {
    columns: [
      { title: "USER", shrinksTo: 12 },
      { title: "MESSAGES", align: "right" },
      { title: "OCTETS", align: "right" },
      { title: "PATH", whole: true },
    ],
    rows: rows.map(cellsOf),
    values: rows.map(valuesOf),
  }));
  const troubles = rows.flatMap(({ user, state }) =>
    troublesIn(state).map((trouble) => `the mailbox of ${printable(user)}: ${printable(trouble)}`)
  );
  if (troubles.length > 0) throw new Failure(ExitCode.inputOutput, troubles);
}

function troublesIn(state: MaildropState): readonly string[] {
  if (state.kind === "unusable") return [`${state.reason}; ${refusalOf(state)}`];
  return state.kind === "there" ? state.troubles : [];
}

function cellsOf({ user, state }: Row): string[] {
  const path = printable(state.path ?? "-");
  if (state.kind === "unusable") return [printable(user), "-", "-", path];
  const messages = state.kind === "there" ? state.messages : [];
  return [printable(user), String(messages.length), String(storedOctetsOf(messages)), path];
}

function valuesOf({ user, state }: Row): unknown {
  const messages = state.kind === "there" ? state.messages : [];
  const usable = state.kind !== "unusable";
  return {
    user,
    path: state.path ?? null,
    exists: state.kind === "there",
    messages: usable ? messages.length : null,
    octets: usable ? storedOctetsOf(messages) : null,
    ...(usable ? {} : { error: state.reason }),
    ...(state.kind === "there" && state.troubles.length > 0 ? { troubles: state.troubles } : {}),
  };
}
