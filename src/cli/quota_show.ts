/** `popkeep quota show`: how much of their quotas users have used, with a bar for each mailbox. */

import { Command } from "commander";
import { percentUsed, sizeInWords } from "../delivery/quota_warning_message.ts";
import type { Usage } from "../maildir/maildirsize_text.ts";
import { usageNow } from "../maildir/quota_count.ts";
import { NO_LIMITS } from "../maildrop/quota_definition.ts";
import { endSoon } from "./end_soon.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure, failureFrom } from "./failure.ts";
import { listing, type ListOptions } from "./listing.ts";
import { print, printErrors, terminalColumns } from "./output.ts";
import { printable } from "./printable.ts";
import { ProgressLine } from "./progress_line.ts";
import { type UserQuota, userQuotas } from "./quota_places.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";

export function quotaShowCommand(): Command {
  const command = new Command("show")
    .description("tell how full mailboxes are: octets and messages, of how many, percent, a bar")
    .argument("[user]", "the name to log in with; all users that can be listed without it")
    .addOption(configOption())
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Changes nothing: where maildirsize is not to be believed, all mail is counted for it. Not at a
terminal, each line has the user, octets, their limit, messages, their limit, and percent.`,
    )
    .action(show);
  return withExample(command, "popkeep quota show", "popkeep quota show alice@example.com --json");
}

interface Row extends UserQuota {
  readonly used: Usage;
}

async function show(user: string | undefined, options: ConfigOptions & ListOptions): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  const { failures: notFound, found, remarks } = await userQuotas(user, settings);
  await printErrors(remarks);
  const rows: Row[] = [];
  const failures = [...notFound];
  const progress = new ProgressLine();
  progress.about("counting");
  progress.begin("mailboxes", found.length);
  for (const one of found) {
    try {
      const used = await usageNow(one.place, { limits: one.limits, isOnlyALook: true });
      rows.push({ ...one, used });
    } catch (error) {
      failures.push(failureFrom(error));
    }
    progress.step();
  }
  progress.clear();
  const isTerminal = terminalColumns() !== undefined;
  await print(listing(options, {
    columns: [
      { title: "USER", shrinksTo: 12 },
      { title: "USED", align: "right" },
      { title: "OF", align: "right" },
      { title: "MESSAGES", align: "right" },
      { title: "OF", align: "right" },
      { title: "FULL", align: "right" },
      { title: "", mayGo: true },
    ],
    rows: rows.map(isTerminal ? cellsInWords : cells),
    values: rows.map(valuesOf),
  }));
  endSoon();
  if (failures.length > 0) throw allOf(failures);
}

/** One failure that says what all of them do. */
export function allOf(failures: readonly Failure[]): Failure {
  const [first] = failures;
  if (failures.length === 1 && first !== undefined) return first;
  return new Failure(ExitCode.inputOutput, failures.flatMap(({ messages }) => messages));
}

function percentOf({ limits, used }: Row): number | undefined {
  return limits === undefined ? undefined : Math.floor(percentUsed(used, limits));
}

function cells(row: Row): string[] {
  const { limits = NO_LIMITS, used, user } = row;
  return [
    printable(user),
    String(used.octets),
    limits.octets > 0 ? String(limits.octets) : "-",
    String(used.messages),
    limits.messages > 0 ? String(limits.messages) : "-",
    String(percentOf(row) ?? "-"),
  ];
}

function cellsInWords(row: Row): string[] {
  const { limits = NO_LIMITS, used, user } = row;
  const percent = percentOf(row);
  return [
    printable(user),
    sizeInWords(used.octets, "en"),
    limits.octets > 0 ? sizeInWords(limits.octets, "en") : "-",
    used.messages.toLocaleString("en"),
    limits.messages > 0 ? limits.messages.toLocaleString("en") : "-",
    percent === undefined ? "-" : `${percent} %`,
    limits === NO_LIMITS ? "" : bar(percentUsed(used, limits)),
  ];
}

/** Columns of a bar's inside. */
const BAR_COLUMNS = 20;

/** Wholly filled at 100 and above only; not empty where there is anything. */
export function bar(percent: number): string {
  const share = Math.min(percent, 100) / 100 * BAR_COLUMNS;
  const filled = percent <= 0 ? 0 : Math.max(1, Math.floor(share));
  return `[${"#".repeat(filled)}${".".repeat(BAR_COLUMNS - filled)}]`;
}

function valuesOf(row: Row): unknown {
  const { limits = NO_LIMITS, quota, used, user } = row;
  return {
    user,
    octets: used.octets,
    octetsLimit: limits.octets > 0 ? limits.octets : null,
    messages: used.messages,
    messagesLimit: limits.messages > 0 ? limits.messages : null,
    percent: percentOf(row) ?? null,
    exceeded: quota.exceeded,
    ignoredFolders: quota.ignored,
  };
}
