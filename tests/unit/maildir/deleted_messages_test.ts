/** Messages that were removed and are kept for a time: their names, the way there and back, and what strangers put there. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import {
  dayFolderName,
  dayOfFolder,
  deletedName,
  parseDeletedName,
} from "../../../src/maildir/deleted_name.ts";
import {
  DeletedMessages,
  listDeleted,
  purgeDeleted,
} from "../../../src/maildir/deleted_messages.ts";
import { MaildirStore } from "../../../src/maildir/maildir_store.ts";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import { restoreDeleted } from "../../../src/maildir/restore_deleted.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import type { Maildrop } from "../../../src/maildrop/store.ts";
import { testProperty } from "../../support/property.ts";
import { maildirTest, type TestMaildir } from "../../support/test_maildir.ts";

const N = (number: number) => number as MessageNumber;
const DAY_MS = 86_400_000;

function storeOf(maildir: TestMaildir, exactSizes = false) {
  const store = new MaildirStore({
    maildir: maildir.path,
    exactSizes,
    sortOrder: "ascending",
    markRetrievedAsSeen: true,
    keepsDeleted: true,
  });
  return { open: () => store.open({ user: "alice", extra: {} }) };
}

function idsOf({ snapshot }: Maildrop): string[] {
  return Array.from({ length: snapshot.count }, (_, i) => snapshot.uniqueIdOf(N(i + 1)));
}

/** What a session that begins now lists. */
async function listed(maildir: TestMaildir): Promise<string[]> {
  const drop = await storeOf(maildir).open();
  drop.close();
  return idsOf(drop);
}

/** Removes messages as a session does; returns what it listed. */
async function remove(maildir: TestMaildir, ...numbers: number[]): Promise<string[]> {
  const drop = await storeOf(maildir).open();
  const outcome = await drop.update(numbers.map(N), []);
  deepStrictEqual(outcome, { removed: numbers.length, left: 0 });
  drop.close();
  return idsOf(drop);
}

function deletedFiles(maildir: TestMaildir): string[] {
  const folder = `${maildir.path}/popkeep-deleted`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile()).map((entry) => entry.name);
}

async function undelete(maildir: TestMaildir): Promise<string[]> {
  const disk = new MailboxDisk(maildir.path);
  return (await restoreDeleted(disk, await listDeleted(disk))).map(({ outcome }) => outcome);
}

const fileName = fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 255 })
  .map((octets) => String.fromCharCode(...octets))
  .filter((name) => !/^[.:]|\//.test(name));

const carried = fc.option(
  fc.array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: 70 })
    .map((octets) => String.fromCharCode(...octets)),
  { nil: undefined },
);

testProperty(
  "a name says all of a message, whatever its file and its unique-id are called",
  fc.property(
    fc.record({
      id: fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { nil: undefined }),
      deletedMs: fc.integer({ min: 0, max: 9_999_999_999_999 }),
      by: fc.constantFrom("client" as const, "retention" as const),
      folder: fc.constantFrom("new" as const, "cur" as const),
      carried,
      fileName,
    }, { noNullPrototype: true }),
    (message) => {
      const { prefix, fileName, fits } = deletedName(message);
      ok(prefix.length <= 255, "a folder can be called so");
      strictEqual(fits, prefix.length + fileName.length <= 255);
      deepStrictEqual(parseDeletedName(prefix + fileName), message);
      deepStrictEqual(parseDeletedName(prefix), { ...message, fileName: "" });
    },
  ),
);

test("names that are none are not taken for any", () => {
  const good = "7,1000,client,cur,,name:2,S";
  ok(parseDeletedName(good) !== undefined);
  const bad = [
    "",
    "name",
    "7,1000,client,cur,name",
    "0,1000,client,cur,,name",
    "07,1000,client,cur,,name",
    "99999999999999999,1000,client,cur,,name",
    "7,-1,client,cur,,name",
    "7,1000,admin,cur,,name",
    "7,1000,client,tmp,,name",
    "7,1000,client,cur,%41,name",
    "7,1000,client,cur,a b,name",
    "7,1000,client,cur,,.name",
    "7,1000,client,cur,,:2,S",
    "7,1000,client,cur,,a/b",
    "7,1000,client,../cur,,name",
    `7,1000,client,cur,${"x".repeat(71)},name`,
  ];
  for (const name of bad) strictEqual(parseDeletedName(name), undefined, name);
});

