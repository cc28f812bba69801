/** What others can do to a Maildir behind our back, each test named after what went wrong with it once. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { dirname } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { MaildirStore } from "../../../src/maildir/maildir_store.ts";
import { takeDotLock } from "../../../src/maildir/dot_lock.ts";
import { Mailbox } from "../../../src/maildir/mailbox.ts";
import { MaildirDrop } from "../../../src/maildir/maildir_drop.ts";
import type { MailboxSnapshot } from "../../../src/maildir/mailbox_snapshot.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import { MessageGone } from "../../../src/maildrop/store.ts";
import { maildirTest, TestMaildir } from "../../support/test_maildir.ts";

const N = (number: number) => number as MessageNumber;

/** What another process would see of the mailbox. */
const processOf = (maildir: TestMaildir) => new Mailbox(maildir.path, { exactSizes: false });

function dropOf(mailbox: Mailbox, snapshot: MailboxSnapshot): MaildirDrop {
  return new MaildirDrop({
    mailbox,
    snapshot,
    exactSizes: false,
    markRetrievedAsSeen: true,
    onClose() {},
  });
}

function idsOf(snapshot: MailboxSnapshot): string[] {
  return Array.from({ length: snapshot.count }, (_, i) => snapshot.uniqueIdOf(N(i + 1)));
}

maildirTest(
  "a list that another process replaced keeps its ids when sessions end",
  async (maildir) => {
    for (let i = 0; i < 100; i++) maildir.deliver(`${i}\n`);
    const mailbox = processOf(maildir);
    const before = await mailbox.refresh();
    // As a compaction writes them when the files were away; that was long ago.
    const lines = readFileSync(maildir.sidecar, "latin1").trimEnd().split("\n");
    const missing = before.count === 100 ? idsOf(before).map((id) => `? ${id} 1000000000`) : [];
    writeFileSync(`${maildir.path}/tmp/list`, [...lines, ...missing, ""].join("\n"));
    maildir.rename("tmp/list", "popkeep-uidlist");
    await mailbox.noteSizes([before.entryOf(N(1))]);
    await mailbox.noteSizes([before.entryOf(N(2))]);
    deepStrictEqual(idsOf(await mailbox.refresh()), idsOf(before));
    deepStrictEqual(idsOf(await processOf(maildir).refresh()), idsOf(before));
  },
);

maildirTest("a file under the name of a removed message has an id of its own", async (maildir) => {
  maildir.deliver("old\n", "report.1");
  const mailbox = processOf(maildir);
  const first = await mailbox.refresh();
  deepStrictEqual(await dropOf(mailbox, first).update([N(1)], []), { removed: 1, left: 0 });
  maildir.deliver("new\n", "report.1");
  const [own] = idsOf(await mailbox.refresh());
  ok(Number(own) > Number(idsOf(first)[0]));
  deepStrictEqual(idsOf(await processOf(maildir).refresh()), [own]);
});

maildirTest(
  "a session does not touch a file that came under its message's name",
  async (maildir) => {
    maildir.deliver("old\n", "report.1");
    const mailbox = processOf(maildir);
    const snapshot = await mailbox.refresh();
    const [one, other] = [dropOf(mailbox, snapshot), dropOf(mailbox, snapshot)];
    await one.update([N(1)], []);
    maildir.deliver("new\n", "report.1");
    await mailbox.refresh();
    await rejects(async () => await other.open(N(1)), MessageGone);
    deepStrictEqual(await other.update([N(1)], []), { removed: 1, left: 0 });
    deepStrictEqual(maildir.names("new"), ["report.1"]);
  },
);

maildirTest(
  "of two files of one name the second has its own id once the first is removed",
  async (maildir) => {
    maildir.put("new/dup.1", "a\n");
    maildir.put("cur/dup.1:2,S", "b\n");
    const mailbox = processOf(maildir);
    const first = await mailbox.refresh();
    strictEqual(first.count, 1);
    await dropOf(mailbox, first).update([N(1)], []);
    const [second] = idsOf(await mailbox.refresh());
    ok(Number(second) > Number(idsOf(first)[0]));
    deepStrictEqual(maildir.names("new"), ["dup.1"]);
  },
);

