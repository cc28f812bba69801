/** Which quota a user has, of all that say something about it. */

import { deepStrictEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import {
  ignoredFolders,
  isQuotaFault,
  limitsInto,
  type Quota,
  quotaOf,
  type QuotaSettings,
} from "../../../src/delivery/quota_limits.ts";
import type { MailLocation } from "../../../src/maildir/mail_location.ts";

const TABLE = {
  users: [],
  domains: [],
  storageOctets: undefined,
  messageCount: undefined,
  exceeded: undefined,
  warningPercentages: undefined,
};

const SETTINGS: QuotaSettings = {
  quotaStorageOctets: 1_000,
  quotaMessageCount: 10,
  quotaExceeded: "refuse",
  quotaIgnoredFolders: ["Trash"],
  quotaWarningPercentages: [80],
  quotas: [
    { ...TABLE, domains: ["Example.com"], storageOctets: 2_000, exceeded: "defer" },
    { ...TABLE, users: ["alice@example.com"], messageCount: 0, warningPercentages: [] },
    { ...TABLE, users: ["alice@example.com"], storageOctets: 5 },
  ],
};

const LOCATION: MailLocation = {
  inbox: "/m",
  folders: "/m",
  layout: "maildir++",
  utf8Names: false,
  root: "/",
};

function quota(user: string, extra: Record<string, string> = {}): Quota {
  const found = quotaOf(SETTINGS, { user, extra });
  ok(!isQuotaFault(found), JSON.stringify(found));
  return found;
}

test("E0003: the settings, a domain's table and a user's table, the nearest first", () => {
  deepStrictEqual(quota("bob"), {
    limits: { octets: 1_000, messages: 10 },
    exceeded: "refuse",
    warningPercentages: [80],
    ignored: ["Trash"],
    folders: [],
  });
  deepStrictEqual(quota("bob@EXAMPLE.COM").limits, { octets: 2_000, messages: 10 });
  deepStrictEqual(quota("bob@example.com").exceeded, "defer");
  // The table of a user goes before that of the domain that stands first, and only one counts.
  deepStrictEqual(quota("Alice@example.com").limits, { octets: 1_000, messages: 0 });
  deepStrictEqual(quota("Alice@example.com").warningPercentages, []);
  deepStrictEqual(quota("bob@example.com.org").limits, { octets: 1_000, messages: 10 });
  deepStrictEqual(quota("example.com").limits, { octets: 1_000, messages: 10 });
});

test("the user's entry goes before all", () => {
  const limits = (extra: Record<string, string>) => quota("alice@example.com", extra).limits;
  deepStrictEqual(limits({ quota_rule: "*:bytes=7" }), { octets: 7, messages: 0 });
  deepStrictEqual(limits({ quota_rule: "*:messages=7" }), { octets: 0, messages: 7 });
  deepStrictEqual(limits({ quota_rule: "" }), { octets: 1_000, messages: 0 });
  deepStrictEqual(limits({ quota_storage_size: "1k" }), { octets: 1_024, messages: 0 });
  deepStrictEqual(limits({ quota_message_count: "3" }), { octets: 1_000, messages: 3 });
  deepStrictEqual(limits({ quota_rule: "Spam:ignore" }), { octets: 1_000, messages: 0 });
  deepStrictEqual(limits({ quota_rule2: "*:bytes=7" }), { octets: 7, messages: 0 });
});

test("more rules of an entry are taken up to the first that is missing", () => {
  const extra = {
    quota_rule: "*:bytes=7",
    quota_rule2: "Spam:ignore",
    quota_rule3: "Sent:bytes=+3",
    quota_rule5: "Later:ignore",
  };
  const { folders, ignored } = quota("bob", extra);
  deepStrictEqual(ignored, ["Trash", "Spam"]);
  deepStrictEqual(folders.map(({ mask }) => mask), ["Sent"]);
  deepStrictEqual(ignoredFolders(SETTINGS, { user: "bob", extra }), ["Trash", "Spam"]);
});

test("what is not understood is a fault, and never no limit", () => {
  for (
    const extra of [
      { quota_rule: "*:storage=lots" },
      { quota_rule: "*:bytes=7", quota_rule2: "nonsense" },
      { quota_storage_size: "lots" },
      { quota_message_count: "-1" },
    ]
  ) {
    const found = quotaOf(SETTINGS, { user: "bob", extra });
    ok(isQuotaFault(found), JSON.stringify(extra));
  }
  // A session of such a user goes on: nothing of the kind keeps anybody from reading mail.
  const extra = { quota_rule: "nonsense", quota_rule2: "Spam:ignore" };
  deepStrictEqual(ignoredFolders(SETTINGS, { user: "bob", extra }), ["Trash", "Spam"]);
});

test("a rule of a folder leaves room for more, or less, in it", () => {
  const into = (path: string, rule: string) =>
    limitsInto(quota("bob", { quota_rule: rule }), LOCATION, path);
  deepStrictEqual(into("/m/.Sent", "Sent:bytes=+50"), { octets: 1_050, messages: 10 });
  deepStrictEqual(into("/m", "Sent:bytes=+50"), { octets: 1_000, messages: 10 });
  deepStrictEqual(into("/m", "INBOX:bytes=+50"), { octets: 1_050, messages: 10 });
  deepStrictEqual(into("/m/.Sent", "S*:bytes=+10%:messages=+50%"), { octets: 1_100, messages: 15 });
  deepStrictEqual(into("/m/.Sent", "Sent:bytes=-2000"), { octets: 1, messages: 10 });
  const unlimited = quotaOf({ ...SETTINGS, quotaStorageOctets: 0 }, {
    user: "bob",
    extra: { quota_rule: "Sent:bytes=+50" },
  });
  ok(!isQuotaFault(unlimited));
  deepStrictEqual(limitsInto(unlimited, LOCATION, "/m/.Sent"), { octets: 0, messages: 10 });
});
