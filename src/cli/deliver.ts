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
import { deliverMessage, NoMessage } from "../delivery/deliver_message.ts";
import { fitsHeader } from "../delivery/envelope.ts";
import { OverQuota } from "../delivery/mailbox_quota.ts";
import { withoutMboxLine } from "../delivery/mbox_line.ts";
import { MessageTooLong } from "../delivery/message_delivery.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { isRoot } from "../platform/privileges.ts";
import type { Settings } from "../settings.ts";
import { findUserPlace, type UserPlace } from "./delivery_place.ts";
import { endSoon } from "./end_soon.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure, failureFrom } from "./failure.ts";
import { Interrupted, Interruption } from "./interruption.ts";
import { openDirectories } from "./login_parts.ts";
import { printErrors } from "./output.ts";
import { Parts } from "./parts.ts";
import { NO_ROOM, NO_SUCH_USER } from "./refusals.ts";
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
69 the message is too long, 77 there is no room for it in the user's quota (75 with quota_exceeded =
"defer"), and 75 for everything else: try again later. That is so of this help, too, where a message
may be on standard input.`,
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
    const isFinal = FINAL.has(failure.exitCode) || error instanceof OverQuota && error.isFinal;
    if (isFinal) throw failure;
    throw new Failure(ExitCode.temporary, failure.messages, { cause: error });
  } finally {
    // Who still writes, or a disk that hangs, keeps nothing from being over.
    process.stdin.destroy();
    endSoon();
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof MessageTooLong) return new Failure(ExitCode.unavailable, error.message);
  if (error instanceof OverQuota) return new Failure(ExitCode.noPermission, NO_ROOM);
  if (error instanceof Failure && error.exitCode === ExitCode.noUser) {
    return new Failure(ExitCode.noUser, NO_SUCH_USER);
  }
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
  const { path, quota, root } = await interruption.before(placeOf(user, settings));
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
    quota,
  });
}

/** @throws {Failure} If there is no such user, or the user has no place for mail. */
async function placeOf(user: string, settings: Settings): Promise<UserPlace> {
  const parts = new Parts();
  try {
    return await findUserPlace(user, settings, await openDirectories(settings, parts));
  } finally {
    await parts.closeAllBut();
  }
}
