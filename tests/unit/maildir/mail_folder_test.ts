/** Folders beside the INBOX, opened as the maildrop of `user+folder`. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { MaildirStore } from "../../../src/maildir/maildir_store.ts";
import { StorageFailure } from "../../../src/maildrop/store.ts";
import { maildirTest, TestMaildir } from "../../support/test_maildir.ts";

/** Opens folders of the Maildir by one store, and says how many messages there are. */
function opener(maildir: TestMaildir, mail = `maildir:${maildir.path}`) {
  const store = new MaildirStore({
    maildir: "/nowhere/{user}",
    exactSizes: false,
    sortOrder: "ascending",
    markRetrievedAsSeen: true,
  });
  return async (folder?: string): Promise<number> => {
    const account = { user: "al", extra: { mail }, ...folder === undefined ? {} : { folder } };
    const drop = await store.open(account);
    drop.close();
    return drop.snapshot.count;
  };
}

/** Makes a folder with so many messages in it. */
function fill(path: string, messages: number): TestMaildir {
  const folder = new TestMaildir(path);
  for (let at = 0; at < messages; at++) folder.deliver("x\n");
  return folder;
}

const refused = (error: unknown) => error instanceof StorageFailure && error.kind === "SYS/PERM";

maildirTest(
  "a folder is a maildrop of its own, with a list of unique-ids of its own",
  async (maildir) => {
    maildir.deliver("a\n");
    const work = fill(`${maildir.path}/.Work`, 3);
    const count = opener(maildir);
    deepStrictEqual([await count(), await count("Work")], [1, 3]);
    ok(existsSync(work.sidecar) && existsSync(maildir.sidecar));
  },
);

maildirTest("subfolders are parted by a slash or a dot", async (maildir) => {
  fill(`${maildir.path}/.Work.2024`, 2);
  const count = opener(maildir);
  deepStrictEqual([await count("Work/2024"), await count("Work.2024")], [2, 2]);
});

maildirTest("INBOX, in any case, is the mailbox itself", async (maildir) => {
  maildir.deliver("a\n");
  const count = opener(maildir);
  deepStrictEqual([await count("INBOX"), await count("inbox")], [1, 1]);
});

maildirTest(
  "names that are not ASCII are found in modified UTF-7, or in UTF-8 where so set",
  async (maildir) => {
    fill(`${maildir.path}/.Entw&APw-rfe`, 2);
    fill(`${maildir.path}/.R&-D`, 4);
    fill(`${maildir.path}/.Entwürfe`, 1);
    const count = opener(maildir);
    deepStrictEqual([await count("Entwürfe"), await count("R&D")], [2, 4]);
    deepStrictEqual(await opener(maildir, `maildir:${maildir.path}:UTF-8`)("Entwürfe"), 1);
  },
);

maildirTest(
  "the very name goes before one of other letter case, which has to be the only one",
  async (maildir) => {
    fill(`${maildir.path}/.Work`, 1);
    fill(`${maildir.path}/.work`, 2);
    fill(`${maildir.path}/.Entw&APw-rfe`, 3);
    const count = opener(maildir);
    deepStrictEqual([await count("Work"), await count("work")], [1, 2]);
    await rejects(count("WORK"), /several differ in letter case/);
    strictEqual(await count("ENTWÜRFE"), 3);
  },
);

maildirTest("a folder that is not there is refused and not made", async (maildir) => {
  const count = opener(maildir);
  await rejects(count("Work"), refused);
  deepStrictEqual(readdirSync(maildir.path).toSorted(), ["cur", "new", "tmp"]);
});

maildirTest("a name that can be no folder's is refused", async (maildir) => {
  fill(`${maildir.path}/.a`, 1);
  for (
    const name of ["", ".", "..", "../x", "/a", ".a", "a/", "a//b", "a\0b", "a\nb"].concat([
      "x".repeat(255),
      "ü".repeat(100),
      "\ud800",
    ])
  ) await rejects(opener(maildir)(name), refused, JSON.stringify(name));
});

maildirTest("a symbolic link is no folder: it may lead to another's mail", async (maildir) => {
  const other = fill(`${maildir.path}-other`, 1);
  symlinkSync(other.path, `${maildir.path}/.linked`);
  await rejects(opener(maildir)("linked"), refused);
  await rejects(opener(maildir)("LINKED"), refused);
});

maildirTest("a folder that is no Maildir is refused", async (maildir) => {
  mkdirSync(`${maildir.path}/.odd`);
  utimesSync(`${maildir.path}/.odd`, 1_600_000_000, 1_600_000_000);
  await rejects(opener(maildir)("odd"), refused);
});

maildirTest(
  "folders in folders are found level by level, and a Maildir's own are none",
  async (maildir) => {
    fill(`${maildir.path}/Work/a.b`, 2);
    mkdirSync(`${maildir.path}/cur/new`);
    const count = opener(maildir, `maildir:${maildir.path}:LAYOUT=fs`);
    deepStrictEqual([await count("Work/a.b"), await count("WORK/A.B")], [2, 2]);
    for (const name of ["new", "cur", "tmp", "CUR", "Work/cur", ".Work", "Work/../Work", "a.b"]) {
      await rejects(count(name), refused, name);
    }
  },
);

maildirTest(
  "while the store is not mounted, a folder is out for now and not unknown",
  async (maildir) => {
    const count = opener(maildir, `maildir:${maildir.path}/%n`);
    await rejects(count("Work"), refused);
    const away = opener(maildir, `maildir:${maildir.path}/not-mounted/%n`);
    await rejects(
      away("Work"),
      (error) => error instanceof StorageFailure && error.kind === "SYS/TEMP",
    );
  },
);

maildirTest(
  "a folder that goes away under a running server is not an empty one",
  async (maildir) => {
    const work = fill(`${maildir.path}/.Work`, 1);
    const count = opener(maildir);
    strictEqual(await count("Work"), 1);
    rmSync(work.path, { recursive: true });
    await rejects(count("Work"), StorageFailure);
  },
);

maildirTest(
  "a location that cannot be is refused before anything is looked at",
  async (maildir) => {
    await rejects(opener(maildir, "mbox:~/mail")(), /the format mbox/);
    await rejects(opener(maildir, "mbox:~/mail")(), refused);
  },
);
