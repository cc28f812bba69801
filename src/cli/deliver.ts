/**
 * `popkeep deliver USER`: one message from standard input into the user's mailbox, for Postfix's pipe(8),
 * OpenSMTPD's mda and .forward files.
 *
 * Mail systems give a message back to its sender for most exit codes of sysexits(3). So every failure that
 * is not the message's or the user's own says 75, try again: a full disk, a directory that is down, faults
 * in the settings. With 0 the message is on the disk.
 */

import process from "node:process";
import { Command } from "commander";
import type { AccountDirectory } from "../auth/directory.ts";
import { readLoginNames } from "../auth/login_names.ts";
import { faultOfUserName } from "../auth/user_name.ts";
import { deliverMessage, MessageTooLong, NoMessage } from "../delivery/deliver_message.ts";
import { fitsHeader } from "../delivery/envelope.ts";
import { withoutMboxLine } from "../delivery/mbox_line.ts";
import { isLocationFault, mailLocation } from "../maildir/location.ts";
import { findMailFolder } from "../maildir/mail_folder.ts";
import type { MailLocation } from "../maildir/mail_location.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { plainPath } from "../maildir/plain_path.ts";
import { type Account, StorageFailure } from "../maildrop/store.ts";
import { isRoot } from "../platform/privileges.ts";
import type { Settings } from "../settings.ts";
import { endSoon } from "./end_soon.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure, failureFrom } from "./failure.ts";
import { directoryName, findUser, type FoundUser, noSuchUser } from "./find_user.ts";
import { Interrupted, Interruption } from "./interruption.ts";
import { nameRulesOf } from "./login_options.ts";
import { openDirectories } from "./login_parts.ts";
import { whyNoPlace } from "./maildir_place.ts";
import { printErrors } from "./output.ts";
import { Parts } from "./parts.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";

interface DeliverOptions extends ConfigOptions {
  readonly sender?: string;
  readonly recipient?: string;
}

export function deliverCommand(): Command {
  const command = new Command("deliver")
    .description("put a message from standard input into a user's mailbox")
    .argument("<user>", "the name to log in with, in any directory that finds users by names")
    .addOption(configOption())
    .option("--sender <address>", "who sent it, for Return-Path; the line that begins with From")
    .option("--recipient <address>", "for whom it came, for Delivered-To; the user's name")
    .addHelpText(
      "after",
      `
Exit codes are for mail systems: 0 the message is on the disk, 67 there is no such user,
69 the message is too long, and 75 for everything else: try again later. That is so of this help,
too, where a message may be on standard input.`,
    )
    .action(deliver);
  return withExample(command, "popkeep deliver -- alice@example.com < message");
}

/** What a mail system may give back to the sender. */
const FINAL: ReadonlySet<ExitCode> = new Set([ExitCode.noUser, ExitCode.unavailable]);

/** What a mail system that is stopped sends, or a terminal that is closed. */
const ENDING_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

async function deliver(user: string, options: DeliverOptions): Promise<void> {
  // However this process ends, only what is on the disk is called delivered.
  process.exitCode = ExitCode.temporary;
  for (const fault of ["uncaughtException", "unhandledRejection"] as const) process.on(fault, fail);
  const interruption = new Interruption(ENDING_SIGNALS);
  try {
    await deliverTo(user, options, interruption);
    process.exitCode = ExitCode.ok;
  } catch (error) {
    const failure = failureOf(error);
    if (FINAL.has(failure.exitCode)) throw failure;
    throw new Failure(ExitCode.temporary, failure.messages, { cause: error });
  } finally {
    // Who still writes, or a disk that hangs, keeps nothing from being over.
    process.stdin.destroy();
    endSoon();
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof MessageTooLong) return new Failure(ExitCode.unavailable, error.message);
  if (error instanceof NoMessage || error instanceof Interrupted) {
    return new Failure(ExitCode.temporary, error.message);
  }
  return failureFrom(error);
}

