/**
 * A user's quota as the settings and the user's entry have it, for commands and the server.
 *
 * *Knows*: settings, quotas. *Does not know*: mail.
 */

import { MailboxQuota } from "../delivery/mailbox_quota.ts";
import { isQuotaFault, type Quota, quotaOf } from "../delivery/quota_limits.ts";
import type { WarningTemplate } from "../delivery/quota_warning_message.ts";
import type { MailLocation } from "../maildir/mail_location.ts";
import type { Account } from "../maildrop/store.ts";
import type { Settings } from "../settings.ts";
import { ExitCode } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { printable } from "./printable.ts";

/** Where a user's mail is. */
export interface MailPlace {
  readonly account: Account;
  readonly location: MailLocation;
  /** The Maildir that mail comes into. */
  readonly path: string;
}

/**
 * The quota of the mail at a place.
 *
 * @throws {Failure} If the user's entry says something of it that is not understood: no mail is lost for that.
 */
export function mailboxQuota(place: MailPlace, settings: Settings): MailboxQuota {
  return new MailboxQuota({
    ...place,
    quota: quotaOrFailure(place.account, settings),
    template: warningTemplate(settings),
    timeoutMs: settings.storageTimeoutMs,
  });
}

/** @throws {Failure} If the user's entry says something of the quota that is not understood. */
export function quotaOrFailure(account: Account, settings: Settings): Quota {
  const quota = quotaOf(settings, account);
  if (!isQuotaFault(quota)) return quota;
  throw new Failure(
    ExitCode.badData,
    `the quota of ${printable(account.user)} cannot be told: ${quota.fault}`,
  );
}

function warningTemplate(settings: Settings): WarningTemplate {
  return {
    file: settings.quotaWarningFile,
    language: settings.quotaWarningLanguage,
    serverName: settings.serverName,
  };
}
