import { equal } from "node:assert/strict";
import { test } from "node:test";
import { Expiry } from "../../../src/delivery/expiry.ts";
import type { RetentionTable } from "../../../src/delivery/retention_ages.ts";

const DAY_MS = 86_400_000;

interface Policy {
  readonly read?: number;
  readonly unread?: number;
  readonly tables?: readonly Partial<RetentionTable>[];
  readonly opensFolders?: boolean;
}

function expiry({ read = 0, unread = 0, tables = [], opensFolders = true }: Policy): Expiry {
  return new Expiry({
    retentionReadMs: read * DAY_MS,
    retentionUnreadMs: unread * DAY_MS,
    retentions: tables.map((table) => ({
      users: [],
      domains: [],
      folders: [],
      readMs: undefined,
      unreadMs: undefined,
      ...table,
    })),
  }, { opensFolders });
}

const ALICE = { user: "alice@example.com", extra: {} };

test("nothing goes: NEVER, before and after login", () => {
  const never = expiry({});
  equal(never.announced(undefined), "NEVER");
  equal(never.announced(ALICE), "NEVER");
});

test("the smaller age in days, rounded down, and USER only where users differ", () => {
  equal(expiry({ read: 7, unread: 60 }).announced(undefined), "7");
  equal(expiry({ read: 7, unread: 60 }).announced(ALICE), "7");
  equal(expiry({ unread: 60 }).announced(ALICE), "60");
  equal(expiry({ read: 7.9 }).announced(undefined), "7");
});

test("a table for some makes it USER before login, and the user's own after it", () => {
  const some = expiry({ read: 30, tables: [{ users: [ALICE.user], readMs: 3 * DAY_MS }] });
  equal(some.announced(undefined), "3 USER");
  equal(some.announced(ALICE), "3");
  equal(some.announced({ user: "bob", extra: {} }), "30");
  const never = expiry({ tables: [{ domains: ["example.com"], readMs: 9 * DAY_MS }] });
  equal(never.announced(undefined), "9 USER");
  equal(never.announced({ user: "bob", extra: {} }), "NEVER");
});

test("a table for folders counts where clients can open folders", () => {
  const tables = [{ folders: ["Trash"], readMs: DAY_MS }];
  equal(expiry({ tables, opensFolders: false }).announced(undefined), "NEVER");
  const folders = expiry({ tables });
  equal(folders.announced(undefined), "1 USER");
  equal(folders.announced(ALICE), "NEVER");
  equal(folders.announced({ ...ALICE, folder: "trash" }), "1");
  equal(folders.announced({ ...ALICE, folder: "inbox" }), "NEVER");
});

test("users' own fields count once they are known, and one that is not understood is never", () => {
  const users = expiry({ read: 30 });
  equal(users.announced(undefined), "30");
  users.note({ user: "carol", extra: { retention_read: "2d" } });
  equal(users.announced(undefined), "2 USER");
  equal(users.announced({ user: "dave", extra: { retention_unread: "1d" } }), "1");
  equal(users.announced(undefined), "1 USER");
  equal(users.announced({ user: "erin", extra: { retention_read: "a week" } }), "NEVER");
});
