/** The keys of the settings file about mail that goes by its age, and mail that was deleted ([MS-STANXPOP3] E0005). */

import { DELETED_ITEM_RETENTION_MS, RETENTION_MS } from "../limits.ts";
import { readText, setting, text } from "./kinds.ts";
import { texts } from "./list_kinds.ts";
import { DOMAINS, inherited, USERS } from "./policy_kinds.ts";
import { formatDuration, parseDurationMs } from "./units.ts";

interface Ages {
  readonly min: number;
  readonly default: number;
  readonly max: number;
}

/** A time in days, or 0; the value is in ms. */
function age(ages: Ages, zeroMeans: string, example: string) {
  const read = (text: string) => {
    const ms = parseDurationMs(text);
    return ms === 0 || (ms !== undefined && ms >= ages.min && ms <= ages.max) ? ms : undefined;
  };
  return {
    schema: readText(read).prefault(formatDuration(ages.default)),
    doc: {
      kind: "duration",
      default: `"${formatDuration(ages.default)}"`,
      allowed:
        `"${formatDuration(ages.min)}" to "${formatDuration(ages.max)}", written with units ` +
        `d and h, such as "${example}"; "0" ${zeroMeans}`,
    },
  };
}

const WHAT = {
  read: () => age(RETENTION_MS, "is never", "7d"),
  unread: () => age(RETENTION_MS, "is never", "60d"),
} as const;

/** Of a day, by the clock of this machine's time zone. */
const TIME = /^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9])?$/;

export const retentionSection = {
  "Retention": {
    retention_read: setting(
      WHAT.read(),
      "The age at which a message goes that was read (flag S). It is counted from delivery, and anew when " +
        "the message is marked as read. Clients are told by CAPA (EXPIRE). Folders beside the INBOX take a " +
        "table [[retentions]]. docs/quota-and-retention.md says more.",
      "AgeLimitForRetention",
    ),
    retention_unread: setting(
      WHAT.unread(),
      "The age at which a message goes that nobody has read.",
      "AgeLimitForRetention",
    ),
    retention_time: setting(
      text({
        kind: "time of day",
        pattern: TIME,
        allowed: '"00:00" to "23:59", by the clock of this machine, or "" for never',
        default: "03:00",
      }),
      "When popkeep serve looks through all mailboxes: old messages go, what was deleted long ago goes for " +
        "good, so does what unfinished deliveries left in tmp/, and owners of full mailboxes are warned.",
    ),
    deleted_item_retention: setting(
      age(DELETED_ITEM_RETENTION_MS, "removes at once and for good", "14d"),
      "How long what clients delete, and what goes by its age, is kept where `popkeep mailbox undelete` " +
        "finds it: in popkeep-deleted/ of its Maildir. It takes room on the disk, and none of the quota.",
      "DeletedItemRetention",
    ),
  },
} as const;

/** One `[[retentions]]` table. */
export const retentionKeys = {
  users: setting(texts(USERS), "The users whom the table is about, as in the log."),
  domains: setting(texts(DOMAINS), "The domains whose users it is about."),
  folders: setting(
    texts({
      kind: "list of names of folders",
      holds: /^[^\p{Cc}]{1,255}$/u,
      items: 'names of folders, with "*" for any text and "?" for any character',
      example: '"Trash", "Junk"',
    }),
    "The folders that it is about; without any, the INBOX.",
  ),
  retention_read: setting(
    withinFolders(inherited(WHAT.read())),
    "The age at which a message there goes that was read.",
  ),
  retention_unread: setting(
    withinFolders(inherited(WHAT.unread())),
    "The age at which a message there goes that nobody has read.",
  ),
} as const;

/** What stands outside of a table is about the INBOX. */
function withinFolders<Schema, Doc extends object>(
  { schema, doc }: { readonly schema: Schema; readonly doc: Doc },
) {
  const fallback =
    "(what stands outside of the table, and never for another folder than the INBOX)";
  return { schema, doc: { ...doc, default: fallback } };
}
