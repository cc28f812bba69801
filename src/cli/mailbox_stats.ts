/** `popkeep mailbox stats`: what users' mailboxes hold, in numbers, by folder. Changes nothing. */

import { Command, InvalidArgumentError } from "commander";
import { pathIn } from "../maildir/disk.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { openMessageFile } from "../maildir/message_file.ts";
import { usageNow } from "../maildir/quota_count.ts";
import { countedMaildirs, folderNameAt } from "../maildir/quota_folders.ts";
import type { Settings } from "../settings.ts";
import {
  type FolderStatistics,
  folderStatistics,
  type LargeMessage,
} from "../upkeep/folder_statistics.ts";
import { pathText } from "../upkeep/finding.ts";
import { endSoon } from "./end_soon.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { listing, type ListOptions } from "./listing.ts";
import { about, type MailboxPlace, mailboxPlaces, sumPlaceOf } from "./mailbox_places.ts";
import { type MessageHeader, readMessageHeader } from "./message_header.ts";
import { print, printErrors } from "./output.ts";
import { printable } from "./printable.ts";
import { ProgressLine } from "./progress_line.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";

/** Largest messages that JSON has of each folder where no number is given. */
const LARGEST_IN_JSON = 5;

const MOST_LARGEST = 10_000;

interface StatsOptions extends ConfigOptions, ListOptions {
  readonly all?: boolean;
  readonly largest?: number;
}

export function mailboxStatsCommand(): Command {
  const command = new Command("stats")
    .description("tell what a user's mailbox holds, by folder: messages, octets, new, seen, dates")
    .argument("[user]", "the name to log in with, in any directory that finds users by names")
    .addOption(configOption())
    .option("--all", "all users that can be listed")
    .option("--largest <number>", "list the largest messages instead", parseLargest)
    .option("--json", "print JSON, which has the largest messages and the quota, too")
    .addHelpText(
      "after",
      `
One of a user and --all is needed. Octets are those of the files; dates are those of delivery, in
UTC. IDS are messages that have a unique-id, DELETED those that mailbox undelete can put back.`,
    )
    .action(stats);
  return withExample(
    command,
    "popkeep mailbox stats alice@example.com",
    "popkeep mailbox stats --all --largest 20",
  );
}

function parseLargest(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= MOST_LARGEST) return number;
  throw new InvalidArgumentError(`allowed is 1 to ${MOST_LARGEST}`);
}

interface Row extends FolderStatistics {
  readonly user: string;
  readonly folder: string;
  readonly path: string;
}

interface Quota {
  readonly octets: number;
  readonly octetsLimit: number | null;
  readonly messages: number;
  readonly messagesLimit: number | null;
}

async function stats(user: string | undefined, options: StatsOptions): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  const { places, troubles, remarks } = await mailboxPlaces(user, options.all, settings);
  await printErrors(remarks);
  const rows: Row[] = [];
  const quotas = new Map<string, Quota>();
  const failures = [...troubles];
  const progress = new ProgressLine();
  for (const place of places) {
    try {
      await takeFolders(place, { settings, options, progress }, rows);
      if (options.json) quotas.set(place.account.user, await quotaFor(place, settings));
    } catch (error) {
      failures.push(about(place.account.user, error));
    }
  }
  progress.clear();
  await print(
    options.largest === undefined
      ? table(rows, quotas, options)
      : await largestTable(rows, options.largest, options),
  );
  endSoon();
  if (failures.length > 0) throw new Failure(ExitCode.inputOutput, failures);
}

interface Run {
  readonly settings: Settings;
  readonly options: StatsOptions;
  readonly progress: ProgressLine;
}

/** A mailbox that is not there yet has no folders. */
async function takeFolders(
  { account: { user }, location }: MailboxPlace,
  { settings, options, progress }: Run,
  rows: Row[],
): Promise<void> {
  const timeoutMs = settings.storageTimeoutMs;
  const disk = new MailboxDisk(location.folders, { timeoutMs });
  await disk.stat(location.root);
  const mostLarge = options.largest ?? (options.json ? LARGEST_IN_JSON : 0);
  for (const path of await countedMaildirs(location, [], disk)) {
    const maildir = new MailboxDisk(path, { timeoutMs });
    if (!await isMaildir(maildir)) continue;
    const folder = folderNameAt(location, path);
    progress.about(`${user}, ${folder}`);
    let files = -1;
    const onFile = (of: number) => {
      if (of !== files) progress.begin("files", of);
      files = of;
      progress.step();
    };
    rows.push({ user, folder, path, ...await folderStatistics(maildir, { mostLarge, onFile }) });
  }
}

