/** Links that users put into their Maildirs, and the daily pass, which removes mail for good. */

import { deepStrictEqual, rejects } from "node:assert/strict";
import {
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { tidyMailbox, type TidyOptions } from "../../../src/delivery/tidy_mailbox.ts";
import { HeldTmp } from "../../../src/maildir/held_tmp.ts";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import { removeUnfinished } from "../../../src/maildir/sidecar_rewrite.ts";
import { mayMakeAccounts } from "../../support/system_account.ts";
import { TestMaildir } from "../../support/test_maildir.ts";

const folder = realpathSync(mkdtempSync(`${tmpdir()}/popkeep-tidy-links-`));
after(() => rmSync(folder, { recursive: true }));

const skip = mayMakeAccounts ? false : "takes root, to make a link of another user";

const ALICE = 54_321;
const DAY_MS = 86_400_000;

let made = 0;

function newMaildir(): TestMaildir {
  return new TestMaildir(`${folder}/${++made}/Maildir`);
}

/** Puts a link of alice's in the place of what is there. */
function plant(path: string, target: string, owner?: number): void {
  rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path);
  if (owner !== undefined) lchownSync(path, owner, owner);
}

/** A pass of three days later. */
function pass(path: string, more: Pick<TidyOptions, "onRefused"> = {}) {
  return tidyMailbox(
    { user: "alice", extra: {} },
    { inbox: path, folders: path, layout: "maildir++", utf8Names: false, root: "/" },
    {
      policy: {
        retentionReadMs: 0,
        retentionUnreadMs: 0,
        retentions: [],
        deletedItemRetentionMs: 0,
      },
      uncountedFolders: [],
      borrow: () => Promise.reject(new Error("no mail goes by its age")),
      timeoutMs: 30_000,
      nowMs: Date.now() + 3 * DAY_MS,
      ...more,
    },
  );
}

for (const place of ["tmp", ".Work/tmp"]) {
  test(`a link to another's mail in the place of ${place} removes none of it`, async () => {
    const [alice, bob] = [newMaildir(), newMaildir()];
    const name = bob.deliver("bob's only copy\n");
    bob.flag(name, "S");
    for (const part of ["new", "cur", "tmp"]) {
      mkdirSync(`${alice.path}/.Work/${part}`, { recursive: true });
    }
    plant(`${alice.path}/${place}`, `${bob.path}/cur`);
    const tidied = await pass(alice.path);
    deepStrictEqual(tidied.map(({ stale }) => stale), [0, 0]);
    deepStrictEqual(bob.files(), [`cur/${name}:2,S`]);
  });
}

test("a link that takes the place of tmp/ while files of it are removed leads to no others", async () => {
  const [alice, bob] = [newMaildir(), newMaildir()];
  writeFileSync(`${alice.path}/tmp/unfinished`, "part");
  bob.place("mail:2,S", "bob's only copy\n");
  const tmp = await HeldTmp.open(new MailboxDisk(alice.path));
  try {
    renameSync(`${alice.path}/tmp`, `${alice.path}/was-tmp`);
    plant(`${alice.path}/tmp`, `${bob.path}/cur`);
    deepStrictEqual((await tmp.entries()).map(({ name }) => name), ["unfinished"]);
  } finally {
    await tmp.close();
  }
});

test(
  "another's deleted messages do not go for good through a link to the mailbox",
  { skip },
  async () => {
    const bob = newMaildir();
    const day = `${bob.path}/popkeep-deleted/2026-01-02`;
    mkdirSync(day, { recursive: true });
    writeFileSync(`${day}/7,1767312000000,client,cur,,mail:2,S`, "bob's\n");
    plant(`${folder}/alices`, bob.path, ALICE);
    await rejects(pass(`${folder}/alices`), /made to what is another's/);
    const [inbox] = await pass(bob.path);
    deepStrictEqual(inbox?.purged, 1, "without the link it goes");
  },
);

test(
  "a folder that leads to another's mail keeps no other folder from its turn",
  { skip },
  async () => {
    const [alice, bob] = [newMaildir(), newMaildir()];
    const folders = [".A", ".B", ".C"];
    for (const name of folders) {
      for (const part of ["new", "cur", "tmp"]) {
        mkdirSync(`${alice.path}/${name}/${part}`, { recursive: true });
      }
      writeFileSync(`${alice.path}/${name}/tmp/unfinished`, "part");
    }
    for (const name of [".A", ".B"]) plant(`${alice.path}/${name}/cur`, `${bob.path}/cur`, ALICE);
    const refused: string[] = [];
    const tidied = await pass(alice.path, { onRefused: (folder) => refused.push(folder) });
    deepStrictEqual(refused.toSorted(), ["A", "B"]);
    deepStrictEqual(tidied.map(({ folder, stale }) => [folder, stale]), [["INBOX", 0], ["C", 1]]);
  },
);

test(
  "lists that another's sessions are making are not removed through a link",
  { skip },
  async () => {
    const [alice, bob] = [newMaildir(), newMaildir()];
    writeFileSync(`${bob.path}/tmp/popkeep-uidlist.1.a`, "");
    plant(`${alice.path}/tmp`, `${bob.path}/tmp`, ALICE);
    await removeUnfinished(new MailboxDisk(alice.path));
    deepStrictEqual(bob.names("tmp"), ["popkeep-uidlist.1.a"]);
    await removeUnfinished(new MailboxDisk(bob.path));
    deepStrictEqual(bob.names("tmp"), []);
  },
);