maildirTest(
  "of two files of one name the second is found though its folder has not changed for long",
  async (maildir) => {
    maildir.put("new/dup.1", "a\n");
    maildir.put("cur/dup.1:2,S", "b\n");
    const mailbox = processOf(maildir);
    await mailbox.refresh();
    // Until what is known of new/ would count.
    await sleep(2_100);
    const first = await mailbox.refresh();
    await dropOf(mailbox, first).update([N(1)], []);
    const [second] = idsOf(await mailbox.refresh());
    ok(Number(second) > Number(idsOf(first)[0]));
    deepStrictEqual(maildir.names("new"), ["dup.1"]);
    deepStrictEqual(maildir.names("cur"), []);
  },
);

maildirTest(
  "a file that comes to cur under the name of one in new does not hide it for good",
  async (maildir) => {
    maildir.put("new/dup.1", "a\n");
    const mailbox = processOf(maildir);
    await mailbox.refresh();
    await sleep(2_100);
    const ids = idsOf(await mailbox.refresh());
    maildir.put("cur/dup.1:2,S", "b\n");
    const both = await mailbox.refresh();
    deepStrictEqual(idsOf(both), ids);
    await sleep(2_100);
    await mailbox.refresh();
    maildir.remove("cur/dup.1:2,S");
    deepStrictEqual(idsOf(await mailbox.refresh()), ids);
    const message = await dropOf(mailbox, await mailbox.refresh()).open(N(1));
    strictEqual(message.storedOctets, 2);
    await message.close();
  },
);

test("a message that moves from new to cur during a login is not missed", async () => {
  const maildirs = Array.from({ length: 12 }, () => new TestMaildir());
  try {
    const mailboxes = maildirs.map(processOf);
    for (const maildir of maildirs) {
      // Many, so that listing new/ takes a while.
      maildir.put("new/1700000000.first", "x\n");
      for (let i = 1; i < 3_000; i++) {
        linkSync(`${maildir.path}/new/1700000000.first`, `${maildir.path}/new/170000${1000 + i}.x`);
      }
    }
    for (const mailbox of mailboxes) strictEqual((await mailbox.refresh()).count, 3_000);
    // Until what is known of cur/ counts.
    await sleep(2_100);
    for (const mailbox of mailboxes) await mailbox.refresh();
    for (const [i, maildir] of maildirs.entries()) {
      maildir.deliver("y\n");
      const login = mailboxes[i]?.refresh();
      await sleep(i / 2);
      maildir.rename("new/1700000000.first", "cur/1700000000.first:2,S");
      strictEqual((await login)?.count, 3_001);
    }
  } finally {
    for (const maildir of maildirs) maildir.delete();
  }
});

maildirTest("a link that becomes a file is a message from then on", async (maildir) => {
  symlinkSync("nowhere", `${maildir.path}/cur/17.link`);
  const mailbox = processOf(maildir);
  strictEqual((await mailbox.refresh()).count, 0);
  maildir.put("cur/17.link", "x\n");
  strictEqual((await mailbox.refresh()).count, 1);
});

maildirTest(
  "what is no file is no message among many newcomers with size hints",
  async (maildir) => {
    for (let i = 0; i < 300; i++) maildir.put(`cur/170000${1000 + i}.h,S=2:2,`, "x\n");
    mkdirSync(`${maildir.path}/cur/1700001101.d,S=2:2,`);
    symlinkSync("/nowhere", `${maildir.path}/cur/1700001102.l,S=2:2,`);
    strictEqual(spawnSync("mkfifo", [`${maildir.path}/cur/1700001103.f,S=2:2,`]).status, 0);
    const snapshot = await processOf(maildir).refresh();
    strictEqual(snapshot.count, 300);
    strictEqual(snapshot.totalOctets, 600);
  },
);

maildirTest("messages of a mailbox that is not there are left, not removed", async (maildir) => {
  for (let i = 0; i < 3; i++) maildir.deliver(`${i}\n`);
  const mailbox = processOf(maildir);
  const before = await mailbox.refresh();
  const drop = dropOf(mailbox, before);
  renameSync(maildir.path, `${maildir.path}.unmounted`);
  deepStrictEqual(await drop.update([N(1), N(2)], []), { removed: 0, left: 2 });
  await rejects(async () => await drop.open(N(3)), { name: "StorageFailure", kind: "SYS/TEMP" });
  renameSync(`${maildir.path}.unmounted`, maildir.path);
  deepStrictEqual(idsOf(await mailbox.refresh()), idsOf(before));
});

