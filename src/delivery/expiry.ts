/**
 * What CAPA says of how long mail stays (RFC 2449 §6.7 EXPIRE): before login for all users, after it for the one.
 *
 *     EXPIRE NEVER        nothing goes
 *     EXPIRE 7            after seven days at the earliest, whoever logs in
 *     EXPIRE 7 USER       for somebody that early; after login it may be later
 *
 * Days are whole ones, rounded down, so that no client is told of more time than there is.
 *
 * *Knows* ages by settings and users' entries. *Does not know* which users there are: it is told of them.
 */

import { isFolderOf } from "../maildir/quota_folders.ts";
import type { Account } from "../maildrop/store.ts";
import { leastAgeMs, retentionAges, type RetentionPolicy } from "./retention_ages.ts";

const DAY_MS = 86_400_000;

/** What is known of a user's mail before anything else is. */
type ListedAccount = Pick<Account, "user" | "extra" | "folder">;

export class Expiry {
  readonly #policy: RetentionPolicy;
  /** Days that mail stays for some user or other; Infinity is for ever. */
  readonly #days = new Set<number>();

  /** @param opensFolders whether clients can open other folders than the INBOX. */
  constructor(policy: RetentionPolicy, { opensFolders }: { readonly opensFolders: boolean }) {
    this.#policy = policy;
    const { retentionReadMs: readMs, retentionUnreadMs: unreadMs, retentions } = policy;
    this.#days.add(daysOf({ readMs, unreadMs }));
    for (const { folders, ...table } of retentions) {
      const isOfInbox = folders.length === 0 || folders.some((mask) => /^[*?]|^inbox$/i.test(mask));
      if (!isOfInbox && !opensFolders) continue;
      const outside = folders.length === 0 ? { readMs, unreadMs } : { readMs: 0, unreadMs: 0 };
      this.#days.add(daysOf({
        readMs: table.readMs ?? outside.readMs,
        unreadMs: table.unreadMs ?? outside.unreadMs,
      }));
    }
  }

  /** Says that there is such a user. */
  note(account: ListedAccount): void {
    const { extra } = account;
    if (extra["retention_read"] === undefined && extra["retention_unread"] === undefined) return;
    this.#days.add(this.#daysFor(account));
  }

  /** What stands behind `EXPIRE`. @param account whose maildrop is open; undefined before login. */
  announced(account: ListedAccount | undefined): string {
    if (account !== undefined) {
      this.note(account);
      return textOf(this.#daysFor(account));
    }
    const least = textOf(Math.min(...this.#days));
    return this.#days.size > 1 ? `${least} USER` : least;
  }

  #daysFor(account: ListedAccount): number {
    const { folder = "INBOX" } = account;
    const name = folder.toUpperCase() === "INBOX" ? "INBOX" : folder.replaceAll(".", "/");
    return daysOf(retentionAges(this.#policy, account, name, meansFolder));
  }
}

/** A client may spell a folder in other letter case than the disk. */
function meansFolder(mask: string, folder: string): boolean {
  if (folder === "INBOX") return isFolderOf(mask, folder, { layout: "maildir++" });
  return isFolderOf(mask.toLowerCase(), folder.toLowerCase(), { layout: "maildir++" });
}

function daysOf(ages: Parameters<typeof leastAgeMs>[0]): number {
  const ageMs = leastAgeMs(ages);
  return ageMs === undefined ? Infinity : Math.floor(ageMs / DAY_MS);
}

function textOf(days: number): string {
  return days === Infinity ? "NEVER" : String(days);
}
