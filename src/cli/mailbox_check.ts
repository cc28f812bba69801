/** `popkeep mailbox check`: tells what is wrong with a mailbox, and what repair would do. Changes nothing. */

import { Command } from "commander";
import type { Settings } from "../settings.ts";
import { checkMailbox, type CheckProgress } from "../upkeep/check_mailbox.ts";
import type { Finding } from "../upkeep/finding.ts";
import { endSoon } from "./end_soon.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { FindingLines } from "./finding_lines.ts";
import type { ListOptions } from "./listing.ts";
import {
  about,
  type MailboxPlace,
  mailboxPlaces,
  mailOwner,
  sumPlaceOf,
} from "./mailbox_places.ts";
import { printErrors } from "./output.ts";
import { ProgressLine } from "./progress_line.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";

interface CheckCommandOptions extends ConfigOptions, ListOptions {
  readonly all?: boolean;
  readonly content: boolean;
}

export function mailboxCheckCommand(): Command {
  const command = new Command("check")
    .description("tell what is wrong with a user's mailbox, and what repair would do about it")
    .argument("[user]", "the name to log in with, in any directory that finds users by names")
    .addOption(configOption())
    .option("--all", "all users that can be listed")
    .option("--no-content", "do not read the messages: names, sizes and permissions alone")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
One of a user and --all is needed. Nothing is changed, and a server may run. It exits with 65 if
there are errors or warnings; notes alone are no fault. Not at a terminal, each line has the user,
error, warning or note, what kind it is, the path, what is wrong, and what repair would do.`,
    )
    .action(check);
  return withExample(command, "popkeep mailbox check alice@example.com");
}

async function check(user: string | undefined, options: CheckCommandOptions): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  const { places, troubles, remarks } = await mailboxPlaces(user, options.all, settings);
  await printErrors(remarks);
  const lines = new FindingLines(options);
  const progress = new ProgressLine();
  const failures = [...troubles];
  for (const place of places) {
    try {
      for await (
        const finding of findingsOf(place, settings, { reads: options.content, progress })
      ) {
        progress.clear();
        await lines.show({ user: place.account.user, finding });
      }
    } catch (error) {
      failures.push(about(place.account.user, error));
    }
  }
  progress.clear();
  await lines.end();
  endSoon();
  if (failures.length > 0) throw new Failure(ExitCode.inputOutput, [...failures, summary(lines)]);
  const { error, warning } = lines.counts;
  if (error + warning > 0) throw new Failure(ExitCode.badData, summary(lines));
  if (options.json !== true) await printErrors([summary(lines)]);
}

export interface Reading {
  readonly reads: boolean;
  readonly progress: ProgressLine;
}

/** The findings of a user's mailbox. */
export function findingsOf(
  place: MailboxPlace,
  settings: Settings,
  { progress, reads }: Reading,
): AsyncGenerator<Finding> {
  return checkMailbox(place.location, {
    timeoutMs: settings.storageTimeoutMs,
    owner: mailOwner(settings),
    reads,
    sum: sumPlaceOf(place, settings),
    progress: progressOf(place.account.user, progress),
  });
}

function progressOf(user: string, line: ProgressLine): CheckProgress {
  let begun = "";
  return {
    folder(name) {
      line.about(`${user}, ${name}`);
      begun = "";
    },
    step(what, of) {
      if (begun !== what) line.begin(what, of);
      begun = what;
      line.step();
    },
  };
}

/** What was found, in a sentence. */
export function summary({ counts, mendable }: FindingLines): string {
  const { error, note, warning } = counts;
  if (error + warning + note === 0) return "nothing is wrong";
  const found = [counted(error, "error"), counted(warning, "warning"), counted(note, "note")]
    .filter((part) => part !== undefined).join(", ");
  return `${found}; repair would see to ${mendable} of them`;
}

export function counted(number: number, noun: string): string | undefined {
  return number === 0 ? undefined : number === 1 ? `1 ${noun}` : `${number} ${noun}s`;
}