test("days are called by their dates in UTC", () => {
  strictEqual(dayFolderName(Date.UTC(2026, 10, 23, 23, 59)), "2026-11-23");
  strictEqual(dayOfFolder("2026-11-23"), Date.UTC(2026, 10, 23));
  for (const name of ["2026-13-01", "2026-02-30", "26-11-23", "2026-11-23 ", "..", "today"]) {
    strictEqual(dayOfFolder(name), undefined, name);
  }
});

maildirTest(
  "what a session removes is put aside and comes back under its unique-id",
  async (maildir) => {
    for (const text of ["one\n", "two\n", "three\n"]) maildir.deliver(text);
    maildir.flag(maildir.uniqueNames()[1]!, "FS");
    const names = maildir.files();
    const ids = await remove(maildir, 1, 2);
    strictEqual(maildir.files().length, 1);
    strictEqual(deletedFiles(maildir).length, 2);
    deepStrictEqual(await listed(maildir), ids.slice(2));
    deepStrictEqual(await undelete(maildir), ["restored", "restored"]);
    deepStrictEqual(maildir.files(), names, "folders and flags are as before");
    deepStrictEqual(await listed(maildir), ids);
    deepStrictEqual(deletedFiles(maildir), []);
    strictEqual(maildir.read(maildir.uniqueNames()[0]!).toString(), "one\n");
  },
);

maildirTest("the id comes back after the list has forgotten the message", async (maildir) => {
  for (let n = 0; n < 200; n++) maildir.deliver(`${n}\n`);
  const ids = await remove(maildir, ...Array.from({ length: 150 }, (_, i) => i + 1));
  // The next mail has the list written anew.
  maildir.deliver("later\n");
  await listed(maildir);
  await listed(maildir);
  maildir.deliver("later still\n");
  const later = (await listed(maildir)).slice(-2);
  const lines = readFileSync(maildir.sidecar, "latin1").split("\n").length;
  ok(lines < 150, `the list forgot them: ${lines} lines`);
  ok((await undelete(maildir)).every((outcome) => outcome === "restored"));
  deepStrictEqual(await listed(maildir), [...ids, ...later]);
});

maildirTest("the id comes back though the list was lost meanwhile", async (maildir) => {
  for (const text of ["one\n", "two\n"]) maildir.deliver(text);
  const ids = await remove(maildir, 1);
  rmSync(maildir.sidecar);
  const [renumbered] = await listed(maildir);
  ok(Number(renumbered) > Number(ids[1]));
  deepStrictEqual(await undelete(maildir), ["restored"]);
  deepStrictEqual(await listed(maildir), [ids[0], renumbered]);
});

maildirTest("the only message of a mailbox comes back, list or no list", async (maildir) => {
  maildir.deliver("one\n");
  const ids = await remove(maildir, 1);
  rmSync(maildir.sidecar);
  deepStrictEqual(await undelete(maildir), ["restored"]);
  deepStrictEqual(await listed(maildir), ids);
  maildir.deliver("two\n");
  const [, two] = await listed(maildir);
  ok(Number(two) > Number(ids[0]));
});

maildirTest("ids carried over from another server come back as they were", async (maildir) => {
  const names = [maildir.deliver("one\n"), maildir.deliver("two\n")];
  writeFileSync(
    maildir.sidecar,
    `popkeep-uidlist 1\nnext 9\n+ 7 4 - a%25,/b ${names[0]}\n+ 8 4 - - ${names[1]}\n`,
  );
  deepStrictEqual(await remove(maildir, 1), ["a%,/b", "8"]);
  deepStrictEqual(await undelete(maildir), ["restored"]);
  deepStrictEqual(await listed(maildir), ["a%,/b", "8"]);
});

