/**
 * `popkeep import-uids`: messages keep the unique-ids that another POP3 server gave them, so that no client
 * downloads them again. The old server's files are read and never written; popkeep may be serving meanwhile.
 *
 * *Knows*: users, options, what is said of it all. *Does not know*: lists of old servers (src/moving).
 */

import { Command, Option } from "commander";
import { type ImportPlan } from "../moving/import_plan.ts";
import { importIds } from "../moving/import_ids.ts";
import { OldListFault } from "../moving/old_ids.ts";
import { PresentMessages } from "../moving/present_messages.ts";
import { OldServerFault } from "../net/old_server/old_server_fault.ts";
import { endSoon } from "./end_soon.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure, failureFrom } from "./failure.ts";
import { type ImportPlace, importPlaces } from "./import_places.ts";
import { importListing, type ImportRow, summaryOf, whyAgain } from "./import_report.ts";
import { type OldSource, openOldSource, type SourceOptions, SOURCES } from "./import_source.ts";
import { becomeMailUser } from "./leave_root.ts";
import { print, printErrors } from "./output.ts";
import { printable } from "./printable.ts";
import { ProgressLine } from "./progress_line.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";

interface ImportCommandOptions extends ConfigOptions, SourceOptions {
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly replace?: boolean;
  readonly json?: boolean;
}

export function importUidsCommand(): Command {
  const command = new Command("import-uids")
    .description("keep the unique-ids of another POP3 server, so that no mail is downloaded again")
    .argument("[user]", "the name to log in with; alice/Work where the settings allow folders")
    .addOption(
      new Option("--from <source>", "where the unique-ids are").choices(SOURCES)
        .makeOptionMandatory(),
    )
    .option("--all", "all users that can be listed")
    .option("--dry-run", "change nothing; tell what would be downloaded again, and why")
    .option("--replace", "also in place of unique-ids that popkeep has given already")
    .option("--source <path>", "where the old list is, if not in the Maildir; for cyrus its folder")
    .option("--uidl-format <format>", "dovecot's pop3_uidl_format, or cyrus's uidl_format")
    .option("--reuse-xuidl", "dovecot's pop3_reuse_xuidl was on")
    .addOption(
      new Option("--uidl-duplicates <what>", "dovecot's pop3_uidl_duplicates")
        .choices(["allow", "rename"]),
    )
    .option("--host <host>", "live: the old server")
    .option("--port <port>", "live: its port; 995, or 110 without --tls implicit")
    .addOption(
      new Option("--tls <way>", "live: TLS at once, after STLS, or none")
        .choices(["implicit", "starttls", "none"]),
    )
    .option("--ca-file <file>", "live: certificates to trust instead of the system's, PEM")
    .option("--login <name>", "live: the name at the old server, if another one")
    .option("--master-user <name>", "live: log in for each user as USER*NAME")
    .option("--master-separator <text>", "live: what stands between the two, instead of *")
    .option("--password-file <file>", "live: the password, in the file's first line")
    .option("--password-stdin", "live: read the password from standard input")
    .option("--retr", "live: download whole messages if the old server has no TOP")
    .addOption(configOption())
    .option("--json", "print JSON, with every unique-id")
    .addHelpText(
      "after",
      `
The columns are messages, those whose old unique-id is kept, those that have it already, those that
would be downloaded again, and those that the old server has no unique-id for. Why, and what is
mapped, is said on standard error. docs/moving-in.md tells what to do on the day.`,
    )
    .action(importUids);
  return withExample(
    command,
    "popkeep import-uids alice@example.com --from dovecot --dry-run",
    "popkeep import-uids --all --from courier",
    "popkeep import-uids bob --from live --host old.example.com --password-file bob.pw",
  );
}

async function importUids(user: string | undefined, options: ImportCommandOptions): Promise<void> {
  if ((user === undefined) === (options.all !== true)) {
    throw new Failure(ExitCode.usage, "name a user, or say --all");
  }
  const settings = settingsOrFailure(options, { checkFiles: false });
  // Files that only root may read are read before.
  const source = openOldSource(options);
  becomeMailUser(settings);
  const { failures: notFound, places, remarks } = await importPlaces(user, settings);
  await printErrors(remarks);
  const progress = new ProgressLine();
  const rows: ImportRow[] = [];
  const failures = [...notFound];
  for (const place of places) {
    progress.about(place.account.user);
    let row: ImportRow | undefined;
    try {
      row = await importFor(place, { options, progress, source });
      rows.push(row);
    } catch (error) {
      const failure = failureOf(error, place);
      if (options.all !== true) throw failure;
      failures.push(failure);
    } finally {
      progress.clear();
    }
    if (row !== undefined) await printErrors(whyAgain(row, options));
  }
  await print(importListing(options, rows));
  await printErrors(summaryOf(rows, options));
  // A disk that hangs, or a server that does not hang up, keeps nothing from being over.
  endSoon();
  if (failures.length > 0) {
    throw new Failure(failures[0]!.exitCode, failures.flatMap(({ messages }) => messages));
  }
}

interface Import {
  readonly options: ImportCommandOptions;
  readonly progress: ProgressLine;
  readonly source: OldSource;
}

async function importFor(
  place: ImportPlace,
  { options, progress, source }: Import,
): Promise<ImportRow> {
  const present = await PresentMessages.of(place.disk);
  const old = await source.idsOf(place, present, progress).catch((error) => {
    // Somebody of all who never used POP3, or not for long.
    const isNoFault = options.all === true && error instanceof OldListFault && error.isMissing;
    if (!isNoFault) throw error;
    return { ids: [], order: [], remarks: [error.message] };
  });
  const { dryRun = false, replace = false } = options;
  const plan: ImportPlan = await importIds(present, old, { dryRun, replace });
  return { user: place.account.user, path: place.disk.path, plan, remarks: old.remarks };
}

/** Whose mailbox it was belongs to what went wrong there. */
function failureOf(error: unknown, { account: { user } }: ImportPlace): Failure {
  const [exitCode, messages]: [ExitCode, readonly string[]] = error instanceof OldListFault
    ? [error.isMissing ? ExitCode.noInput : ExitCode.badData, [error.message]]
    : error instanceof OldServerFault
    ? [SERVER_FAULTS[error.kind], [error.message]]
    : [failureFrom(error).exitCode, failureFrom(error).messages];
  const lines = messages.map((message) =>
    `the mailbox of ${printable(user)}: ${printable(message)}`
  );
  return new Failure(exitCode, lines, { cause: error });
}

const SERVER_FAULTS: Readonly<Record<OldServerFault["kind"], ExitCode>> = {
  unreachable: ExitCode.temporary,
  refused: ExitCode.noPermission,
  unusable: ExitCode.inputOutput,
};
