/** `popkeep mailbox deleted`: the messages of a user that were removed and can still be put back. */

import { Command } from "commander";
import { type DeletedFile, listDeleted } from "../maildir/deleted_messages.ts";
import { pathIn } from "../maildir/disk.ts";
import type { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { openMessageFile } from "../maildir/message_file.ts";
import { type ChoiceOptions, chosenOf, shownId } from "./deleted_choice.ts";
import { withExample } from "./example.ts";
import { listing, type ListOptions } from "./listing.ts";
import { type MessageHeader, readMessageHeader } from "./message_header.ts";
import { print } from "./output.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { userMailbox } from "./user_mailbox.ts";

interface DeletedOptions extends ConfigOptions, ListOptions, ChoiceOptions {
  readonly folder?: string;
}

export function mailboxDeletedCommand(): Command {
  const command = new Command("deleted")
    .description(
      "list a user's deleted messages that can be put back: unique-id, when, by whom, octets",
    )
    .argument("<user>", "the name to log in with, in any directory that finds users by names")
    .addOption(configOption())
    .option("--since <time>", "those deleted since then: 2h ago, or 2026-11-23T08:30 (UTC)")
    .option("--folder <name>", "of a folder of the mailbox, in place of the INBOX")
    .option("--json", "print JSON")
    .action(deleted);
  return withExample(command, "popkeep mailbox deleted alice@example.com --since 1d");
}

async function deleted(user: string, options: DeletedOptions): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  const { disk } = await userMailbox(user, settings, options.folder);
  const rows: Row[] = [];
  const files = chosenOf(await listDeleted(disk), options)
    .toSorted((one, other) => one.deletedMs - other.deletedMs || (one.id ?? 0) - (other.id ?? 0));
  for (const file of files) {
    const row = await rowOf(disk, file);
    if (row !== undefined) rows.push(row);
  }
  await print(listing(options, {
    columns: [
      { title: "ID", align: "right" },
      { title: "DELETED" },
      { title: "BY" },
      { title: "OCTETS", align: "right" },
      { title: "FROM", shrinksTo: 16 },
      { title: "SUBJECT", shrinksTo: 24 },
    ],
    rows: rows.map(({ file, octets, header }) => [
      printable(shownId(file) ?? "-"),
      new Date(file.deletedMs).toISOString().slice(0, 16).replace("T", " "),
      file.by,
      String(octets),
      printable(header?.sender ?? "") || "-",
      printable(header?.subject ?? "") || "-",
    ]),
    values: rows.map(({ file, octets, header }) => ({
      uniqueId: shownId(file) ?? null,
      deleted: new Date(file.deletedMs),
      by: file.by,
      octets,
      fileName: file.fileName,
      from: header?.from ?? null,
      subject: header?.subject ?? null,
    })),
  }));
}

interface Row {
  readonly file: DeletedFile;
  readonly octets: number;
  /** Undefined if it cannot be read. */
  readonly header: MessageHeader | undefined;
}

/** Undefined for what is gone, or no plain file. */
async function rowOf(disk: MailboxDisk, file: DeletedFile): Promise<Row | undefined> {
  const path = pathIn(`${disk.path}/${file.place}`, file.storedName);
  const message = await openMessageFile(disk, path);
  if (message === undefined) return undefined;
  try {
    const header = await readMessageHeader(message).catch(() => undefined);
    return { file, octets: message.storedOctets, header };
  } finally {
    await message.close();
  }
}