maildirTest(
  "names that are as long as names may be are put aside and come back",
  async (maildir) => {
    const name = `1700000000.${"x".repeat(239)}`;
    maildir.place(`${name}:2,FS`, "long\n");
    strictEqual(`${name}:2,FS`.length, 255);
    const ids = await remove(maildir, 1);
    deepStrictEqual(maildir.files(), []);
    deepStrictEqual(await undelete(maildir), ["restored"]);
    deepStrictEqual(maildir.files(), [`cur/${name}:2,FS`]);
    deepStrictEqual(await listed(maildir), ids);
  },
);

maildirTest("a message that was put back and removed again comes back again", async (maildir) => {
  maildir.deliver("one\n");
  const ids = await remove(maildir, 1);
  for (let times = 0; times < 3; times++) {
    deepStrictEqual(await undelete(maildir), ["restored"]);
    deepStrictEqual(await remove(maildir, 1), ids);
  }
});

maildirTest("an id that another message has by now goes to no second one", async (maildir) => {
  const names = [maildir.deliver("one\n"), maildir.deliver("two\n")];
  const ids = await remove(maildir, 1);
  const [stored] = deletedFiles(maildir);
  const day = `${maildir.path}/popkeep-deleted/${
    readdirSync(`${maildir.path}/popkeep-deleted`)[0]
  }`;
  // Somebody writes the other's id into the name.
  renameSync(`${day}/${stored}`, `${day}/${stored!.replace(ids[0]!, ids[1]!)}`);
  deepStrictEqual(await undelete(maildir), ["renumbered"]);
  const after = await listed(maildir);
  strictEqual(after[0], ids[1]);
  ok(Number(after[1]) > Number(ids[1]), "and gets an id that nobody had");
  strictEqual(maildir.find(names[0]!), `new/${names[0]}`);
});

maildirTest("an id that cannot have been given yet is not taken from a name", async (maildir) => {
  maildir.deliver("one\n");
  await remove(maildir, 1);
  const [stored] = deletedFiles(maildir);
  const day = `${maildir.path}/popkeep-deleted/${
    readdirSync(`${maildir.path}/popkeep-deleted`)[0]
  }`;
  renameSync(`${day}/${stored}`, `${day}/${stored!.replace(/^\d+/, "9007199254740000")}`);
  deepStrictEqual(await undelete(maildir), ["renumbered"]);
  const [id] = await listed(maildir);
  ok(Number(id) < 9_000_000_000_000_000);
  maildir.deliver("two\n");
  strictEqual((await listed(maildir)).length, 2, "ids are left for mail to come");
});

maildirTest("two with one carried id do not both come back under it", async (maildir) => {
  const names = [maildir.deliver("one\n"), maildir.deliver("two\n")];
  writeFileSync(maildir.sidecar, `popkeep-uidlist 1\nnext 9\n+ 7 4 - old ${names[0]}\n`);
  await remove(maildir, 1);
  writeFileSync(maildir.sidecar, `popkeep-uidlist 1\nnext 9\n+ 8 4 - old ${names[1]}\n`);
  deepStrictEqual(await undelete(maildir), ["renumbered"]);
  const after = await listed(maildir);
  strictEqual(new Set(after).size, 2, String(after));
  strictEqual(after[0], "old");
});

maildirTest("what is in the mailbox again under its name stays as it is", async (maildir) => {
  const name = maildir.deliver("one\n");
  const [id] = await remove(maildir, 1);
  maildir.place(`${name}:2,S`, "put back by hand\n");
  const [again] = await listed(maildir);
  ok(again !== id);
  deepStrictEqual(await undelete(maildir), ["there"]);
  deepStrictEqual(await listed(maildir), [again]);
  strictEqual(maildir.read(name).toString(), "put back by hand\n");
  strictEqual(deletedFiles(maildir).length, 1);
});

