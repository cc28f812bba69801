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
import { deliverMessage, MessageTooLong } from "../delivery/deliver_message.ts";
import { faultOfAddress } from "../delivery/envelope.ts";
import { withoutMboxLine } from "../delivery/mbox_line.ts";
import { isLocationFault, mailLocation } from "../maildir/location.ts";
import { findMailFolder } from "../maildir/mail_folder.ts";
import type { MailLocation } from "../maildir/mail_location.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { StorageFailure } from "../maildrop/store.ts";
import { isRoot } from "../platform/privileges.ts";
import type { Settings } from "../settings.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure, failureFrom } from "./failure.ts";
import { findUser, type FoundUser, noSuchUser } from "./find_user.ts";
import { openDirectories } from "./login_parts.ts";
import { whyNoPlace } from "./maildir_place.ts";
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
69 the message is too long, and 75 for everything else: try again later.`,
    )
    .action(deliver);
  return withExample(command, "popkeep deliver alice@example.com < message");
}

/** What a mail system may give back to the sender. */
const FINAL: ReadonlySet<ExitCode> = new Set([ExitCode.noUser, ExitCode.unavailable]);

async function deliver(user: string, options: DeliverOptions): Promise<void> {
  try {
    await deliverTo(user, options);
  } catch (error) {
    const failure = error instanceof MessageTooLong
      ? new Failure(ExitCode.unavailable, error.message)
      : failureFrom(error);
    if (FINAL.has(failure.exitCode)) throw failure;
    throw new Failure(ExitCode.temporary, failure.messages, { cause: error });
  }
}

async function deliverTo(user: string, options: DeliverOptions): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  if (isRoot() && settings.user !== "root") {
    throw new Failure(
      ExitCode.noPermission,
      "mail that root delivers would be root's: have the mail system run this as the user who owns " +
        'the mail, or say user = "root" in the settings',
    );
  }
  const { sender, recipient = user } = options;
  for (const address of [sender ?? "", recipient]) {
    const fault = faultOfAddress(address);
    if (fault !== undefined) {
      throw new Failure(ExitCode.badData, `the address ${printable(address)} ${fault}`);
    }
  }
  const { path, root } = await placeOf(user, settings);
  const source = withoutMboxLine(process.stdin);
  await deliverMessage({
    disk: new MailboxDisk(path, { timeoutMs: settings.storageTimeoutMs }),
    root,
    envelope: () => ({ sender: sender ?? source.sender(), recipient }),
    message: source.octets,
    mostOctets: settings.maxReceiveOctets,
  });
}

interface Place {
  readonly path: string;
  readonly root: string;
}

/** @throws {Failure} If there is no such user, or the user has no place for mail. */
async function placeOf(user: string, settings: Settings): Promise<Place> {
  const parts = new Parts();
  let found: FoundUser | undefined;
  try {
    found = await findUser(user, settings, await openDirectories(settings, parts), "mailbox");
  } finally {
    await parts.closeAllBut();
  }
  if (found === undefined) throw noSuchUser(user, settings);
  const { entry: { account }, folder } = found;
  const location = mailLocation(settings.maildir, account);
  if (isLocationFault(location)) {
    throw new Failure(ExitCode.inputOutput, whyNoPlace(settings.maildir, account));
  }
  return { path: await folderOf(location, folder), root: location.root };
}

/** A folder that is not there is none that mail is lost in: what was for it comes to the INBOX. */
async function folderOf(location: MailLocation, folder: string | undefined): Promise<string> {
  if (folder === undefined) return location.inbox;
  try {
    return await findMailFolder(location, folder);
  } catch (error) {
    if (error instanceof StorageFailure && error.kind === "SYS/PERM") return location.inbox;
    throw error;
  }
}
