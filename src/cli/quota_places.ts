/**
 * Whose quotas commands are about, and where the mail of each is.
 *
 * *Knows*: users, locations, quotas. *Does not know*: what is told of them.
 */

import { hasLimits, type Quota } from "../delivery/quota_limits.ts";
import { isLocationFault, mailLocation } from "../maildir/location.ts";
import { MailboxDisk } from "../maildir/mailbox_disk.ts";
import type { QuotaPlace } from "../maildir/quota_count.ts";
import type { QuotaLimits } from "../maildrop/quota_definition.ts";
import type { Account } from "../maildrop/store.ts";
import type { Settings } from "../settings.ts";
import { listedUsers, unlistedDirectories } from "./daily/listed_users.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure, failureFrom } from "./failure.ts";
import { findUser, noSuchUser } from "./find_user.ts";
import { openDirectories } from "./login_parts.ts";
import { whyNoPlace } from "./maildir_place.ts";
import { Parts } from "./parts.ts";
import { printable } from "./printable.ts";
import { quotaOrFailure } from "./user_quota.ts";

export interface UserQuota {
  /** As the directory spells the name. */
  readonly user: string;
  readonly quota: Quota;
  readonly place: QuotaPlace;
  /** Undefined where there is none, so that what another program set stays. */
  readonly limits: QuotaLimits | undefined;
}

export interface UserQuotas {
  readonly found: readonly UserQuota[];
  /** Why others that there are, are not among them. */
  readonly failures: readonly Failure[];
  /** Whom there may be that nobody can list. */
  readonly remarks: readonly string[];
}

/**
 * The quota of a user, or of all that can be listed.
 *
 * @throws {Failure} If there is no such user.
 */
export async function userQuotas(
  user: string | undefined,
  settings: Settings,
): Promise<UserQuotas> {
  const parts = new Parts();
  try {
    const directories = await openDirectories(settings, parts);
    if (user !== undefined) {
      const found = await findUser(user, settings, directories, "mailbox");
      if (found === undefined) throw noSuchUser(user, settings);
      return { found: [await quotaFor(found.entry.account, settings)], failures: [], remarks: [] };
    }
    const found: UserQuota[] = [];
    const failures: Failure[] = [];
    for await (const listed of listedUsers(settings, directories)) {
      try {
        if ("reason" in listed) {
          const { user, reason } = listed;
          const about = user === undefined ? reason : `${user} cannot be looked up: ${reason}`;
          throw new Failure(ExitCode.temporary, printable(about));
        }
        found.push(await quotaFor(listed, settings));
      } catch (error) {
        failures.push(failureFrom(error));
      }
    }
    return { found, failures, remarks: unlisted(settings) };
  } finally {
    await parts.closeAllBut();
  }
}

function unlisted(settings: Settings): string[] {
  const directories = unlistedDirectories(settings);
  if (directories.length === 0) return [];
  return [`users of ${directories.join(", ")} are not listed: name them one by one`];
}

/** @throws {Failure} If the user has no place for mail, or that is not there, or a quota that is not understood. */
async function quotaFor(account: Account, settings: Settings): Promise<UserQuota> {
  const location = mailLocation(settings.maildir, account);
  if (isLocationFault(location)) {
    throw new Failure(ExitCode.inputOutput, whyNoPlace(settings.maildir, account));
  }
  const timeoutMs = settings.storageTimeoutMs;
  try {
    await new MailboxDisk(location.root, { timeoutMs }).stat(location.root);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(
      ExitCode.inputOutput,
      `the mail of ${printable(account.user)} cannot be looked at: ${printable(reason)}`,
    );
  }
  const quota = quotaOrFailure(account, settings);
  return {
    user: account.user,
    quota,
    place: { location, ignored: quota.ignored, timeoutMs },
    limits: hasLimits(quota) ? quota.limits : undefined,
  };
}
