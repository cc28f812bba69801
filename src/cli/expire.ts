/**
 * `popkeep expire`: has old messages go now, as the daily pass of `serve` does, or shows what would go.
 *
 * *Knows*: users, mailboxes. *Does not know*: how old mail may be.
 */

import { Command } from "commander";
import type { TidiedFolder } from "../delivery/tidy_mailbox.ts";
import type { Account } from "../maildrop/store.ts";
import type { Settings } from "../settings.ts";
import { configureLog } from "../admin/log.ts";
import { listedUsers, unknownText, unlistedDirectories } from "./daily/listed_users.ts";
import { tidyAccount } from "./daily/tidying.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { findUser, noSuchUser } from "./find_user.ts";
import { becomeMailUser } from "./leave_root.ts";
import { listing, type ListOptions } from "./listing.ts";
import { openDirectories } from "./login_parts.ts";
import { print, printErrors } from "./output.ts";
import { Parts } from "./parts.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";
import { UserCount } from "./user_count.ts";

interface ExpireOptions extends ConfigOptions, ListOptions {
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

export function expireCommand(): Command {
  const command = new Command("expire")
    .description("remove messages that have reached their age, as the settings' retention says")
    .argument("[user]", "the name to log in with, in any directory that finds users by names")
    .addOption(configOption())
    .option("--all", "all users that can be listed")
    .option("--dry-run", "show what would go, and remove nothing")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
One of a user and --all is needed. It does what the daily pass of \`popkeep serve\` does: what was
deleted longer ago than deleted_item_retention goes for good, and so does what unfinished
deliveries left in tmp/. Mail in a mailbox that a session has open stays until it ends.`,
    )
    .action(expire);
  return withExample(command, "popkeep expire --all --dry-run");
}

interface Tidied extends TidiedFolder {
  readonly user: string;
}

async function expire(user: string | undefined, options: ExpireOptions): Promise<void> {
  if ((user === undefined) !== (options.all === true)) {
    throw new Failure(ExitCode.usage, "name a user, or say --all");
  }
  const settings = settingsOrFailure(options, { checkFiles: false });
  becomeMailUser(settings);
  const { dryRun = false } = options;
  // What goes, and whose, is to be found later, as after the daily pass.
  configureLog({ ...settings, logLevel: dryRun ? "warning" : "info" });
  const parts = new Parts();
  const count = new UserCount();
  const tidied: Tidied[] = [];
  const troubles: string[] = [];
  try {
    const directories = await openDirectories(settings, parts);
    const users = user === undefined
      ? listedUsers(settings, directories)
      : [await accountOf(user, settings, directories)];
    for await (const found of users) {
      if ("reason" in found) {
        troubles.push(printable(unknownText(found)));
        continue;
      }
      count.next(found.user);
      try {
        const onRefused = (folder: string, reason: string) =>
          void troubles.push(
            `${printable(found.user)}, ${printable(folder)}: ${printable(reason)}`,
          );
        const folders = await tidyAccount(found, settings, { dryRun, onRefused });
        tidied.push(...folders.map((folder) => ({ ...folder, user: found.user })));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        troubles.push(`the mailbox of ${printable(found.user)}: ${printable(reason)}`);
      }
    }
  } finally {
    count.clear();
    await parts.closeAllBut();
  }
  await tell(tidied, options, settings);
  if (user === undefined) await tellUnlisted(settings);
  troubles.push(
    ...tidied.filter(({ failed }) => failed > 0).map(({ failed, folder, user }) =>
      `${printable(user)}, ${printable(folder)}: ${messages(failed)} could not be removed`
    ),
  );
  if (troubles.length > 0) throw new Failure(ExitCode.inputOutput, troubles);
}

/** @throws {Failure} If no directory finds the user by the name, or what it says cannot be understood. */
async function accountOf(
  user: string,
  settings: Settings,
  directories: Awaited<ReturnType<typeof openDirectories>>,
): Promise<Account> {
  const found = await findUser(user, settings, directories, "mailbox");
  if (found === undefined) throw noSuchUser(user, settings);
  return found.entry.account;
}

async function tell(
  tidied: readonly Tidied[],
  options: ExpireOptions,
  settings: Settings,
): Promise<void> {
  const { dryRun = false, json = false } = options;
  const rows = tidied.filter(({ messages }) => messages > 0);
  await print(listing(options, {
    columns: [
      { title: "USER", shrinksTo: 12 },
      { title: "FOLDER", shrinksTo: 8 },
      { title: "MESSAGES", align: "right" },
      { title: "OCTETS", align: "right" },
      { title: "OLDEST", mayGo: true },
      ...(dryRun ? [] : [{ title: "REMOVED", align: "right" as const }]),
    ],
    rows: rows.map(({ user, folder, messages, octets, oldestMs, removed }) => [
      printable(user),
      printable(folder),
      String(messages),
      String(octets),
      oldestMs === undefined ? "-" : new Date(oldestMs).toISOString().slice(0, 10),
      ...(dryRun ? [] : [String(removed.messages)]),
    ]),
    values: tidied.map((folder) => valueOf(folder, dryRun)),
  }));
  if (!json) await printErrors(summary(tidied, dryRun, settings));
}

function valueOf(tidied: Tidied, dryRun: boolean): unknown {
  const { user, folder, path, messages, octets, oldestMs, removed } = tidied;
  const { inUse, failed, purged, stale } = tidied;
  return {
    user,
    folder,
    path,
    messages,
    octets,
    oldest: oldestMs === undefined ? null : new Date(oldestMs),
    ...(dryRun
      ? {}
      : { removed: removed.messages, removedOctets: removed.octets, inUse, failed, purged, stale }),
  };
}

function summary(tidied: readonly Tidied[], dryRun: boolean, settings: Settings): string[] {
  const sum = (of: (folder: Tidied) => number) => tidied.reduce((all, one) => all + of(one), 0);
  if (dryRun) {
    const kept = settings.deletedItemRetentionMs > 0 ? "" : " for good";
    const [count, octets] = [sum(({ messages }) => messages), sum(({ octets }) => octets)];
    return [`${messages(count)}, ${octets} octets, would go${kept}; nothing was changed`];
  }
  const [gone, octets] = [
    sum(({ removed }) => removed.messages),
    sum(({ removed }) => removed.octets),
  ];
  const inUse = sum(({ inUse }) => inUse);
  const purged = sum(({ purged }) => purged);
  return [
    `${messages(gone)}, ${octets} octets, removed`,
    ...(purged > 0 ? [`${messages(purged)} deleted before went for good`] : []),
    ...(inUse > 0 ? [`${messages(inUse)} left in mailboxes that sessions have open`] : []),
  ];
}

function messages(count: number): string {
  return count === 1 ? "1 message" : `${count} messages`;
}

async function tellUnlisted(settings: Settings): Promise<void> {
  const unlisted = unlistedDirectories(settings);
  if (unlisted.length === 0) return;
  const list = printable(unlisted.join(", "));
  await printErrors([
    `users of ${list} are not among --all: popkeep cannot list them; name each, as in a loop`,
  ]);
}
