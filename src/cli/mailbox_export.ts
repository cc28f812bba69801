/**
 * `popkeep mailbox export`: a user's mail as an mbox, a Maildir, or a file for each message. The mailbox is not
 * changed, and messages are read a piece at a time.
 *
 * A message that cannot be read is named and left out; none is ever there in part.
 */

import { Buffer } from "node:buffer";
import { Command, Option } from "commander";
import { READ_CHUNK_OCTETS } from "../limits.ts";
import { pathIn } from "../maildir/disk.ts";
import { refuseForeignLinks } from "../maildir/followed_links.ts";
import { type ListedMessage, listMessages } from "../maildir/list_messages.ts";
import { findMailFolder } from "../maildir/mail_folder.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { countedMaildirs, folderNameAt } from "../maildir/quota_folders.ts";
import type { StoredMessage } from "../maildrop/store.ts";
import type { Settings } from "../settings.ts";
import { pathText } from "../upkeep/finding.ts";
import { endSoon } from "./end_soon.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import {
  EmlFolder,
  type ExportTarget,
  isFolder,
  MaildirFolder,
  MboxFile,
  MboxFolder,
  StandardOutput,
  Unfinished,
} from "./export_target.ts";
import { Failure, failureFrom } from "./failure.ts";
import { addedHeader } from "./export_header.ts";
import { about, type MailboxPlace, mailboxPlaces } from "./mailbox_places.ts";
import { printErrors, terminalColumns } from "./output.ts";
import { printable } from "./printable.ts";
import { ProgressLine } from "./progress_line.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";

/** What each piece of a message may be read into; it is written before the next one is read. */
const SCRATCH = new Uint8Array(READ_CHUNK_OCTETS);

/** What is looked through for the sender of the envelope, octets. */
const SENDER_OCTETS = 4_096;

interface ExportOptions extends ConfigOptions {
  readonly to?: string;
  readonly format: "mbox" | "maildir" | "eml";
  readonly folder?: readonly string[];
  readonly xUidl?: boolean;
  readonly status?: boolean;
}

export function mailboxExportCommand(): Command {
  const command = new Command("export")
    .description("write a user's mail to an mbox, a Maildir, or a file for each message")
    .argument("<user>", "the name to log in with, in any directory that finds users by names")
    .addOption(configOption())
    .addOption(
      new Option("--format <format>", "what is written: mbox is mboxrd, eml a file a message")
        .choices(["mbox", "maildir", "eml"]).default("mbox"),
    )
    .option("--to <path>", "where to; standard output for mbox. A folder gets an mbox a folder")
    .option("--folder <name...>", "these folders alone, in place of all")
    .option("--x-uidl", "put each message's unique-id before its header, as X-UIDL")
    .option("--status", "put what is known of each message into Status and X-Status, for mbox")
    .addHelpText(
      "after",
      `
Messages are in the order that clients see, INBOX first. Nothing that is there is overwritten, and
what has the name that --to says is whole. A message that cannot be read is named on standard error,
and the exit code is 74. Run it as the user who owns the mail.`,
    )
    .action(exportMail);
  return withExample(
    command,
    "popkeep mailbox export alice@example.com --to alice.mbox",
    "popkeep mailbox export alice@example.com --format maildir --to alice.maildir --x-uidl",
  );
}

async function exportMail(user: string, options: ExportOptions): Promise<void> {
  const target = await targetOf(options);
  const settings = settingsOrFailure(options, { checkFiles: false });
  const { places: [place], troubles } = await mailboxPlaces(user, undefined, settings);
  if (place === undefined) throw new Failure(ExitCode.inputOutput, troubles);
  const run = new ExportRun(target, options);
  try {
    for (const path of await foldersOf(place, options, settings)) {
      await run.exportFolder(folderNameAt(place.location, path), path);
    }
    await target.finish();
  } catch (error) {
    await target.giveUp();
    if (error instanceof Unfinished) {
      throw new Failure(ExitCode.inputOutput, [...run.troubles, about(user, error)]);
    }
    throw failureFrom(error);
  } finally {
    run.progress.clear();
    endSoon();
  }
  const noun = run.messages === 1 ? "1 message" : `${run.messages} messages`;
  const summary = `${noun} exported`;
  if (run.troubles.length > 0) {
    throw new Failure(ExitCode.inputOutput, [
      ...run.troubles,
      `${summary}, and ${run.troubles.length} left out`,
    ]);
  }
  await printErrors([summary]);
}

