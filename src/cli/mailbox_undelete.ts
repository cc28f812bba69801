/** `popkeep mailbox undelete`: puts deleted messages back, under the unique-ids that they had. */

import { Command } from "commander";
import { ignoredFolders } from "../delivery/quota_limits.ts";
import { listDeleted } from "../maildir/deleted_messages.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { openTally } from "../maildir/maildirsize.ts";
import { countsFolder, countsMessage } from "../maildir/quota_folders.ts";
import { type Restoration, type Restored, restoreDeleted } from "../maildir/restore_deleted.ts";
import type { Settings } from "../settings.ts";
import { type ChoiceOptions, chosenOf, shownId } from "./deleted_choice.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { becomeMailUser } from "./leave_root.ts";
import { listing, type ListOptions } from "./listing.ts";
import { print, printErrors } from "./output.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { type UserMailbox, userMailbox } from "./user_mailbox.ts";

interface UndeleteOptions extends ConfigOptions, ListOptions, ChoiceOptions {
  readonly folder?: string;
  readonly dryRun?: boolean;
}

export function mailboxUndeleteCommand(): Command {
  const command = new Command("undelete")
    .description("put a user's deleted messages back, under the unique-ids that they had")
    .argument("<user>", "the name to log in with, in any directory that finds users by names")
    .addOption(configOption())
    .option("--since <time>", "those deleted since then: 2h ago, or 2026-11-23T08:30 (UTC)")
    .option(
      "--id <unique-id...>",
      "those of these unique-ids, as `popkeep mailbox deleted` lists them",
    )
    .option("--all", "all that are still kept")
    .option("--folder <name>", "of a folder of the mailbox, in place of the INBOX")
    .option("--dry-run", "show what would come back, and change nothing")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
One of --since, --id and --all is needed. Sessions may be open meanwhile; the next one lists the
messages again. A message whose unique-id is another's by now comes back under a new one, and
says so; one of whose name there is a message in the mailbox stays where it is.`,
    )
    .action(undelete);
  return withExample(command, "popkeep mailbox undelete alice@example.com --since 2h");
}

async function undelete(user: string, options: UndeleteOptions): Promise<void> {
  const { dryRun = false, all, id, since } = options;
  if (all !== true && id === undefined && since === undefined) {
    throw new Failure(ExitCode.usage, "say which messages: --since, --id or --all");
  }
  if (all === true && (id !== undefined || since !== undefined)) {
    throw new Failure(ExitCode.usage, "--all is all that are kept: leave out --since and --id");
  }
  const settings = settingsOrFailure(options, { checkFiles: false });
  if (!dryRun) becomeMailUser(settings);
  const mailbox = await userMailbox(user, settings, options.folder);
  const files = chosenOf(await listDeleted(mailbox.disk), options);
  const results = await restoreDeleted(mailbox.disk, files, { dryRun });
  if (!dryRun) await count(mailbox, results, settings);
  await tell(results, options);
}

/** What came back counts towards the quota again. */
async function count(
  { account, location, disk }: UserMailbox,
  results: readonly Restored[],
  settings: Settings,
): Promise<void> {
  const back = results.filter((result) => isBack(result) && countsMessage(result.file.fileName));
  if (back.length === 0) return;
  if (!countsFolder(location, disk.path, ignoredFolders(settings, account))) return;
  const { storageTimeoutMs: timeoutMs } = settings;
  const tally = await openTally(new MailboxDisk(location.folders, { timeoutMs }));
  const octets = back.reduce((sum, { octets }) => sum + octets, 0);
  await tally?.add({ octets, messages: back.length });
}

function isBack({ outcome }: Restored): boolean {
  return outcome === "restored" || outcome === "renumbered";
}

const WORDS: Readonly<Record<Restoration, string>> = {
  restored: "restored",
  renumbered: "restored, new unique-id",
  there: "left: one of its name is in the mailbox",
  gone: "gone",
};

const WORDS_BEFORE: Readonly<Record<Restoration, string>> = {
  restored: "would be restored",
  renumbered: "would be restored, new unique-id",
  there: "would be left: one of its name is in the mailbox",
  gone: "gone",
};

async function tell(restored: readonly Restored[], options: UndeleteOptions): Promise<void> {
  const { dryRun = false, json = false } = options;
  const results = restored.toSorted(({ file: one }, { file: other }) =>
    one.deletedMs - other.deletedMs || (one.id ?? 0) - (other.id ?? 0)
  );
  await print(listing(options, {
    columns: [
      { title: "ID", align: "right" },
      { title: "DELETED" },
      { title: "OCTETS", align: "right" },
      { title: "WHAT", shrinksTo: 12 },
    ],
    rows: results.map(({ file, octets, outcome }) => [
      printable(shownId(file) ?? "-"),
      new Date(file.deletedMs).toISOString().slice(0, 16).replace("T", " "),
      String(octets),
      (dryRun ? WORDS_BEFORE : WORDS)[outcome],
    ]),
    values: results.map(({ file, octets, outcome }) => ({
      uniqueId: shownId(file) ?? null,
      deleted: new Date(file.deletedMs),
      octets,
      outcome,
      fileName: file.fileName,
    })),
  }));
  if (json) return;
  const back = results.filter(isBack).length;
  const noun = back === 1 ? "1 message" : `${back} messages`;
  await printErrors([
    dryRun ? `${noun} would come back; nothing was changed` : `${noun} came back`,
  ]);
}
