/**
 * `popkeep mailbox create`: makes Maildirs before any mail is there, as the first delivery would.
 *
 * Nothing is changed where one is: the command can be run again and again. A Maildir is put in its place when it is
 * whole (make_maildir.ts), so that killed anywhere this leaves it, or nothing that anybody takes for one.
 */

import { Command } from "commander";
import { syncFolder } from "../maildir/folder_sync.ts";
import { isLocationFault, mailLocation } from "../maildir/location.ts";
import { findMailFolder, mailFolderPath } from "../maildir/mail_folder.ts";
import type { MailLocation } from "../maildir/mail_location.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { makeMaildir } from "../maildir/make_maildir.ts";
import { isMissing } from "../maildir/disk.ts";
import { makeOwnFolder } from "../maildir/own_folder.ts";
import { replaceOwnFile } from "../maildir/own_file.ts";
import { StorageFailure } from "../maildrop/store.ts";
import type { Settings } from "../settings.ts";
import { rootOf } from "./delivery_place.ts";
import { withExample } from "./example.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure, failureFrom } from "./failure.ts";
import { findUser, noSuchUser } from "./find_user.ts";
import { becomeMailUser } from "./leave_root.ts";
import { listing, type ListOptions } from "./listing.ts";
import { openDirectories } from "./login_parts.ts";
import { about } from "./mailbox_places.ts";
import { whyNoPlace } from "./maildir_place.ts";
import { print } from "./output.ts";
import { Parts } from "./parts.ts";
import { printable } from "./printable.ts";
import { configOption, type ConfigOptions, settingsOrFailure } from "./settings_option.ts";

/** By which Courier and Dovecot know a folder of a mailbox from a mailbox. */
const MARKER = "maildirfolder";

interface CreateOptions extends ConfigOptions, ListOptions {
  readonly folder?: readonly string[];
}

export function mailboxCreateCommand(): Command {
  const command = new Command("create")
    .description("make users' Maildirs, as the first delivery would")
    .argument("<user...>", "names to log in with, in any directory that finds users by names")
    .addOption(configOption())
    .option("--folder <name...>", "make these folders of the mailbox, too")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
What is there already stays as it is, and is said. Folders above a Maildir are made up to those that
the setting maildir names before its first variable, which have to be there.`,
    )
    .action(create);
  return withExample(command, "popkeep mailbox create alice@example.com --folder Archive");
}

interface Made {
  readonly user: string;
  readonly folder: string;
  readonly path: string;
  readonly isNew: boolean;
}

async function create(users: readonly string[], options: CreateOptions): Promise<void> {
  const settings = settingsOrFailure(options, { checkFiles: false });
  becomeMailUser(settings);
  const made: Made[] = [];
  const failures: Failure[] = [];
  const parts = new Parts();
  try {
    const directories = await openDirectories(settings, parts);
    for (const user of users) {
      try {
        const found = await findUser(user, settings, directories, "mailbox");
        if (found === undefined) throw noSuchUser(user, settings);
        const { account } = found.entry;
        const location = mailLocation(settings.maildir, account);
        if (isLocationFault(location)) {
          const why = whyNoPlace(settings.maildir, account);
          throw new Failure(ExitCode.inputOutput, about(user, why));
        }
        const folders = [
          ...found.folder === undefined ? [] : [found.folder],
          ...options.folder ?? [],
        ];
        await makeAll({ user: account.user, location, root: rootOf(location, account) }, folders, {
          settings,
          made,
        });
      } catch (error) {
        const { exitCode, messages } = failureFrom(error);
        const isStorage = error instanceof StorageFailure;
        const [why = ""] = messages;
        failures.push(isStorage ? new Failure(exitCode, about(user, why)) : failureFrom(error));
        if (exitCode === ExitCode.software) throw new Failure(exitCode, messages);
      }
    }
  } finally {
    await parts.closeAllBut();
  }
  await print(listing(options, {
    columns: [
      { title: "USER", shrinksTo: 12 },
      { title: "FOLDER", shrinksTo: 8 },
      { title: "WHAT" },
      { title: "PATH", whole: true },
    ],
    rows: made.map(({ user, folder, isNew, path }) =>
      [user, folder, isNew ? "made" : "there", path].map(printable)
    ),
    values: made.map(({ user, folder, isNew, path }) => ({ user, folder, path, made: isNew })),
  }));
  const [first] = failures;
  if (first === undefined) return;
  throw new Failure(first.exitCode, failures.flatMap(({ messages }) => messages));
}

interface Place {
  readonly user: string;
  readonly location: MailLocation;
  /** What has to be there. */
  readonly root: string;
}

async function makeAll(
  { user, location, root }: Place,
  folders: readonly string[],
  { settings, made }: { readonly settings: Settings; readonly made: Made[] },
): Promise<void> {
  const { storageTimeoutMs: timeoutMs } = settings;
  const { inbox } = location;
  made.push({ user, folder: "INBOX", path: inbox, isNew: await make(inbox, { root, timeoutMs }) });
  for (const folder of folders) {
    const path = await folderPath(location, folder, timeoutMs);
    const isNew = await make(path, { root, timeoutMs });
    if (location.layout === "maildir++" && path !== inbox) await mark(path, timeoutMs);
    made.push({ user, folder, path, isNew });
  }
}

/** That of a folder which is there, also where its name differs in letter case alone; else of the new one. */
async function folderPath(location: MailLocation, folder: string, timeoutMs: number) {
  const path = mailFolderPath(location, folder);
  try {
    return await findMailFolder(location, folder, new MailboxDisk(location.folders, { timeoutMs }));
  } catch (error) {
    if (error instanceof StorageFailure && error.kind === "SYS/PERM") return path;
    throw error;
  }
}

/** Whether it was missing, or a part of it was. */
async function make(
  path: string,
  options: { readonly root: string; readonly timeoutMs: number },
): Promise<boolean> {
  const disk = new MailboxDisk(path, options);
  const isWhole = (await Promise.all(["new", "cur", "tmp"].map((part) => isThere(disk, part))))
    .every((isThere) => isThere);
  // It sees to it that what another has just made is on the disk, too.
  await makeMaildir(disk, options);
  // A delivery needs none.
  if (!await isThere(disk, "cur")) await makeOwnFolder(disk, "cur");
  return !isWhole;
}

async function isThere(disk: MailboxDisk, name: string): Promise<boolean> {
  try {
    await disk.stat(`${disk.path}/${name}`);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function mark(path: string, timeoutMs: number): Promise<void> {
  const disk = new MailboxDisk(path, { timeoutMs });
  if (await isThere(disk, MARKER)) return;
  await replaceOwnFile(disk, MARKER, "");
  await syncFolder(disk);
}