/** By what escaped all else the runtime would end with a code that mail systems give mail back for. */
function fail(error: unknown): void {
  const end = () => process.exit(ExitCode.temporary);
  printErrors(failureFrom(error).messages).then(end, end);
}

async function deliverTo(
  user: string,
  options: DeliverOptions,
  interruption: Interruption,
): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  if (isRoot() && settings.user !== "root") {
    throw new Failure(
      ExitCode.noPermission,
      "mail that root delivers would be root's: have the mail system run this as the user who owns " +
        'the mail, or say user = "root" in the settings',
    );
  }
  const { sender, recipient = user } = options;
  const { path, root } = await interruption.before(placeOf(user, settings));
  const { octets, sender: senderOfLine } = withoutMboxLine(process.stdin);
  const timeoutMs = settings.storageTimeoutMs;
  await deliverMessage({
    disk: new MailboxDisk(path, { timeoutMs }),
    root,
    timeoutMs,
    envelope: () => ({
      sender: sender ?? senderOfLine(),
      recipient: fitsHeader(recipient) ? recipient : user,
    }),
    // When all of it has come, what is left to do is short, and told as it ends.
    message: interruption.beforeEach(octets),
    mostOctets: settings.maxReceiveOctets,
  });
}

interface Place {
  readonly path: string;
  readonly root: string;
}

/** @throws {Failure} If there is no such user, or the user has no place for mail. */
async function placeOf(user: string, settings: Settings): Promise<Place> {
  const names = readLoginNames(user, "", nameRulesOf(settings));
  const name = names?.mailbox ?? names?.login;
  if (name === undefined || faultOfUserName(name) !== undefined) throw noSuchUser(user, settings);
  const parts = new Parts();
  let found: FoundUser | undefined;
  try {
    const directories = await openDirectories(settings, parts);
    found = await findUser(user, settings, directories, "mailbox");
    if (found === undefined) throw nobodyFound(user, settings, directories);
  } finally {
    await parts.closeAllBut();
  }
  const { entry: { account }, folder } = found;
  const location = mailLocation(settings.maildir, account);
  if (isLocationFault(location)) {
    throw new Failure(ExitCode.inputOutput, whyNoPlace(settings.maildir, account));
  }
  const path = await folderOf(location, folder, settings);
  return { path, root: rootOf(location, account) };
}

/** Nobody is no user's name for sure only where every directory can be asked for names. */
function nobodyFound(
  user: string,
  settings: Settings,
  directories: readonly AccountDirectory[],
): Failure {
  const unasked = directories.flatMap(({ findsByName }, index) =>
    findsByName ? [] : [directoryName(index, settings)]
  );
  if (unasked.length === 0) return noSuchUser(user, settings);
  return new Failure(
    ExitCode.temporary,
    `no user ${printable(user)} is found, and ${
      printable(unasked.join(", "))
    } cannot tell whether ` +
      "there is one without a password: mail can be delivered to users only whom a directory finds " +
      "by their names",
  );
}

/** A home that root made would be root's: where it is missing, there is a fault. */
function rootOf({ inbox, root }: MailLocation, { home }: Account): string {
  const path = home === undefined ? undefined : plainPath(home);
  return isRoot() && path !== undefined && inbox.startsWith(`${path}/`) ? path : root;
}

/** A folder that is not there is none that mail is lost in: what was for it comes to the INBOX. */
async function folderOf(
  location: MailLocation,
  folder: string | undefined,
  { storageTimeoutMs: timeoutMs }: Settings,
): Promise<string> {
  if (folder === undefined) return location.inbox;
  try {
    const disk = new MailboxDisk(location.folders, { timeoutMs });
    return await findMailFolder(location, folder, disk);
  } catch (error) {
    if (error instanceof StorageFailure && error.kind === "SYS/PERM") return location.inbox;
    throw error;
  }
}