maildirTest(
  "a mail store that is not mounted is a failure, not an empty mailbox",
  async (maildir) => {
    const parent = dirname(maildir.path);
    const storeAt = (template: string) =>
      new MaildirStore({
        maildir: template,
        exactSizes: false,
        sortOrder: "ascending",
        markRetrievedAsSeen: true,
      });
    const bob = { user: "bob@example.org", home: `${parent}/nowhere/bob`, extra: {} };
    const empty = await storeAt(`${parent}/{domain}/{local}`).open(bob);
    strictEqual(empty.snapshot.count, 0);
    for (const template of [`${parent}/nowhere/{user}`, "{home}/Maildir"]) {
      await rejects(async () => await storeAt(template).open(bob), {
        name: "StorageFailure",
        kind: "SYS/TEMP",
      });
    }
  },
);

maildirTest(
  "a mailbox that vanishes while the server runs is a failure, not empty",
  async (maildir) => {
    maildir.deliver("x\n");
    const mailbox = processOf(maildir);
    const ids = idsOf(await mailbox.refresh());
    renameSync(maildir.path, `${maildir.path}.unmounted`);
    await rejects(async () => await mailbox.refresh(), {
      name: "StorageFailure",
      kind: "SYS/TEMP",
    });
    renameSync(`${maildir.path}.unmounted`, maildir.path);
    deepStrictEqual(idsOf(await mailbox.refresh()), ids);
  },
);

maildirTest(
  "QUIT looks once for all messages that others removed, not once for each",
  async (maildir) => {
    for (let i = 0; i < 200; i++) maildir.deliver(`${i}\n`);
    const mailbox = processOf(maildir);
    const drop = dropOf(mailbox, await mailbox.refresh());
    for (const name of maildir.names("new").filter((_, i) => i % 2 === 0)) maildir.unlink(name);
    let looks = 0;
    const locate = mailbox.locate.bind(mailbox);
    mailbox.locate = () => {
      looks++;
      return locate();
    };
    const all = Array.from({ length: 200 }, (_, i) => N(i + 1));
    deepStrictEqual(await drop.update(all, []), { removed: 200, left: 0 });
    strictEqual(looks, 1);
    deepStrictEqual(maildir.names("new"), []);
  },
);

maildirTest(
  "a FIFO or link in the place of the unique-id list holds nobody up",
  async (maildir) => {
    maildir.deliver("x\n");
    strictEqual(spawnSync("mkfifo", [maildir.sidecar]).status, 0);
    // More than a thread pool has threads.
    const failures = Array.from({ length: 16 }, () => {
      return rejects(async () => await processOf(maildir).refresh(), { name: "StorageFailure" });
    });
    await Promise.all(failures);
    rmSync(maildir.sidecar);
    writeFileSync(`${maildir.path}/elsewhere`, "popkeep-uidlist 1\n");
    symlinkSync("elsewhere", maildir.sidecar);
    await rejects(async () => await processOf(maildir).refresh(), { name: "StorageFailure" });
    strictEqual(readFileSync(`${maildir.path}/elsewhere`, "latin1"), "popkeep-uidlist 1\n");
  },
);

maildirTest(
  "a link in the place of the lock is waited for, and taken away when it is stale",
  async (maildir) => {
    const lock = `${maildir.sidecar}.lock`;
    symlinkSync("nowhere", lock);
    strictEqual(await takeDotLock(lock, { waitMs: 30 }), undefined);
    const taken = await takeDotLock(lock, { staleMs: 40 });
    ok(taken !== undefined && await taken.isHeld());
    await taken.release();
    ok(!existsSync(`${maildir.path}/nowhere`));
  },
);

maildirTest(
  "a list that somebody edited in its middle is read anew, though it is as long as before",
  async (maildir) => {
    for (let i = 0; i < 3; i++) maildir.deliver(`${i}\n`);
    const mailbox = processOf(maildir);
    const [first = "", second = "", third = ""] = idsOf(await mailbox.refresh());
    const edited = String(Number(first) - 5);
    const list = readFileSync(maildir.sidecar, "latin1").replace(`+ ${first} `, `+ ${edited} `);
    // A moment later: the system's times of files go on in steps, of up to 10 ms.
    await sleep(20);
    // In the same file.
    writeFileSync(maildir.sidecar, list, { flag: "r+" });
    deepStrictEqual(idsOf(await processOf(maildir).refresh()), [edited, second, third]);
    deepStrictEqual(idsOf(await mailbox.refresh()), [edited, second, third]);
  },
);