async function isMaildir(disk: MailboxDisk): Promise<boolean> {
  for (const folder of ["cur", "new"]) {
    const found = await disk.lstat(`${disk.path}/${folder}`).catch(() => undefined);
    if (found?.isDirectory() === true) return true;
  }
  return false;
}

async function quotaFor(place: MailboxPlace, settings: Settings): Promise<Quota> {
  const { limits, place: counted } = sumPlaceOf(place, settings);
  const used = await usageNow(counted, { limits, isOnlyALook: true });
  return {
    octets: used.octets,
    octetsLimit: limits !== undefined && limits.octets > 0 ? limits.octets : null,
    messages: used.messages,
    messagesLimit: limits !== undefined && limits.messages > 0 ? limits.messages : null,
  };
}

function table(
  rows: readonly Row[],
  quotas: ReadonlyMap<string, Quota>,
  options: StatsOptions,
): string {
  const right = { align: "right" } as const;
  return listing(options, {
    columns: [
      { title: "USER", shrinksTo: 12 },
      { title: "FOLDER", shrinksTo: 8 },
      { title: "MESSAGES", ...right },
      { title: "OCTETS", ...right },
      { title: "NEW", ...right },
      { title: "SEEN", ...right },
      { title: "OLDEST", mayGo: true },
      { title: "NEWEST", mayGo: true },
      { title: "IDS", ...right, mayGo: true },
      { title: "DELETED", ...right },
    ],
    rows: rows.map((row) => [
      printable(row.user),
      printable(row.folder),
      ...[row.messages, row.octets, row.fresh, row.seen].map(String),
      dateOf(row.oldestMs)?.slice(0, 10) ?? "-",
      dateOf(row.newestMs)?.slice(0, 10) ?? "-",
      String(row.uniqueIds),
      String(row.deleted),
    ]),
    values: rows.map((row) => ({
      user: row.user,
      folder: row.folder,
      path: row.path,
      messages: row.messages,
      octets: row.octets,
      new: row.fresh,
      seen: row.seen,
      oldest: dateOf(row.oldestMs) ?? null,
      newest: dateOf(row.newestMs) ?? null,
      uniqueIds: row.uniqueIds,
      listOctets: row.listOctets,
      deleted: row.deleted,
      deletedOctets: row.deletedOctets,
      largest: row.largest.map(valuesOf),
      quota: quotas.get(row.user) ?? null,
    })),
  });
}

function dateOf(timeMs: number | undefined): string | undefined {
  // A name can say any number of seconds.
  if (timeMs === undefined || Math.abs(timeMs) > 8.64e15) return undefined;
  return new Date(timeMs).toISOString();
}

function valuesOf({ folder, fileName, octets }: LargeMessage) {
  return { file: pathText(`${folder}/${fileName}`), octets };
}

/** The largest messages of all folders together. */
async function largestTable(
  rows: readonly Row[],
  most: number,
  options: StatsOptions,
): Promise<string> {
  const all = rows.flatMap((row) => row.largest.map((message) => ({ row, message })))
    .toSorted((one, other) => other.message.octets - one.message.octets).slice(0, most);
  const shown = [];
  for (const { row, message } of all) {
    shown.push({ row, message, header: await headerOf(row.path, message) });
  }
  return listing(options, {
    columns: [
      { title: "USER", shrinksTo: 12 },
      { title: "FOLDER", shrinksTo: 8 },
      { title: "OCTETS", align: "right" },
      { title: "DATE", mayGo: true },
      { title: "FROM", shrinksTo: 16 },
      { title: "SUBJECT", shrinksTo: 24 },
    ],
    rows: shown.map(({ row, message, header }) => [
      printable(row.user),
      printable(row.folder),
      String(message.octets),
      header?.date?.toISOString().slice(0, 10) ?? "-",
      printable(header?.sender ?? "") || "-",
      printable(header?.subject ?? "") || "-",
    ]),
    values: shown.map(({ row, message, header }) => ({
      user: row.user,
      folder: row.folder,
      ...valuesOf(message),
      date: header?.date ?? null,
      from: header?.from ?? null,
      subject: header?.subject ?? null,
    })),
  });
}

/** Undefined for what is gone or cannot be read. */
async function headerOf(path: string, { folder, fileName }: LargeMessage) {
  let header: MessageHeader | undefined;
  const disk = new MailboxDisk(path);
  const message = await openMessageFile(disk, pathIn(`${path}/${folder}`, fileName))
    .catch(() => undefined);
  try {
    header = message && await readMessageHeader(message);
  } catch {
    header = undefined;
  } finally {
    await message?.close();
  }
  return header;
}
