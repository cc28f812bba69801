/** Messages that come back while the session that removed them has not written down yet that they went. */

import { deepStrictEqual, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { readFileSync, renameSync } from "node:fs";
import { listDeleted } from "../../../src/maildir/deleted_messages.ts";
import { takeDotLock } from "../../../src/maildir/dot_lock.ts";
import { Mailbox } from "../../../src/maildir/mailbox.ts";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import { MaildirDrop } from "../../../src/maildir/maildir_drop.ts";
import type { Tally } from "../../../src/maildir/maildirsize.ts";
import { restoreDeleted } from "../../../src/maildir/restore_deleted.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import { maildirTest, type TestMaildir } from "../../support/test_maildir.ts";

/** The mailbox of a server, which goes on from one session to the next. */
function serverOf({ path }: TestMaildir): Mailbox {
  return new Mailbox(path, { exactSizes: false });
}

async function listed(mailbox: Mailbox): Promise<string[]> {
  const snapshot = await mailbox.refresh();
  return Array.from(
    { length: snapshot.count },
    (_, index) => snapshot.uniqueIdOf(index + 1 as MessageNumber),
  );
}

/**
 * A session that marks all messages and ends. `meanwhile` comes when their files are gone, and nobody knows;
 * `before`, when the session has begun.
 */
async function quit(
  mailbox: Mailbox,
  meanwhile: () => Promise<void>,
  before = () => {},
): Promise<void> {
  const snapshot = await mailbox.refresh();
  before();
  const drop = new MaildirDrop({
    mailbox,
    snapshot,
    exactSizes: false,
    markRetrievedAsSeen: false,
    keepsDeleted: true,
    openTally: () => Promise.resolve({ removed: meanwhile } as unknown as Tally),
    onClose: () => {},
  });
  const all = Array.from({ length: snapshot.count }, (_, index) => index + 1 as MessageNumber);
  deepStrictEqual(await drop.update(all, []), { removed: all.length, left: 0 });
  drop.close();
}

async function undelete({ path }: TestMaildir): Promise<void> {
  const disk = new MailboxDisk(path);
  for (const { outcome } of await restoreDeleted(disk, await listDeleted(disk))) {
    strictEqual(outcome, "restored");
  }
}

maildirTest("messages undeleted while QUIT removes them keep their unique-ids", async (maildir) => {
  for (let n = 0; n < 20; n++) maildir.deliver(`${n}\n`);
  const server = serverOf(maildir);
  const before = await listed(server);
  // The second time nothing in the list is to be said otherwise than it is.
  for (const times of ["once", "twice"]) {
    await quit(server, () => undelete(maildir));
    deepStrictEqual(await listed(server), before, `${times}, in the server that runs`);
    deepStrictEqual(await listed(serverOf(maildir)), before, `${times}, in the next one`);
  }
});

maildirTest(
  "messages undeleted and listed by another session while QUIT removes them keep their unique-ids",
  async (maildir) => {
    for (let n = 0; n < 20; n++) maildir.deliver(`${n}\n`);
    const server = serverOf(maildir);
    const before = await listed(server);
    await quit(server, async () => {
      await undelete(maildir);
      deepStrictEqual(await listed(server), before);
    });
    deepStrictEqual(await listed(server), before, "in the server that runs");
    deepStrictEqual(await listed(serverOf(maildir)), before, "and in the next one");
  },
);

maildirTest(
  "messages undeleted after a QUIT that could not write down their removal keep their unique-ids",
  async (maildir) => {
    for (let n = 0; n < 20; n++) maildir.deliver(`${n}\n`);
    const server = serverOf(maildir);
    const before = await listed(server);
    const disk = new MailboxDisk(maildir.path);
    const lock = await takeDotLock(`${maildir.sidecar}.lock`, { waitMs: 1_000, disk });
    ok(lock !== undefined);
    await quit(server, () => Promise.resolve());
    await lock.release();
    await undelete(maildir);
    deepStrictEqual(await listed(server), before, "in the server that runs");
    deepStrictEqual(await listed(serverOf(maildir)), before, "and in the next one");
  },
);

maildirTest(
  "a message that QUIT did not find, and that is there again, keeps its unique-id",
  async (maildir) => {
    const name = maildir.deliver("one\n");
    maildir.deliver("two\n");
    const server = serverOf(maildir);
    const before = await listed(server);
    const [path, elsewhere] = [`${maildir.path}/new/${name}`, `${maildir.path}/elsewhere`];
    await quit(
      server,
      () => Promise.resolve(renameSync(elsewhere, path)),
      () => renameSync(path, elsewhere),
    );
    deepStrictEqual(await listed(server), before.slice(0, 1));
    deepStrictEqual(await listed(serverOf(maildir)), before.slice(0, 1));
  },
);

maildirTest(
  "a file that comes under the name of a message that QUIT removed is another message",
  async (maildir) => {
    const name = maildir.deliver("one\n");
    const server = serverOf(maildir);
    const [before] = await listed(server);
    await quit(server, () => Promise.resolve());
    ok(readFileSync(maildir.sidecar, "latin1").includes(`- ${before}\n`));
    maildir.deliver("another\n", name);
    const [after] = await listed(server);
    notStrictEqual(after, before);
    deepStrictEqual(await listed(serverOf(maildir)), [after]);
  },
);