maildirTest("a list that was only touched says nothing new", async (maildir) => {
  maildir.deliver("x\n");
  const mailbox = processOf(maildir);
  await mailbox.refresh();
  // Until what is known of the folders counts.
  await sleep(2_100);
  const snapshot = await mailbox.refresh();
  utimesSync(maildir.sidecar, new Date(), new Date());
  strictEqual(await mailbox.refresh(), snapshot);
});

maildirTest(
  "a stale lock that was put aside by who was then killed is gone when the next list is made",
  async (maildir) => {
    maildir.deliver("1\n");
    await processOf(maildir).refresh();
    const [old, young] = ["old", "young"].map((name) => `${maildir.sidecar}.lock.${name}`);
    for (const path of [old!, young!]) writeFileSync(path, "another-boot/1 1 1 aabb\n");
    const twoHoursAgo = Date.now() / 1_000 - 7_200;
    utimesSync(old!, twoHoursAgo, twoHoursAgo);
    writeFileSync(maildir.sidecar, `${readFileSync(maildir.sidecar, "latin1")}garbage\n`);
    maildir.deliver("2\n");
    strictEqual((await processOf(maildir).refresh()).count, 2);
    // What may be looked at by who has just put it aside is left to him.
    deepStrictEqual([old, young].map((path) => existsSync(path!)), [false, true]);
  },
);

maildirTest(
  "who takes over a lock removes what its holder could still put in the list's place",
  async (maildir) => {
    maildir.deliver("1\n");
    await processOf(maildir).refresh();
    const lock = `${maildir.sidecar}.lock`;
    const held = await takeDotLock(lock);
    const [kernel = ""] = readFileSync(lock, "latin1").split(" ");
    await held?.release();
    writeFileSync(lock, `${kernel} ${spawnSync("true").pid} 123 aabb\n`);
    writeFileSync(`${maildir.path}/tmp/popkeep-uidlist.1.aabb`, "an older list\n");
    maildir.deliver("2\n");
    strictEqual((await processOf(maildir).refresh()).count, 2);
    deepStrictEqual(maildir.names("tmp"), []);
  },
);

maildirTest("while a damaged list is mended, the mailbox is never without one", async (maildir) => {
  for (let i = 0; i < 3; i++) maildir.deliver(`${i}\n`);
  const before = idsOf(await processOf(maildir).refresh());
  writeFileSync(maildir.sidecar, `${readFileSync(maildir.sidecar, "latin1")}garbage\n`);
  maildir.deliver("x\n");
  // The damaged list cannot be put aside: that must not keep the new one from its place.
  mkdirSync(`${maildir.sidecar}.damaged/full`, { recursive: true });
  const after = idsOf(await processOf(maildir).refresh());
  deepStrictEqual(after.slice(0, 3), before);
  strictEqual(after.length, 4);
  ok(!readFileSync(maildir.sidecar, "latin1").includes("garbage"));
});

