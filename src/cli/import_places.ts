/**
 * Whose mailboxes unique-ids are imported into, and where those are.
 *
 * *Knows*: users and locations. *Does not know*: what is imported.
 */

import { isLocationFault, mailLocation } from "../maildir/location.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import type { Account } from "../maildrop/store.ts";
import type { Settings } from "../settings.ts";
import { listedUsers, unknownText, unlistedDirectories } from "./daily/listed_users.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { openDirectories } from "./login_parts.ts";
import { whyNoPlace } from "./maildir_place.ts";
import { Parts } from "./parts.ts";
import { printable } from "./printable.ts";
import { userMailbox } from "./user_mailbox.ts";

export interface ImportPlace {
  readonly account: Account;
  /** Of the Maildir. */
  readonly disk: MailboxDisk;
}

export interface ImportPlaces {
  readonly places: readonly ImportPlace[];
  /** Why others that there are, are not among them. */
  readonly failures: readonly Failure[];
  /** Whom there may be that nobody can list. */
  readonly remarks: readonly string[];
}

/**
 * The user's place, or those of all users that can be listed.
 *
 * @throws {Failure} If there is no such user, or the user has no place for mail.
 * @throws {StorageFailure} If there is no such folder.
 */
export async function importPlaces(
  user: string | undefined,
  settings: Settings,
): Promise<ImportPlaces> {
  if (user !== undefined) {
    return { places: [await userMailbox(user, settings)], failures: [], remarks: [] };
  }
  const places: ImportPlace[] = [];
  const failures: Failure[] = [];
  const parts = new Parts();
  try {
    const directories = await openDirectories(settings, parts);
    for await (const found of listedUsers(settings, directories)) {
      if ("reason" in found) {
        const about = printable(unknownText(found));
        failures.push(new Failure(ExitCode.inputOutput, about));
        continue;
      }
      const place = placeOf(found, settings);
      if (typeof place !== "string") places.push(place);
      else {
        const about = `the mailbox of ${printable(found.user)}: ${printable(place)}`;
        failures.push(new Failure(ExitCode.inputOutput, about));
      }
    }
  } finally {
    await parts.closeAllBut();
  }
  const unlisted = unlistedDirectories(settings);
  const remark = `users of ${unlisted.join(", ")} are not listed: name them one by one`;
  return { places, failures, remarks: unlisted.length === 0 ? [] : [remark] };
}

/** Where the user's mail is, or why it is nowhere. */
function placeOf(account: Account, settings: Settings): ImportPlace | string {
  const location = mailLocation(settings.maildir, account);
  if (isLocationFault(location)) return whyNoPlace(settings.maildir, account);
  const disk = new MailboxDisk(location.inbox, { timeoutMs: settings.storageTimeoutMs });
  return { account, disk };
}
