/**
 * Where mail for a user goes: the user is found as a login would find the name, and the folder behind it, such
 * as `Lists` of alice+Lists@example.com, is one that is there.
 *
 * *Knows* settings, directories, locations, quotas. *Does not know* who hands mail over, or messages.
 */

import type { AccountDirectory } from "../auth/directory.ts";
import { readLoginNames } from "../auth/login_names.ts";
import { faultOfUserName } from "../auth/user_name.ts";
import type { MailboxQuota } from "../delivery/mailbox_quota.ts";
import { isLocationFault, mailLocation } from "../maildir/location.ts";
import { findMailFolder } from "../maildir/mail_folder.ts";
import type { MailLocation } from "../maildir/mail_location.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { plainPath } from "../maildir/plain_path.ts";
import { type Account, StorageFailure } from "../maildrop/store.ts";
import { isRoot } from "../platform/privileges.ts";
import type { Settings } from "../settings.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { directoryName, findUser, noSuchUser } from "./find_user.ts";
import { nameRulesOf } from "./login_options.ts";
import { whyNoPlace } from "./maildir_place.ts";
import { printable } from "./printable.ts";
import { mailboxQuota } from "./user_quota.ts";

/** A user's place for mail. */
export interface UserPlace {
  readonly account: Account;
  readonly location: MailLocation;
  /** The Maildir that the mail is for. */
  readonly path: string;
  /** A folder above it that has to be there already. */
  readonly root: string;
  readonly quota: MailboxQuota;
}

/**
 * @throws {Failure} `noUser` where it is sure that there is nobody of that name; any other code where that cannot
 * be told, or the user has no place for mail, or a quota that is not understood.
 * @throws {StorageFailure} If a folder cannot be looked for.
 */
export async function findUserPlace(
  user: string,
  settings: Settings,
  directories: readonly AccountDirectory[],
): Promise<UserPlace> {
  const names = readLoginNames(user, "", nameRulesOf(settings));
  const name = names?.mailbox ?? names?.login;
  if (name === undefined || faultOfUserName(name) !== undefined) throw noSuchUser(user, settings);
  const found = await findUser(user, settings, directories, "mailbox");
  if (found === undefined) {
    for (const directory of directories) {
      const why = directory.whyNone?.(name);
      if (why !== undefined) {
        throw new Failure(ExitCode.temporary, printable(`the mailbox of ${name}: ${why}`));
      }
    }
    throw nobodyFound(user, settings, directories);
  }
  const { entry: { account }, folder } = found;
  const location = mailLocation(settings.maildir, account);
  if (isLocationFault(location)) {
    throw new Failure(ExitCode.inputOutput, whyNoPlace(settings.maildir, account));
  }
  const path = await folderOf(location, folder, settings);
  const quota = mailboxQuota({ account, location, path }, settings);
  return { account, location, path, quota, root: rootOf(location, account) };
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

/**
 * The folder above a Maildir that has to be there. A home that root made would be root's: where it is missing, there
 * is a fault.
 */
export function rootOf({ inbox, root }: MailLocation, { home }: Account): string {
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
