/**
 * Whose mailboxes a command is about, and where those are: of one user, or of all that can be listed.
 *
 * *Knows*: users and locations. *Does not know*: what is done there.
 */

import { hasLimits, isQuotaFault, quotaOf } from "../delivery/quota_limits.ts";
import { isLocationFault, mailLocation } from "../maildir/location.ts";
import type { MailLocation } from "../maildir/mail_location.ts";
import type { Account } from "../maildrop/store.ts";
import { findSystemGroup, findSystemUser } from "../platform/system_users.ts";
import type { Settings } from "../settings.ts";
import type { SumPlace } from "../upkeep/quota_sum.ts";
import type { Owner } from "../upkeep/checked_maildir.ts";
import { listedUsers, unknownText, unlistedDirectories } from "./daily/listed_users.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { findUser, noSuchUser } from "./find_user.ts";
import { openDirectories } from "./login_parts.ts";
import { whyNoPlace } from "./maildir_place.ts";
import { Parts } from "./parts.ts";
import { printable } from "./printable.ts";

export interface MailboxPlace {
  readonly account: Account;
  readonly location: MailLocation;
}

export interface MailboxPlaces {
  readonly places: readonly MailboxPlace[];
  /** Why others that there are, are not among them, a sentence each. */
  readonly troubles: readonly string[];
  /** Whom there may be that nobody can list. */
  readonly remarks: readonly string[];
}

/** @throws {Failure} If neither a user nor `all` is said, or both; or if there is no such user. */
export async function mailboxPlaces(
  user: string | undefined,
  all: boolean | undefined,
  settings: Settings,
): Promise<MailboxPlaces> {
  if ((user === undefined) !== (all === true)) {
    throw new Failure(ExitCode.usage, "name a user, or say --all");
  }
  const parts = new Parts();
  const places: MailboxPlace[] = [];
  const troubles: string[] = [];
  const take = (account: Account) => {
    const location = mailLocation(settings.maildir, account);
    if (!isLocationFault(location)) places.push({ account, location });
    else troubles.push(about(account.user, whyNoPlace(settings.maildir, account)));
  };
  try {
    const directories = await openDirectories(settings, parts);
    if (user !== undefined) {
      const found = await findUser(user, settings, directories, "mailbox");
      if (found === undefined) throw noSuchUser(user, settings);
      take(found.entry.account);
      return { places, troubles, remarks: [] };
    }
    for await (const found of listedUsers(settings, directories)) {
      if ("reason" in found) troubles.push(printable(unknownText(found)));
      else take(found);
    }
  } finally {
    await parts.closeAllBut();
  }
  const unlisted = unlistedDirectories(settings);
  const remark = `users of ${unlisted.join(", ")} are not listed: name them one by one`;
  return { places, troubles, remarks: unlisted.length === 0 ? [] : [remark] };
}

/** A sentence about a user's mailbox, of which nobody knows what it holds. */
export function about(user: string, reason: unknown): string {
  const text = reason instanceof Error ? reason.message : String(reason);
  return `the mailbox of ${printable(user)}: ${printable(text)}`;
}

/** Whose all mail is, by the setting `user`; undefined where each mailbox has an owner of its own. */
export function mailOwner({ user, group }: Settings): Owner | undefined {
  const found = user === "" ? undefined : findSystemUser(user);
  if (found === undefined || found.userId === 0) return undefined;
  const groupId = group === "" ? found.groupId : findSystemGroup(group);
  return groupId === undefined ? undefined : { userId: found.userId, groupId };
}

/** Where a user's mail is summed up. A quota that is not understood is as good as none here. */
export function sumPlaceOf({ account, location }: MailboxPlace, settings: Settings): SumPlace {
  const quota = quotaOf(settings, account);
  const timeoutMs = settings.storageTimeoutMs;
  if (isQuotaFault(quota)) {
    return { place: { location, ignored: [], timeoutMs }, limits: undefined };
  }
  return {
    place: { location, ignored: quota.ignored, timeoutMs },
    limits: hasLimits(quota) ? quota.limits : undefined,
  };
}
