/** How old messages are, and which go. Times of files are real here; it is the clock that is another. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { chmodSync, mkdirSync, statSync, symlinkSync, utimesSync } from "node:fs";
import process from "node:process";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import {
  findOldMessages,
  removeOldMessages,
  withUniqueIds,
} from "../../../src/maildir/old_messages.ts";
import { listDeleted } from "../../../src/maildir/deleted_messages.ts";
import { Mailbox } from "../../../src/maildir/mailbox.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import { maildirTest, type TestMaildir } from "../../support/test_maildir.ts";

const DAY_MS = 86_400_000;
const AGES = { readMs: 7 * DAY_MS, unreadMs: 60 * DAY_MS };

function old(maildir: TestMaildir, ages: typeof AGES, afterMs: number) {
  return findOldMessages(new MailboxDisk(maildir.path), ages, Date.now() + afterMs);
}

async function names(...[maildir, ages, afterMs]: Parameters<typeof old>): Promise<string[]> {
  return (await old(maildir, ages, afterMs)).map(({ folder, fileName }) => `${folder}/${fileName}`);
}

maildirTest("read mail goes after one age and unread mail after another", async (maildir) => {
  maildir.place("1600000001.M1.h:2,S", "read\n");
  maildir.place("1600000002.M2.h:2,", "in cur/, not read\n");
  maildir.place("1600000003.M3.h:2,FRS", "read, and flagged\n");
  maildir.place("1600000004.M4.h", "unread\n", "new");
  deepStrictEqual(await names(maildir, AGES, 6.9 * DAY_MS), []);
  deepStrictEqual(await names(maildir, AGES, 7.1 * DAY_MS), [
    "cur/1600000001.M1.h:2,S",
    "cur/1600000003.M3.h:2,FRS",
  ]);
  strictEqual((await names(maildir, AGES, 59.9 * DAY_MS)).length, 2);
  strictEqual((await names(maildir, AGES, 60.1 * DAY_MS)).length, 4);
  strictEqual((await names(maildir, { readMs: 0, unreadMs: 0 }, 1e13)).length, 0);
  deepStrictEqual(
    await names(maildir, { readMs: 0, unreadMs: DAY_MS }, 2 * DAY_MS),
    [
      "new/1600000004.M4.h",
      "cur/1600000002.M2.h:2,",
    ].sort((one, other) => one.slice(4) < other.slice(4) ? -1 : 1),
  );
});

maildirTest("mail that was imported with old dates is as old as the import", async (maildir) => {
  maildir.place("1300000000.M1.h:2,S", "old\n");
  utimesSync(`${maildir.path}/cur/1300000000.M1.h:2,S`, 1_300_000_000, 1_300_000_000);
  deepStrictEqual(await names(maildir, AGES, 0), []);
  strictEqual((await names(maildir, AGES, 7.1 * DAY_MS)).length, 1);
});

maildirTest(
  "any date that is younger keeps a message: of the name, and of the file",
  async (maildir) => {
    const inTenDaysS = Math.floor(Date.now() / 1000) + 10 * 86_400;
    maildir.place(`${inTenDaysS}.M1.h:2,S`, "the name\n");
    maildir.place("1600000000.M2.h:2,S", "the file\n");
    utimesSync(`${maildir.path}/cur/1600000000.M2.h:2,S`, inTenDaysS, inTenDaysS);
    maildir.place("odd-name:2,S", "no time in the name\n");
    deepStrictEqual(await names(maildir, AGES, 8 * DAY_MS), ["cur/odd-name:2,S"]);
    strictEqual((await names(maildir, AGES, 17.1 * DAY_MS)).length, 3);
  },
);

maildirTest("a clock in the past lets nothing go", async (maildir) => {
  maildir.place("1600000000.M2.h:2,S", "one\n");
  deepStrictEqual(await findOldMessages(new MailboxDisk(maildir.path), AGES, 0), []);
  deepStrictEqual(await findOldMessages(new MailboxDisk(maildir.path), AGES, -1e12), []);
});

maildirTest(
  "links, folders and dot files do not age, nor does what is no Maildir",
  async (maildir) => {
    symlinkSync("/etc/hostname", `${maildir.path}/cur/1600000000.M1.h:2,S`);
    mkdirSync(`${maildir.path}/cur/1600000001.M1.h:2,S`);
    maildir.place(".hidden:2,S", "dot\n");
    deepStrictEqual(await names(maildir, AGES, 100 * DAY_MS), []);
    strictEqual((await findOldMessages(new MailboxDisk("/nowhere/at/all"), AGES, 1e15)).length, 0);
  },
);

maildirTest("a message that was marked meanwhile is another, and stays", async (maildir) => {
  maildir.place("1600000001.M1.h:2,S", "one\n");
  maildir.place("1600000002.M2.h:2,S", "two\n");
  const disk = new MailboxDisk(maildir.path);
  const found = await withUniqueIds(disk, await old(maildir, AGES, 8 * DAY_MS));
  strictEqual(found.length, 2);
  maildir.flag("1600000001.M1.h", "FS");
  const { removed, failed } = await removeOldMessages(disk, found, { keepsDeleted: false });
  deepStrictEqual([removed.length, failed], [1, 0]);
  deepStrictEqual(maildir.files(), ["cur/1600000001.M1.h:2,FS"]);
});

maildirTest(
  "what goes keeps its unique-id among the deleted, and is told by it",
  async (maildir) => {
    maildir.place("1600000001.M1.h:2,S", "one\n");
    const disk = new MailboxDisk(maildir.path);
    const unseen = await withUniqueIds(disk, await old(maildir, AGES, 8 * DAY_MS));
    strictEqual(unseen[0]!.id, undefined);
    const mailbox = new Mailbox(maildir.path, { exactSizes: false });
    const id = (await mailbox.refresh()).uniqueIdOf(1 as MessageNumber);
    const found = await withUniqueIds(disk, await old(maildir, AGES, 8 * DAY_MS));
    strictEqual(String(found[0]!.id), id);
    await removeOldMessages(disk, found, { keepsDeleted: true });
    const [deleted] = await listDeleted(disk);
    deepStrictEqual([String(deleted!.id), deleted!.by, deleted!.folder], [id, "retention", "cur"]);
  },
);

maildirTest("two passes at once remove each message once", async (maildir) => {
  for (let n = 0; n < 100; n++) maildir.place(`16000${10_000 + n}.M1.h:2,S`, `${n}\n`);
  const pass = async () => {
    const disk = new MailboxDisk(maildir.path);
    const found = await withUniqueIds(disk, await old(maildir, AGES, 8 * DAY_MS));
    return await removeOldMessages(disk, found, { keepsDeleted: true });
  };
  const [one, other] = await Promise.all([pass(), pass()]);
  strictEqual(one.failed + other.failed, 0);
  strictEqual(one.removed.length + other.removed.length, 100);
  strictEqual((await listDeleted(new MailboxDisk(maildir.path))).length, 100);
});

maildirTest("what cannot be put aside stays, and is counted", async (maildir) => {
  maildir.place("1600000001.M1.h:2,S", "one\n");
  symlinkSync("/tmp", `${maildir.path}/popkeep-deleted`);
  const disk = new MailboxDisk(maildir.path);
  const found = await withUniqueIds(disk, await old(maildir, AGES, 8 * DAY_MS));
  const { removed, failed } = await removeOldMessages(disk, found, { keepsDeleted: true });
  deepStrictEqual([removed.length, failed], [0, 1]);
  strictEqual(maildir.files().length, 1);
});

maildirTest("a folder that may not be written keeps its mail", async (maildir) => {
  maildir.place("1600000001.M1.h:2,S", "one\n");
  chmodSync(`${maildir.path}/cur`, 0o500);
  const disk = new MailboxDisk(maildir.path);
  const found = await withUniqueIds(disk, await old(maildir, AGES, 8 * DAY_MS));
  const { removed, failed } = await removeOldMessages(disk, found, { keepsDeleted: false });
  chmodSync(`${maildir.path}/cur`, 0o700);
  if (process.geteuid?.() === 0) strictEqual(removed.length, 1); // no permission holds root back
  else deepStrictEqual([removed.length, failed], [0, 1]);
  ok(statSync(maildir.path).isDirectory());
});