/** @throws {Failure} If the command line does not say where to. */
async function targetOf(options: ExportOptions): Promise<ExportTarget> {
  const { format, status = false, to } = options;
  if (status && format !== "mbox") {
    throw new Failure(ExitCode.usage, "--status is for mbox: file names of a Maildir say it");
  }
  if (to === undefined) {
    if (format !== "mbox") throw new Failure(ExitCode.usage, `say --to where, for ${format}`);
    // What is in mail can steer a terminal.
    if (terminalColumns() === undefined) return new StandardOutput();
    throw new Failure(ExitCode.usage, "say --to where: this is a terminal");
  }
  if (format === "maildir") return new MaildirFolder(to);
  if (format === "eml") return new EmlFolder(to);
  return to.endsWith("/") || await isFolder(to) ? new MboxFolder(to) : new MboxFile(to);
}

/** INBOX first, then the others by their names. */
async function foldersOf(
  { location }: MailboxPlace,
  { folder: names }: ExportOptions,
  { storageTimeoutMs: timeoutMs }: Settings,
): Promise<string[]> {
  const disk = new MailboxDisk(location.folders, { timeoutMs });
  await disk.stat(location.root);
  if (names !== undefined) {
    const paths: string[] = [];
    for (const name of names) paths.push(await findMailFolder(location, name, disk));
    return paths;
  }
  const paths = await countedMaildirs(location, [], disk);
  const others = paths.filter((path) => path !== location.inbox && path !== location.folders);
  return [location.inbox, ...others.toSorted()];
}

class ExportRun {
  messages = 0;
  /** Messages that could not be read, a sentence each. */
  readonly troubles: string[] = [];
  readonly progress = new ProgressLine();
  readonly #target: ExportTarget;
  readonly #options: ExportOptions;

  constructor(target: ExportTarget, options: ExportOptions) {
    this.#target = target;
    this.#options = options;
  }

  async exportFolder(name: string, path: string): Promise<void> {
    const disk = new MailboxDisk(path);
    for (const folder of ["new", "cur"]) await refuseForeignLinks(disk, `${path}/${folder}`);
    const messages = await listMessages(path);
    await this.#target.beginFolder(name);
    this.progress.about(name);
    this.progress.begin("messages", messages.length);
    for (const message of messages) {
      this.progress.step();
      try {
        if (await this.#exportMessage(message, disk)) this.messages++;
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        const file = `${name}, ${message.folder}/${pathText(message.fileName)}`;
        this.troubles.push(printable(`${file} cannot be read: ${error.message}`));
      }
    }
  }

  /** False for a message that has gone meanwhile. */
  async #exportMessage(message: ListedMessage, disk: MailboxDisk): Promise<boolean> {
    const opened = await message.open().catch(asUnreadable);
    if (opened === undefined) return false;
    try {
      const first = await readPiece(opened);
      await this.#target.add({
        fileName: message.fileName,
        isNew: message.folder === "new",
        dateMs: await deliveredMs(message, disk),
        sender: senderOf(first),
        octets: piecesOf(opened, first, addedHeader(message, first, this.#options)),
      });
      return true;
    } finally {
      await opened.close();
    }
  }
}

/** By its name, or else by its file's date. */
async function deliveredMs(
  { deliveredS, fileName, folder }: ListedMessage,
  disk: MailboxDisk,
): Promise<number> {
  if (deliveredS > 0) return deliveredS * 1_000;
  const found = await disk.lstat(pathIn(`${disk.path}/${folder}`, fileName)).catch(() => undefined);
  return found?.mtimeMs ?? Date.now();
}

/** A message cannot be read, though all else is well. */
class Unreadable extends Error {
  override readonly name = "Unreadable";
}

function asUnreadable(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new Unreadable(reason, { cause: error });
}

async function readPiece(message: StoredMessage): Promise<Uint8Array | undefined> {
  try {
    return await message.read(SCRATCH);
  } catch (error) {
    return asUnreadable(error);
  }
}

async function* piecesOf(
  message: StoredMessage,
  first: Uint8Array | undefined,
  added: string,
): AsyncGenerator<Uint8Array> {
  if (added !== "") yield Buffer.from(added, "latin1");
  for (let piece = first; piece !== undefined; piece = await readPiece(message)) yield piece;
}

/** The sender of the envelope, as who delivered the message wrote it down (RFC 5321 §4.4). */
function senderOf(first: Uint8Array | undefined): string | undefined {
  const begin = Buffer.from(first?.subarray(0, SENDER_OCTETS) ?? []).toString("latin1");
  const header = begin.split(/\r?\n\r?\n/)[0] ?? "";
  return /^Return-Path:[ \t]*<([^<>\s]*)>/im.exec(header)?.[1];
}
