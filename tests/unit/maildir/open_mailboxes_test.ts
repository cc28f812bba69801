import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MaildirStore } from "../../../src/maildir/maildir_store.ts";
import { OpenMailboxes } from "../../../src/maildir/open_mailboxes.ts";
import { maildirTest } from "../../support/test_maildir.ts";

test("a mailbox is lent while nobody has it open, to one at a time", async () => {
  const open = new OpenMailboxes();
  open.begin("/a");
  open.begin("/a");
  strictEqual(await open.lend("/a"), undefined);
  open.end("/a");
  strictEqual(await open.lend("/a"), undefined);
  open.end("/a");
  const giveBack = await open.lend("/a");
  ok(giveBack !== undefined);
  strictEqual(await open.lend("/a"), undefined);
  const giveBackOther = await open.lend("/b");
  ok(giveBackOther !== undefined);
  giveBack();
  const again = await open.lend("/a");
  ok(again !== undefined);
  giveBack();
  strictEqual(
    await open.lend("/a"),
    undefined,
    "what was given back before is not given back twice",
  );
  again();
  await open.untilFree("/a");
  giveBackOther();
  strictEqual(open.untilFree("/a"), undefined);
});

maildirTest(
  "a session that begins while the mailbox is lent waits, and no other does",
  async (maildir) => {
    const open = new OpenMailboxes();
    const options = {
      maildir: maildir.path,
      exactSizes: false,
      sortOrder: "ascending",
      markRetrievedAsSeen: true,
    } as const;
    const store = new MaildirStore(options, open);
    // As after a reload: another store, whose sessions count too.
    const other = new MaildirStore(options, open);
    maildir.deliver("one\n");
    const first = await other.open({ user: "alice", extra: {} });
    strictEqual(await open.lend(maildir.path), undefined);
    first.close();
    const giveBack = (await open.lend(maildir.path))!;
    const steps: string[] = [];
    const opening = Promise.resolve(store.open({ user: "alice", extra: {} })).then((drop) => {
      steps.push("opened");
      return drop;
    });
    await sleep(50);
    steps.push("given back");
    maildir.remove(maildir.files()[0]!);
    giveBack();
    const drop = await opening;
    deepStrictEqual(steps, ["given back", "opened"]);
    strictEqual(drop.snapshot.count, 0, "it lists what is left");
    drop.close();
  },
);

maildirTest("a mailbox that is open by another path, a link, is not lent", async (maildir) => {
  const link = `${maildir.path}-link`;
  symlinkSync(maildir.path, link);
  const open = new OpenMailboxes();
  open.begin(link);
  strictEqual(await open.lend(maildir.path), undefined);
  strictEqual(open.untilFree(maildir.path), undefined, "what was not lent keeps nobody waiting");
  open.end(link);
  const giveBack = await open.lend(maildir.path);
  ok(giveBack !== undefined);
  open.begin(link);
  open.begin("/elsewhere");
  await open.untilFree("/elsewhere");
  let isFree = false;
  const waiting = open.untilFree(link)!.then(() => isFree = true);
  await sleep(50);
  strictEqual(isFree, false);
  giveBack();
  await waiting;
});

test("a mailbox that comes back while it is looked at keeps nobody waiting", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const open = new OpenMailboxes((path) => path === "/slow" ? promise : Promise.resolve(path));
  open.begin("/other");
  const lending = open.lend("/slow");
  open.begin("/slow");
  const free = open.untilFree("/slow");
  resolve("/slow");
  (await lending)?.();
  await free;
  strictEqual(await open.lend("/slow"), undefined);
});
