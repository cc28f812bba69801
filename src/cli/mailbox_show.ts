/** `popkeep mailbox show`: the messages of one user, with what their headers say. */

import { Command } from "commander";
import type { ListedMessage } from "../maildir/list_messages.ts";
import type { Account } from "../maildrop/store.ts";
import type { Settings } from "../settings.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { findUser, noSuchUser } from "./find_user.ts";
import { listing, type ListOptions } from "./listing.ts";
import { openDirectories } from "./login_parts.ts";
import { maildropState, refusalOf } from "./maildrop_state.ts";
import { type MessageHeader, readMessageHeader } from "./message_header.ts";
import { print, printErrors } from "./output.ts";
import { Parts } from "./parts.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";

export function mailboxShowCommand(): Command {
  const command = new Command("show")
    .description("list a user's messages: unique-id, octets in storage, date, from, subject")
    .argument("<user>", "the name to log in with, in any directory that finds users by names")
    .addOption(configOption())
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nA message that no session has seen yet has no unique-id; it shows as -.",
    )
    .action(show);
  return withExample(command, "popkeep mailbox show alice@example.com --json");
}

interface Row {
  readonly message: ListedMessage;
  /** Undefined when the message went away meanwhile or cannot be read. */
  readonly header: MessageHeader | undefined;
}

async function show(user: string, options: ConfigOptions & ListOptions): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  const account = await accountOf(user, settings);
  const state = await maildropState(settings.maildir, account);
  if (state.kind === "unusable") {
    throw new Failure(
      ExitCode.inputOutput,
      `the mailbox of ${printable(user)}: ${printable(state.reason)}; ${refusalOf(state)}`,
    );
  }
  if (state.kind === "not-yet") {
    await printErrors([`${state.path} does not exist yet, so there are no messages`]);
  }
  const rows: Row[] = [];
  for (const message of state.kind === "there" ? state.messages : []) {
    rows.push({ message, header: await headerOf(message) });
  }
  await print(listing(options, {
    columns: [
      { title: "ID", align: "right" },
      { title: "OCTETS", align: "right" },
      { title: "DATE", mayGo: true },
      { title: "FROM", shrinksTo: 16 },
      { title: "SUBJECT", shrinksTo: 24 },
    ],
    rows: rows.map(cellsOf),
    values: rows.map(valuesOf),
  }));
  if (state.kind === "there" && state.troubles.length > 0) {
    throw new Failure(ExitCode.inputOutput, state.troubles.map(printable));
  }
}

/** @throws {Failure} If no directory finds the user by the name. */
async function accountOf(user: string, settings: Settings): Promise<Account> {
  const parts = new Parts();
  try {
    const directories = await openDirectories(settings, parts);
    const found = await findUser(user, settings, directories, "mailbox");
    if (found === undefined) throw noSuchUser(user, settings);
    const { entry: { account }, folder } = found;
    return folder === undefined ? account : { ...account, folder };
  } finally {
    await parts.closeAllBut();
  }
}

async function headerOf(message: ListedMessage): Promise<MessageHeader | undefined> {
  const opened = await message.open().catch(() => undefined);
  try {
    return opened === undefined ? undefined : await readMessageHeader(opened);
  } catch {
    return undefined; // a message that cannot be read is still one of the list
  } finally {
    await opened?.close();
  }
}

function cellsOf({ message, header }: Row): string[] {
  return [
    message.uniqueId ?? "-",
    String(message.storedOctets),
    // Minutes and UTC: short enough for a table, and the same everywhere.
    header?.date?.toISOString().slice(0, 16).replace("T", " ") ?? "-",
    printable(header?.sender ?? "") || "-",
    printable(header?.subject ?? "") || "-",
  ];
}

function valuesOf({ message, header }: Row): unknown {
  const { uniqueId, storedOctets, deliveredS, folder, flags, fileName } = message;
  return {
    uniqueId: uniqueId ?? null,
    octets: storedOctets,
    delivered: deliveredS > 0 ? new Date(deliveredS * 1_000) : null,
    folder,
    flags,
    fileName,
    readable: header !== undefined,
    date: header?.date ?? null,
    from: header?.from ?? null,
    subject: header?.subject ?? null,
  };
}
