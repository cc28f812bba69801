/**
 * The Maildir of a user, or of a folder of the user's mailbox, for commands that change it.
 *
 * *Knows*: users, locations. *Does not know*: what is changed.
 */

import { refuseForeignLinks } from "../maildir/followed_links.ts";
import { isLocationFault, mailLocation } from "../maildir/location.ts";
import { findMailFolder } from "../maildir/mail_folder.ts";
import type { MailLocation } from "../maildir/mail_location.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import type { Account } from "../maildrop/store.ts";
import type { Settings } from "../settings.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { findUser, noSuchUser } from "./find_user.ts";
import { openDirectories } from "./login_parts.ts";
import { whyNoPlace } from "./maildir_place.ts";
import { Parts } from "./parts.ts";
import { printable } from "./printable.ts";

export interface UserMailbox {
  readonly account: Account;
  readonly location: MailLocation;
  /** Of the Maildir. */
  readonly disk: MailboxDisk;
}

/**
 * @param folder A folder of the mailbox in its place; one that the user's name has in it goes before.
 * @throws {Failure} If there is no such user, or the user has no place for mail.
 * @throws {StorageFailure} If there is no such folder, or the way to it leads through a link that is not to be
 * followed.
 */
export async function userMailbox(
  user: string,
  settings: Settings,
  folder?: string,
): Promise<UserMailbox> {
  const parts = new Parts();
  try {
    const directories = await openDirectories(settings, parts);
    const found = await findUser(user, settings, directories, "mailbox");
    if (found === undefined) throw noSuchUser(user, settings);
    const { account } = found.entry;
    const location = mailLocation(settings.maildir, account);
    if (isLocationFault(location)) {
      const why = printable(whyNoPlace(settings.maildir, account));
      throw new Failure(ExitCode.inputOutput, `the mailbox of ${printable(user)}: ${why}`);
    }
    const timeoutMs = settings.storageTimeoutMs;
    const named = found.folder ?? folder;
    const path = named === undefined
      ? location.inbox
      : await findMailFolder(location, named, new MailboxDisk(location.folders, { timeoutMs }));
    const disk = new MailboxDisk(path, { timeoutMs });
    for (const part of ["new", "cur"]) await refuseForeignLinks(disk, `${path}/${part}`);
    return { account, location, disk };
  } finally {
    await parts.closeAllBut();
  }
}
