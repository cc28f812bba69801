/**
 * Looking after mailboxes as the settings say, for the daily pass of `serve` and for `popkeep expire`.
 *
 * *Knows*: settings, where the server lends mailboxes. *Does not know*: who asks, how it is told.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { ignoredFolders } from "../../delivery/quota_limits.ts";
import { type TidiedFolder, tidyMailbox } from "../../delivery/tidy_mailbox.ts";
import { isLocationFault, mailLocation } from "../../maildir/location.ts";
import type { Account } from "../../maildrop/store.ts";
import { type Borrowed, borrowFromAll } from "../../net/loans/borrowing.ts";
import { loanSocketPaths } from "../../net/loans/loan_terms.ts";
import type { Settings } from "../../settings.ts";

/** A client that polls is done soon, and so is another who removes old mail: then it is tried again, ms. */
const RETRY_MS = [100, 300, 600, 1_000] as const;

async function borrowSoon(
  { stateFolder }: Settings,
  path: string,
): Promise<Borrowed | undefined> {
  const sockets = loanSocketPaths(stateFolder);
  for (const pauseMs of RETRY_MS) {
    const borrowed = await borrowFromAll(sockets, path);
    if (borrowed !== undefined) return borrowed;
    await sleep(pauseMs);
  }
  return await borrowFromAll(sockets, path);
}

export interface TidyRun {
  readonly dryRun?: boolean;
  /** Leaves old messages where they are, and does the rest. */
  readonly leavesOld?: boolean;
  /** What ages are reckoned from, ms since 1970; without, the clock. */
  readonly nowMs?: number;
  readonly signal?: AbortSignal;
  /** Is told of a folder of which nothing can be looked after; the others are. */
  readonly onRefused: (folder: string, reason: string) => void;
}

/**
 * Looks after one user's mailbox.
 *
 * @throws {StorageFailure} If it cannot be looked at.
 * @throws {CannotBorrow} If the server that runs cannot be asked whether a session has it open.
 * @throws {Error} If the user has no place for mail, or what `node:fs` says.
 */
export async function tidyAccount(
  account: Account,
  settings: Settings,
  { dryRun = false, leavesOld = false, nowMs, signal, onRefused }: TidyRun,
): Promise<TidiedFolder[]> {
  const location = mailLocation(settings.maildir, account);
  if (isLocationFault(location)) throw new Error(location.fault);
  return await tidyMailbox(account, location, {
    policy: settings,
    uncountedFolders: ignoredFolders(settings, account),
    borrow: (path) => borrowSoon(settings, path),
    timeoutMs: settings.storageTimeoutMs,
    dryRun,
    leavesOld,
    onRefused,
    ...(nowMs === undefined ? {} : { nowMs }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Whether mail goes by its age, by the settings. */
export function hasRetention(settings: Settings): boolean {
  const { retentionReadMs, retentionUnreadMs, retentions } = settings;
  return retentionReadMs > 0 || retentionUnreadMs > 0 || retentions.length > 0;
}
