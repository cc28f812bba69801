/** What is asked of the disk for one login, counted: a design that asks for more fails, a slow machine does not. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { diskWork } from "../../../src/maildir/disk_work.ts";
import { Mailbox } from "../../../src/maildir/mailbox.ts";
import { MailboxSnapshot } from "../../../src/maildir/mailbox_snapshot.ts";
import { warmFacts } from "../../../src/platform/warm_files.ts";
import { maildirTest, type TestMaildir } from "../../support/test_maildir.ts";
import { noWarmFiles } from "../../support/warm.ts";

type Work = Record<keyof typeof diskWork, number>;

/** What one look at the mailbox asks for. */
async function workOf(mailbox: Mailbox): Promise<Work> {
  const before = { ...diskWork };
  await mailbox.refresh();
  const kinds = Object.keys(before) as (keyof Work)[];
  return Object.fromEntries(kinds.map((kind) => [kind, diskWork[kind] - before[kind]])) as Work;
}

/** Until what is known of the folders counts, and the filesystem is known for this machine's. */
async function settled(maildir: TestMaildir, mailbox: Mailbox): Promise<void> {
  await sleep(2_100);
  await mailbox.refresh();
  for (let tries = 0; warmFacts(maildir.path, { follow: true }) === undefined; tries++) {
    ok(tries < 500, "the temporary folder is on no filesystem that answers at once");
    await sleep(10);
  }
}

const NOTHING: Work = { looks: 0, listings: 0, fileLooks: 0, listOpens: 0, locks: 0, syncs: 0 };

maildirTest("a mailbox that is unchanged costs three looks, and no wait", async (maildir) => {
  for (let i = 0; i < 20; i++) maildir.deliver(`${i}\n`);
  const mailbox = new Mailbox(maildir.path, { exactSizes: false });
  await settled(maildir, mailbox);
  // The first look may learn how the list's times are told without waiting.
  await mailbox.refresh();
  ok(mailbox.refresh() instanceof MailboxSnapshot);
  deepStrictEqual(await workOf(mailbox), { ...NOTHING, looks: 3 });
}, { skip: noWarmFiles });

maildirTest("an empty mailbox is looked at without a wait", async (maildir) => {
  const mailbox = new Mailbox(maildir.path, { exactSizes: false });
  await settled(maildir, mailbox);
  ok(mailbox.refresh() instanceof MailboxSnapshot);
  deepStrictEqual(await workOf(mailbox), { ...NOTHING, looks: 2 });
}, { skip: noWarmFiles });

maildirTest("one delivery costs one listing, one look at a file and one sync", async (maildir) => {
  for (let i = 0; i < 500; i++) maildir.place(`${1_700_000_000 + i}.h:2,S`, "x\n");
  const mailbox = new Mailbox(maildir.path, { exactSizes: false });
  await settled(maildir, mailbox);
  maildir.deliver("new\n");
  const work = await workOf(mailbox);
  strictEqual((await mailbox.refresh()).count, 501);
  const { listings, fileLooks, locks, syncs } = work;
  deepStrictEqual({ listings, fileLooks, locks, syncs }, {
    listings: 1,
    fileLooks: 1,
    locks: 1,
    syncs: 1,
  });
  ok(work.looks <= 12, `${work.looks} looks`);
  ok(work.listOpens <= 3, `${work.listOpens} openings of the list`);
}, { skip: noWarmFiles });

maildirTest(
  "a first look costs a listing a folder, a look a file and two syncs",
  async (maildir) => {
    for (let i = 0; i < 300; i++) maildir.deliver(`${i}\n`);
    await sleep(50);
    const work = await workOf(new Mailbox(maildir.path, { exactSizes: false }));
    const { listings, fileLooks, locks, syncs } = work;
    deepStrictEqual({ listings, fileLooks, locks, syncs }, {
      listings: 2,
      fileLooks: 300,
      locks: 1,
      syncs: 2,
    });
    ok(work.listOpens <= 3, `${work.listOpens} openings of the list`);
  },
);

maildirTest("exact sizes of mail never seen are written with its ids", async (maildir) => {
  for (let i = 0; i < 300; i++) maildir.deliver(`${i}\n`);
  await sleep(50);
  const { locks, syncs, listOpens } = await workOf(new Mailbox(maildir.path, { exactSizes: true }));
  deepStrictEqual({ locks, syncs }, { locks: 1, syncs: 2 });
  ok(listOpens <= 3, `${listOpens} openings of the list`);
});
