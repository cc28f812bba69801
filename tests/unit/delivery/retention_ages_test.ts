import { deepStrictEqual } from "node:assert/strict";
import { test } from "node:test";
import {
  type FieldFault,
  retentionAges,
  type RetentionTable,
} from "../../../src/delivery/retention_ages.ts";
import { isFolderOf } from "../../../src/maildir/quota_folders.ts";

const DAY_MS = 86_400_000;

const means = (mask: string, folder: string) => isFolderOf(mask, folder, { layout: "maildir++" });

function table(values: Partial<RetentionTable>): RetentionTable {
  const nothing = { users: [], domains: [], folders: [], readMs: undefined, unreadMs: undefined };
  return { ...nothing, ...values };
}

/** In days. */
function ages(
  retentions: readonly RetentionTable[],
  { user = "alice@example.com", extra = {}, folder = "INBOX", faults = [] as FieldFault[] } = {},
): [number, number] {
  const policy = { retentionReadMs: 7 * DAY_MS, retentionUnreadMs: 60 * DAY_MS, retentions };
  const tell = (fault: FieldFault) => void faults.push(fault);
  const { readMs, unreadMs } = retentionAges(policy, { user, extra }, folder, means, tell);
  return [readMs / DAY_MS, unreadMs / DAY_MS];
}

test("what holds for everybody is about the INBOX alone", () => {
  deepStrictEqual(ages([]), [7, 60]);
  deepStrictEqual(ages([], { folder: "Sent" }), [0, 0]);
  deepStrictEqual(ages([], { folder: "Work/2024" }), [0, 0]);
});

test("the user goes before the domain, and that before everybody, whatever their order", () => {
  const tables = [
    table({ readMs: DAY_MS }),
    table({ domains: ["EXAMPLE.com"], readMs: 2 * DAY_MS }),
    table({ users: ["alice@example.com"], unreadMs: 3 * DAY_MS }),
    table({ users: ["alice@example.com"], unreadMs: 4 * DAY_MS }),
  ];
  deepStrictEqual(ages(tables), [7, 3]);
  deepStrictEqual(ages(tables, { user: "bob@example.com" }), [2, 60]);
  deepStrictEqual(ages(tables, { user: "bob" }), [1, 60]);
});

test("folders are named with masks, and a key that a table leaves out is never there", () => {
  const tables = [
    table({ folders: ["Trash", "Work*"], readMs: DAY_MS }),
    table({ users: ["alice@example.com"], folders: ["Trash"], readMs: 0 }),
  ];
  deepStrictEqual(ages(tables, { folder: "Work/2024" }), [1, 0]);
  deepStrictEqual(ages(tables, { folder: "Trash" }), [0, 0]);
  deepStrictEqual(ages(tables, { folder: "Trash", user: "bob" }), [1, 0]);
  deepStrictEqual(ages(tables), [7, 60]);
});

test("the user's own entry goes before all, for the INBOX; what is no duration lets nothing go", () => {
  const extra = { retention_read: "14d", retention_unread: "0" };
  deepStrictEqual(ages([table({ users: ["alice@example.com"], readMs: DAY_MS })], { extra }), [
    14,
    0,
  ]);
  deepStrictEqual(
    ages([table({ folders: ["Trash"], readMs: DAY_MS })], { extra, folder: "Trash" }),
    [
      1,
      0,
    ],
  );
  const faults: FieldFault[] = [];
  for (const found of ["a week", "7m", "", "-1d"]) {
    deepStrictEqual(ages([], { extra: { retention_read: found }, faults }), [0, 60]);
  }
  deepStrictEqual(faults.map(({ found }) => found), ["a week", "7m", "", "-1d"]);
});
