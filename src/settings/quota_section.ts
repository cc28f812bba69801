/** The keys of the settings file about how much mail there may be ([MS-STANXPOP3] E0003, E0004). */

import { QUOTA_MESSAGES, QUOTA_OCTETS } from "../limits.ts";
import { choice, count, setting, size } from "./kinds.ts";
import { percentages, texts } from "./list_kinds.ts";
import { optionalPath } from "./place_kinds.ts";
import { DOMAINS, inherited, USERS } from "./policy_kinds.ts";

/** The languages that there are built-in texts in. */
export const QUOTA_WARNING_LANGUAGES = ["en", "de", "es", "fr"] as const;

const WHAT = {
  storage: () => size(QUOTA_OCTETS, "sets no limit"),
  messages: () => {
    const { schema, doc } = count(QUOTA_MESSAGES, "messages");
    return { schema, doc: { ...doc, allowed: `${doc.allowed}; 0 sets no limit` } };
  },
  exceeded: () => choice(["refuse", "defer"], "refuse"),
  percentages: () => percentages([80, 95, 100]),
} as const;

export const quotaSection = {
  "Quota": {
    quota_storage_size: setting(
      WHAT.storage(),
      "How much mail a user may have, in octets of the files, over all folders that count. " +
        "A table [[quotas]] or the user's entry (quota_rule) can say otherwise. docs/quota-and-retention.md " +
        "says who keeps to it.",
      "ProhibitSendReceiveQuota",
    ),
    quota_message_count: setting(
      WHAT.messages(),
      "How many messages a user may have.",
    ),
    quota_exceeded: setting(
      WHAT.exceeded(),
      "What becomes of a message for which there is no room. refuse: the mail system gives it back to its " +
        "sender. defer: the mail system keeps it and tries again, for days.",
    ),
    quota_ignored_folders: setting(
      texts({
        kind: "list of names of folders",
        holds: /^[^\p{Cc}]{1,255}$/u,
        items: 'names of folders, with "*" for any text and "?" for any character',
        example: '"Trash", "Junk"',
      }, ["Trash"]),
      "Folders whose mail does not count. Trash is Courier's custom; Dovecot counts it unless a rule there " +
        "says otherwise. Programs that share mailboxes have to agree.",
    ),
    quota_warning_percentages: setting(
      WHAT.percentages(),
      "At how much of the quota a message comes into the mailbox that says so, once each; again only when " +
        "there were 5 percentage points less in between. [] never warns.",
      "IssueWarningQuota",
    ),
    quota_warning_file: setting(
      optionalPath("takes the built-in text of quota_warning_language"),
      "The message that warns: a header, an empty line and a text, in UTF-8, with {user}, {percent}, {used}, " +
        "{limit}, {messages} and {message_limit} in it where they are wanted.",
    ),
    quota_warning_language: setting(
      choice(QUOTA_WARNING_LANGUAGES, "en"),
      "The language of the built-in message that warns.",
    ),
  },
} as const;

/** One `[[quotas]]` table. */
export const quotaKeys = {
  users: setting(texts(USERS), "The users whom the table is about, as in the log."),
  domains: setting(texts(DOMAINS), "The domains whose users it is about."),
  quota_storage_size: setting(
    inherited(WHAT.storage()),
    "How much mail each of them may have.",
  ),
  quota_message_count: setting(
    inherited(WHAT.messages()),
    "How many messages each of them may have.",
  ),
  quota_exceeded: setting(
    inherited(WHAT.exceeded()),
    "What becomes of a message for which there is no room.",
  ),
  quota_warning_percentages: setting(
    inherited(WHAT.percentages()),
    "At how much of the quota they are warned.",
  ),
} as const;