maildirTest(
  "ids that another process wrote are made durable before they are shown",
  async (maildir) => {
    maildir.deliver("x\n");
    const ids = idsOf(await processOf(maildir).refresh());
    const trace = `${maildir.path}/trace`;
    const script = fileURLToPath(new URL("../../support/open_mailbox.ts", import.meta.url));
    const run = "Deno" in globalThis ? ["run", "-A", "--no-check", script] : [script];
    const ended = spawnSync(
      "strace",
      ["-f", "-e", "trace=fdatasync", "-o", trace, process.execPath, ...run, maildir.path],
      { encoding: "utf8" },
    );
    strictEqual(ended.stdout.trim(), ids[0], ended.stderr);
    ok(/fdatasync\(/.test(readFileSync(trace, "utf8")));
  },
);

maildirTest(
  "a list that is rebuilt from memory still says which messages were removed",
  async (maildir) => {
    maildir.deliver("stays\n", "1.stays");
    maildir.deliver("old\n", "2.name");
    const mailbox = processOf(maildir);
    const first = await mailbox.refresh();
    await dropOf(mailbox, first).update([N(2)], []);
    maildir.deliver("new\n", "2.name");
    const given = idsOf(await mailbox.refresh());
    rmSync(maildir.sidecar);
    deepStrictEqual(idsOf(await mailbox.refresh()), given);
    deepStrictEqual(idsOf(await processOf(maildir).refresh()), given);
  },
);

maildirTest(
  "the id of a removed message is not its name's after the list was lost",
  async (maildir) => {
    maildir.deliver("stays\n", "1.stays");
    maildir.deliver("old\n", "2.name");
    const mailbox = processOf(maildir);
    const first = await mailbox.refresh();
    await dropOf(mailbox, first).update([N(2)], []);
    rmSync(maildir.sidecar);
    await mailbox.refresh();
    maildir.deliver("new\n", "2.name");
    for (const process of [mailbox, processOf(maildir)]) {
      const ids = idsOf(await process.refresh());
      strictEqual(ids.length, 2);
      ok(!ids.includes(idsOf(first)[1] ?? ""));
    }
  },
);

maildirTest(
  "a marked message whose id was lost meanwhile is left, and QUIT says so",
  async (maildir) => {
    maildir.deliver("x\n");
    const mailbox = processOf(maildir);
    await mailbox.refresh();
    const backup = readFileSync(maildir.sidecar);
    maildir.deliver("y\n");
    const snapshot = await mailbox.refresh();
    writeFileSync(maildir.sidecar, backup);
    ok(idsOf(await mailbox.refresh())[1] !== idsOf(snapshot)[1]);
    deepStrictEqual(await dropOf(mailbox, snapshot).update([N(2)], []), { removed: 0, left: 1 });
    strictEqual(maildir.names("new").length, 2);
  },
);

maildirTest(
  "messages of a folder that was put aside are left, and keep their ids",
  async (maildir) => {
    maildir.put("cur/1.cur:2,S", "x\n");
    maildir.put("new/2.new", "y\n");
    const mailbox = processOf(maildir);
    const snapshot = await mailbox.refresh();
    maildir.rename("new", "new.aside");
    await rejects(async () => await mailbox.refresh(), {
      name: "StorageFailure",
      kind: "SYS/TEMP",
    });
    deepStrictEqual(await dropOf(mailbox, snapshot).update([N(2)], []), { removed: 0, left: 1 });
    maildir.rename("new.aside", "new");
    deepStrictEqual(idsOf(await mailbox.refresh()), idsOf(snapshot));
  },
);

maildirTest(
  "QUIT is content when another server removed all and shortened the list",
  async (maildir) => {
    for (let i = 0; i < 80; i++) maildir.deliver(`${i}\n`);
    const [one, other] = [processOf(maildir), processOf(maildir)];
    const drop = dropOf(one, await one.refresh());
    const all = Array.from({ length: 80 }, (_, i) => N(i + 1));
    await dropOf(other, await other.refresh()).update(all, []);
    maildir.deliver("later\n");
    await other.refresh();
    ok(readFileSync(maildir.sidecar, "latin1").split("\n").length < 10);
    deepStrictEqual(await drop.update(all, []), { removed: 80, left: 0 });
    strictEqual(maildir.names("new").length, 1);
  },
);

maildirTest(
  "a file that is called by its info alone does not keep others from their ids",
  async (maildir) => {
    maildir.put("cur/:2,S", "x\n");
    maildir.deliver("y\n");
    const snapshot = await processOf(maildir).refresh();
    strictEqual(snapshot.count, 1);
    ok(!existsSync(`${maildir.sidecar}.damaged`));
    await processOf(maildir).refresh();
    ok(!existsSync(`${maildir.sidecar}.damaged`));
  },
);

maildirTest(
  "that a message was missing long ago does not let one missed listing drop it",
  async (maildir) => {
    maildir.deliver("x\n", "1.x");
    maildir.deliver("y\n", "2.y");
    const before = idsOf(await processOf(maildir).refresh());
    // Written when it was missing for a while; and something that makes the next writer rewrite the list.
    const list = readFileSync(maildir.sidecar, "latin1");
    writeFileSync(maildir.sidecar, `${list}? ${before[0]} 1000000000\ngarbage\n`);
    maildir.rename("new/1.x", "tmp/1.x");
    maildir.deliver("z\n", "3.z");
    await processOf(maildir).refresh();
    maildir.rename("tmp/1.x", "cur/1.x:2,S");
    deepStrictEqual(idsOf(await processOf(maildir).refresh()).slice(0, 2), before);
  },
);