maildirTest("of two with one name the one that was removed last comes back", async (maildir) => {
  const name = maildir.deliver("first\n");
  await remove(maildir, 1);
  maildir.deliver("second\n", name);
  const [second] = await remove(maildir, 1);
  deepStrictEqual((await undelete(maildir)).sort(), ["restored", "there"]);
  strictEqual(maildir.read(name).toString(), "second\n");
  deepStrictEqual(await listed(maildir), [second]);
});

maildirTest(
  "a session that is open keeps its snapshot, and another process gives ids meanwhile",
  async (maildir) => {
    for (const text of ["one\n", "two\n"]) maildir.deliver(text);
    const store = storeOf(maildir);
    const other = storeOf(maildir);
    const drop = await store.open();
    const ids = idsOf(drop);
    await drop.update([N(1)], []);
    const open = await store.open();
    maildir.deliver("three\n");
    const restoring = undelete(maildir);
    const [three] = idsOf(await other.open()).slice(-1);
    deepStrictEqual(await restoring, ["restored"]);
    deepStrictEqual(idsOf(open), [ids[1]]);
    open.close();
    deepStrictEqual(idsOf(await store.open()), [...ids, three]);
    deepStrictEqual(idsOf(await other.open()), [...ids, three]);
  },
);

maildirTest("two that put the same back at once put it back once", async (maildir) => {
  for (let n = 0; n < 30; n++) maildir.deliver(`${n}\n`);
  const ids = await remove(maildir, ...Array.from({ length: 30 }, (_, i) => i + 1));
  const both = await Promise.all([undelete(maildir), undelete(maildir)]);
  const restored = both.flat().filter((outcome) => outcome === "restored").length;
  strictEqual(restored, 30);
  deepStrictEqual(await listed(maildir), ids);
});

maildirTest("a message that cannot be put aside is not removed", async (maildir) => {
  maildir.deliver("one\n");
  writeFileSync(`${maildir.path}/popkeep-deleted`, "in its place\n");
  const drop = await storeOf(maildir).open();
  deepStrictEqual(await drop.update([N(1)], []), { removed: 0, left: 1 });
  strictEqual(maildir.files().length, 1);
});

maildirTest("QUIT says -ERR where deleted messages may not be on the disk", async (maildir) => {
  for (const text of ["one\n", "two\n"]) maildir.deliver(text);
  const drop = await storeOf(maildir).open();
  const [, two] = idsOf(drop);
  const before = readFileSync(maildir.sidecar, "latin1");
  let told = 0;
  const outcome = await drop.update([N(1)], [], () => {
    told++;
    // What cannot be opened cannot be synced.
    renameSync(`${maildir.path}/popkeep-deleted`, `${maildir.path}/elsewhere`);
  });
  drop.close();
  deepStrictEqual([outcome, told], [{ removed: 0, left: 1 }, 1]);
  strictEqual(readFileSync(maildir.sidecar, "latin1"), before, "it may come back under its id");
  deepStrictEqual(await listed(maildir), [two]);
});

maildirTest("a link in the place of the folder is not followed", async (maildir) => {
  const elsewhere = `${maildir.path}/elsewhere`;
  mkdirSync(`${elsewhere}/2020-01-01`, { recursive: true });
  const planted = "7,1577836800000,client,cur,,1500000000.M1.other";
  writeFileSync(`${elsewhere}/2020-01-01/${planted}`, "another's\n");
  symlinkSync(elsewhere, `${maildir.path}/popkeep-deleted`);
  maildir.deliver("one\n");
  const disk = new MailboxDisk(maildir.path);
  const drop = await storeOf(maildir).open();
  deepStrictEqual(await drop.update([N(1)], []), { removed: 0, left: 1 });
  await rejects(listDeleted(disk), /no folder/);
  await rejects(purgeDeleted(disk, 0), /no folder/);
  deepStrictEqual(readdirSync(`${elsewhere}/2020-01-01`), [planted]);
});

