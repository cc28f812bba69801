/**
 * How long mail stays in which folder of whose mailbox ([MS-STANXPOP3] E0005, RFC 1939 §8): by the user's entry, a
 * `[[retentions]]` table, or the settings for everybody.
 *
 * What holds for everybody is about the mailbox itself, which POP3 shows: mail that an IMAP client has filed in a
 * folder stays there unless a table names the folder.
 *
 * *Knows* settings' values, names. *Does not know* messages, files.
 */

import { RETENTION_MS } from "../limits.ts";
import type { Account } from "../maildrop/store.ts";
import { userVariables } from "../maildrop/user_variables.ts";
import { parseDurationMs } from "../settings/units.ts";

/** Ages at which mail goes, ms; 0 is never. */
export interface RetentionAges {
  readonly readMs: number;
  readonly unreadMs: number;
}

/** What differs for some users or folders; undefined is as outside of the table. */
export interface RetentionTable {
  readonly users: readonly string[];
  readonly domains: readonly string[];
  /** Names of folders with `*` and `?`; none means the INBOX. */
  readonly folders: readonly string[];
  readonly readMs: number | undefined;
  readonly unreadMs: number | undefined;
}

/** What the settings say. */
export interface RetentionPolicy {
  readonly retentionReadMs: number;
  readonly retentionUnreadMs: number;
  readonly retentions: readonly RetentionTable[];
}

const INBOX = "INBOX";

/** Whether a mask of `[[retentions]]` means a folder, whose name has `/` between its parts. */
export type MeansFolder = (mask: string, folder: string) => boolean;

/** An entry's field that is no duration: then nothing of that kind goes, and the log says so. */
export interface FieldFault {
  readonly field: string;
  readonly found: string;
}

/** @param onFault gets what of the user's entry is not understood. */
export function retentionAges(
  policy: RetentionPolicy,
  { user, extra }: Pick<Account, "user" | "extra">,
  folder: string,
  means: MeansFolder,
  onFault: (fault: FieldFault) => void = () => {},
): RetentionAges {
  const isInbox = folder === INBOX;
  const tables = policy.retentions.filter(({ folders }) =>
    folders.length === 0 ? isInbox : folders.some((mask) => means(mask, folder))
  );
  const { domain } = userVariables(user);
  const table = tables.find(({ users }) => hasName(users, user)) ??
    tables.find(({ domains }) => domain !== undefined && hasName(domains, domain)) ??
    tables.find(({ users, domains }) => users.length === 0 && domains.length === 0);
  const ownMs = (field: string) => {
    const found = isInbox ? extra[field] : undefined;
    if (found === undefined) return undefined;
    const ageMs = parseDurationMs(found);
    if (ageMs !== undefined && (ageMs === 0 || ageMs >= RETENTION_MS.min)) return ageMs;
    onFault({ field, found });
    return 0;
  };
  return {
    readMs: ownMs("retention_read") ?? table?.readMs ?? (isInbox ? policy.retentionReadMs : 0),
    unreadMs: ownMs("retention_unread") ?? table?.unreadMs ??
      (isInbox ? policy.retentionUnreadMs : 0),
  };
}

/** The least age above 0 that any mail goes at; undefined if none ever does. */
export function leastAgeMs({ readMs, unreadMs }: RetentionAges): number | undefined {
  const ages = [readMs, unreadMs].filter((ageMs) => ageMs > 0);
  return ages.length === 0 ? undefined : Math.min(...ages);
}

function hasName(names: readonly string[], name: string): boolean {
  const folded = name.toLowerCase();
  return names.some((other) => other.toLowerCase() === folded);
}
