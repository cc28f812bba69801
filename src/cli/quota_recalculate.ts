/**
 * `popkeep quota recalculate`: counts all mail of users and writes their maildirsize anew. Mail may come and go
 * meanwhile, and a server may run.
 */

import { Command } from "commander";
import type { Usage } from "../maildir/maildirsize_text.ts";
import { maildirSizeNow } from "../maildir/maildirsize.ts";
import { quotaDisk, usageNow } from "../maildir/quota_count.ts";
import { endSoon } from "./end_soon.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure, failureFrom } from "./failure.ts";
import { becomeMailUser } from "./leave_root.ts";
import { listing, type ListOptions } from "./listing.ts";
import { print, printErrors } from "./output.ts";
import { printable } from "./printable.ts";
import { ProgressLine } from "./progress_line.ts";
import { type UserQuota, userQuotas } from "./quota_places.ts";
import { allOf } from "./quota_show.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";

interface RecalculateOptions extends ConfigOptions, ListOptions {
  readonly all?: boolean;
}

export function quotaRecalculateCommand(): Command {
  const command = new Command("recalculate")
    .description("count all mail of users, and write maildirsize anew")
    .argument("[user]", "the name to log in with")
    .option("--all", "all users that can be listed")
    .addOption(configOption())
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Needed after messages were added or removed by programs that do not keep maildirsize. The columns are
what there is, and what maildirsize said before, - where it was not to be believed. Where no quota is
set and no other program has made the file, none is written.`,
    )
    .action(recalculate);
  return withExample(
    command,
    "popkeep quota recalculate alice@example.com",
    "popkeep quota recalculate --all",
  );
}

interface Row {
  readonly user: string;
  readonly used: Usage;
  readonly before: Usage | undefined;
}

async function recalculate(user: string | undefined, options: RecalculateOptions): Promise<void> {
  if ((user === undefined) === (options.all !== true)) {
    throw new Failure(ExitCode.usage, "name a user, or say --all");
  }
  const settings = settingsOrFailure(options, { checkFiles: false });
  becomeMailUser(settings);
  const { failures: notFound, found, remarks } = await userQuotas(user, settings);
  await printErrors(remarks);
  const failures = [...notFound];
  const rows: Row[] = [];
  const progress = new ProgressLine();
  for (const one of found) {
    try {
      rows.push(await countedAnew(one, progress));
    } catch (error) {
      failures.push(failureFrom(error));
    } finally {
      progress.clear();
    }
  }
  await print(listing(options, {
    columns: [
      { title: "USER", shrinksTo: 12 },
      { title: "OCTETS", align: "right" },
      { title: "MESSAGES", align: "right" },
      { title: "OCTETS BEFORE", align: "right" },
      { title: "MESSAGES BEFORE", align: "right" },
    ],
    rows: rows.map(cellsOf),
    values: rows.map(valuesOf),
  }));
  endSoon();
  if (failures.length > 0) throw allOf(failures);
}

/** @throws {Failure} If the mail cannot be counted, or what was counted cannot be written. */
async function countedAnew(
  { limits, place, user }: UserQuota,
  progress: ProgressLine,
): Promise<Row> {
  progress.about(user);
  // What cannot be read said nothing.
  const before = await maildirSizeNow(quotaDisk(place), { limits }).catch(() => undefined);
  let isBegun = false;
  let whyUnwritten: string | undefined;
  const used = await usageNow(place, {
    limits,
    isToBeCounted: true,
    onFolder: (_, folders) => {
      if (!isBegun) progress.begin("folders", folders);
      isBegun = true;
      progress.step();
    },
    onUnwritten: (reason) => whyUnwritten = reason,
  });
  if (whyUnwritten !== undefined) {
    throw new Failure(
      ExitCode.inputOutput,
      `the mail of ${printable(user)} was counted, but maildirsize was not written: ` +
        printable(whyUnwritten),
    );
  }
  return { user, used, before: before?.used };
}

function cellsOf({ before, used, user }: Row): string[] {
  return [
    printable(user),
    String(used.octets),
    String(used.messages),
    String(before?.octets ?? "-"),
    String(before?.messages ?? "-"),
  ];
}

function valuesOf({ before, used, user }: Row): unknown {
  return {
    user,
    octets: used.octets,
    messages: used.messages,
    octetsBefore: before?.octets ?? null,
    messagesBefore: before?.messages ?? null,
  };
}