maildirTest("links and other names among the deleted are left alone by all", async (maildir) => {
  maildir.deliver("one\n");
  await remove(maildir, 1);
  const folder = `${maildir.path}/popkeep-deleted`;
  const outside = `${maildir.path}/tmp/secret`;
  writeFileSync(outside, "another's\n");
  mkdirSync(`${maildir.path}/tmp/day`);
  writeFileSync(`${maildir.path}/tmp/day/7,1,client,cur,,1500000000.M1.other`, "another's\n");
  symlinkSync(`${maildir.path}/tmp/day`, `${folder}/2001-01-01`);
  mkdirSync(`${folder}/2001-01-02`);
  symlinkSync(outside, `${folder}/2001-01-02/8,1,client,cur,,1500000000.M2.other`);
  symlinkSync(`${maildir.path}/tmp/day`, `${folder}/2001-01-02/9,1,client,cur,,`);
  writeFileSync(`${folder}/2001-01-02/notes`, "a stranger's\n");
  writeFileSync(`${folder}/readme`, "a stranger's\n");
  mkdirSync(`${folder}/2001-01-03/7,1,client,cur,,name`, { recursive: true });
  const disk = new MailboxDisk(maildir.path);
  strictEqual((await listDeleted(disk)).length, 1);
  strictEqual(await purgeDeleted(disk, 0, Date.UTC(2002, 0, 1)), 0);
  deepStrictEqual(await undelete(maildir), ["restored"]);
  ok(existsSync(outside));
  deepStrictEqual(readdirSync(`${maildir.path}/tmp/day`).length, 1);
  deepStrictEqual(readdirSync(`${folder}/2001-01-02`).sort(), [
    "8,1,client,cur,,1500000000.M2.other",
    "9,1,client,cur,,",
    "notes",
  ]);
  strictEqual(readFileSync(`${folder}/2001-01-02/notes`, "utf8"), "a stranger's\n");
});

maildirTest(
  "a link that is named to restoreDeleted is not put into the mailbox",
  async (maildir) => {
    maildir.deliver("one\n");
    await remove(maildir, 1);
    const disk = new MailboxDisk(maildir.path);
    const [file] = await listDeleted(disk);
    const path = `${maildir.path}/${file!.place}/${file!.storedName}`;
    rmSync(path);
    symlinkSync("/etc/hostname", path);
    strictEqual((await restoreDeleted(disk, [file!]))[0]!.outcome, "gone");
    deepStrictEqual(maildir.files(), []);
  },
);

maildirTest(
  "what was removed is kept to the end of its day and for the time that is set",
  async (maildir) => {
    const disk = new MailboxDisk(maildir.path);
    const deletedMs = Date.UTC(2026, 10, 23, 8);
    for (const name of ["1700000001.M1.h", `1700000002.${"x".repeat(240)}`]) {
      maildir.place(name, "one\n", "new");
      const deleted = new DeletedMessages(disk, deletedMs);
      const folder = "new" as const;
      await deleted.take({
        id: 7,
        by: "retention",
        folder,
        carried: undefined,
        fileName: name,
      });
      await deleted.sync();
    }
    const end = Date.UTC(2026, 10, 24) + 14 * DAY_MS;
    strictEqual(await purgeDeleted(disk, 14 * DAY_MS, end - 1), 0);
    strictEqual((await listDeleted(disk)).length, 2);
    // A clock in the past removes nothing.
    strictEqual(await purgeDeleted(disk, 14 * DAY_MS, Date.UTC(1970, 0, 2)), 0);
    strictEqual(await purgeDeleted(disk, 14 * DAY_MS, end), 2);
    deepStrictEqual(readdirSync(`${maildir.path}/popkeep-deleted`), []);
    strictEqual(await purgeDeleted(disk, 14 * DAY_MS, end), 0);
  },
);

maildirTest(
  "names that are no UTF-8 are put aside and come back, where the runtime can open them",
  async (maildir) => {
    const name = Buffer.from("1700000000.M1.h\xff", "latin1").toString("latin1");
    maildir.deliver("one\n", name);
    const before = await listed(maildir);
    if (before.length === 0) return; // this runtime cannot open it
    await remove(maildir, 1);
    deepStrictEqual(await undelete(maildir), ["restored"]);
    deepStrictEqual(maildir.files(), [`new/${name}`]);
    deepStrictEqual(await listed(maildir), before);
  },
);
