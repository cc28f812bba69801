import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { test } from "node:test";
import { deliveredName, hostPart } from "../../../src/maildir/delivered_name.ts";
import { sizeHints, uniqueNameOf } from "../../../src/maildir/file_name.ts";
import { IncomingMessage } from "../../../src/maildir/incoming_message.ts";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import { makeMaildir } from "../../../src/maildir/make_maildir.ts";
import { removeStaleFiles, STALE_MS } from "../../../src/maildir/stale_files.ts";
import { StorageFailure } from "../../../src/maildrop/store.ts";
import { CanonicalCounter } from "../../../src/message/canonical.ts";
import { TestMaildir } from "../../support/test_maildir.ts";

function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(`${tmpdir()}/popkeep-incoming-`);
  return work(folder).finally(() => rmSync(folder, { recursive: true, force: true }));
}

async function withMaildir(work: (maildir: TestMaildir, disk: MailboxDisk) => Promise<void>) {
  const maildir = new TestMaildir();
  try {
    await work(maildir, new MailboxDisk(maildir.path));
  } finally {
    maildir.delete();
  }
}

const namesIn = (path: string) => readdirSync(path).sort();

test("a message is in new/ whole, with both sizes in its name, and nowhere before", () =>
  withMaildir(async ({ path }, disk) => {
    const text = "Subject: é\r\n\r\n.\r\nbody\r\nwithout an end";
    const incoming = await IncomingMessage.begin(disk);
    for (const octet of Buffer.from(text)) await incoming.write(Buffer.from([octet]));
    assert.deepEqual(namesIn(`${path}/new`), []);
    assert.equal(namesIn(`${path}/tmp`).length, 1);
    const { fileName, storedOctets, exactOctets } = await incoming.deliver();

    assert.deepEqual(namesIn(`${path}/tmp`), []);
    assert.deepEqual(namesIn(`${path}/new`), [fileName]);
    const file = readFileSync(`${path}/new/${fileName}`);
    assert.equal(file.toString(), `${text.replaceAll("\r\n", "\n")}\n`);
    assert.equal(statSync(`${path}/new/${fileName}`).mode & 0o777, 0o600);
    assert.equal(storedOctets, file.length);
    const counter = new CanonicalCounter();
    counter.push(file);
    assert.equal(exactOctets, counter.end());
    assert.deepEqual(sizeHints(uniqueNameOf(fileName)), { storedOctets, exactOctets });
  }));

test("a message of nothing is one, too", () =>
  withMaildir(async ({ path }, disk) => {
    const { fileName } = await (await IncomingMessage.begin(disk)).deliver();
    assert.match(fileName, /,S=0,W=0$/);
    assert.equal(statSync(`${path}/new/${fileName}`).size, 0);
  }));

test("what is given up leaves nothing", () =>
  withMaildir(async ({ path }, disk) => {
    const incoming = await IncomingMessage.begin(disk);
    await incoming.write(Buffer.alloc(300_000, "a"));
    await incoming.giveUp();
    assert.deepEqual([...namesIn(`${path}/tmp`), ...namesIn(`${path}/new`)], []);
  }));

test("a folder that cannot be written to is a failure, and says which", () =>
  withMaildir(async ({ path }, disk) => {
    rmSync(`${path}/tmp`, { recursive: true });
    await assert.rejects(IncomingMessage.begin(disk), StorageFailure);
    mkdirSync(`${path}/tmp`);
    const incoming = await IncomingMessage.begin(disk);
    rmSync(`${path}/new`, { recursive: true });
    await assert.rejects(incoming.deliver(), /could not deliver a message: .*new/);
    await incoming.giveUp();
    assert.deepEqual(namesIn(`${path}/tmp`), []);
  }));

test("names of one process are all different and in order, whatever the clock says", () => {
  const names = Array.from({ length: 1_000 }, (_, at) => deliveredName(1_700_000_000_000 - at));
  const key = (name: string) => Number(name.replace(/\.M(\d+)P.*/, "$1"));
  assert.equal(new Set(names).size, names.length);
  for (const [at, name] of names.entries()) {
    assert.match(name, /^\d+\.M\d{6}P\d+Q\d+R[0-9a-f]{12}\.[^,:/]+$/);
    if (at > 0) assert.ok(key(name) > key(names[at - 1]!), name);
  }
});

test("a host's name has nothing in it that means something in a file's name", () => {
  assert.equal(hostPart("mail.example.com"), "mail.example.com");
  assert.equal(hostPart("a/b:c,d"), "a\\057b\\072c\\054d");
  assert.equal(hostPart(""), "localhost");
  assert.ok(hostPart("h".repeat(300)).length <= 64);
});

test("a Maildir is made with what leads to it, for its owner alone", () =>
  withFolder(async (folder) => {
    const path = `${folder}/example.com/alice/Maildir`;
    for (const _ of ["made", "there already"]) {
      await makeMaildir(new MailboxDisk(path), { root: folder });
    }
    assert.deepEqual(namesIn(path), ["cur", "new", "tmp"]);
    assert.deepEqual(namesIn(`${folder}/example.com/alice`), ["Maildir"]);
    for (const at of [path, `${path}/new`, `${folder}/example.com`]) {
      assert.equal(statSync(at).mode & 0o777, 0o700, at);
    }
  }));

test("what is missing of a Maildir is made", () =>
  withMaildir(async ({ path }, disk) => {
    rmSync(`${path}/tmp`, { recursive: true });
    await makeMaildir(disk, { root: "/nowhere" });
    assert.deepEqual(namesIn(path), ["cur", "new", "tmp"]);
  }));

test("what one who was killed left half made is made whole by the next", () =>
  withFolder(async (folder) => {
    const disk = new MailboxDisk(`${folder}/alice`);
    await makeMaildir(disk, { root: folder });
    // What a kill leaves: the same folder before it had all that it has, and its name.
    for (const parts of [[], ["cur"], ["cur", "tmp"], ["cur", "new", "tmp"]]) {
      const [left] = await leftHalfMade(folder, parts);
      await makeMaildir(disk, { root: folder });
      assert.deepEqual(namesIn(folder), ["alice"], left);
      assert.deepEqual(namesIn(disk.path), ["cur", "new", "tmp"]);
    }
  }));

/** Has the Maildir "alice" in `folder` be what it was when only these parts were made; its name then. */
function leftHalfMade(folder: string, parts: readonly string[]): [string] {
  rmSync(`${folder}/alice`, { recursive: true });
  const hash = createHash("sha256").update("alice").digest("hex").slice(0, 16);
  const left = `${folder}/.popkeep-${hash}`;
  for (const part of ["", ...parts]) mkdirSync(`${left}/${part}`);
  return [left];
}

test("a Maildir that is there before ours is ready stays as it is", () =>
  withFolder(async (folder) => {
    const disk = new MailboxDisk(`${folder}/alice`);
    const rename = disk.rename.bind(disk);
    disk.rename = (from, to) => {
      const { path } = new TestMaildir(`${folder}/alice`);
      writeFileSync(`${path}/new/first`, "a message");
      return rename(from, to);
    };
    await makeMaildir(disk, { root: folder });
    assert.deepEqual(namesIn(folder), ["alice"]);
    assert.deepEqual(namesIn(`${disk.path}/new`), ["first"]);
  }));

test("many who make one Maildir at once all find it whole", () =>
  withFolder(async (folder) => {
    for (let round = 0; round < 20; round++) {
      const path = `${folder}/${round}/alice`;
      await Promise.all(Array.from({ length: 8 }, async () => {
        await makeMaildir(new MailboxDisk(path), { root: folder });
        assert.deepEqual(namesIn(path), ["cur", "new", "tmp"]);
      }));
      assert.deepEqual(namesIn(`${folder}/${round}`), ["alice"]);
    }
  }));

test("an empty folder that its administrator made is filled, and not replaced", () =>
  withFolder(async (folder) => {
    mkdirSync(`${folder}/alice`);
    chmodSync(`${folder}/alice`, 0o750);
    const { ino } = statSync(`${folder}/alice`);
    await makeMaildir(new MailboxDisk(`${folder}/alice`), { root: folder });
    assert.equal(statSync(`${folder}/alice`).ino, ino);
    assert.equal(statSync(`${folder}/alice`).mode & 0o777, 0o750);
    assert.deepEqual(namesIn(`${folder}/alice`), ["cur", "new", "tmp"]);
  }));

test("what root makes in a home belongs to whom the home belongs", {
  skip: process.getuid?.() === 0 ? false : "takes root, to make files of other users",
}, () =>
  withFolder(async (folder) => {
    mkdirSync(`${folder}/alice`);
    chownSync(`${folder}/alice`, 54_321, 54_322);
    const disk = new MailboxDisk(`${folder}/alice/mail/Maildir`);
    await makeMaildir(disk, { root: `${folder}/alice` });
    const { fileName } = await (await IncomingMessage.begin(disk)).deliver();
    for (const path of ["mail", "mail/Maildir", ...["cur", "tmp", "new"].map(inMaildir)]) {
      const { uid, gid, mode } = statSync(`${folder}/alice/${path}`);
      assert.deepEqual([uid, gid, mode & 0o777], [54_321, 54_322, 0o700], path);
    }
    const { uid, gid } = statSync(`${disk.path}/new/${fileName}`);
    assert.deepEqual([uid, gid], [54_321, 54_322]);
  }));

const inMaildir = (part: string) => `mail/Maildir/${part}`;

test("the folder of all mail is never made: its disk may be missing", () =>
  withFolder(async (folder) => {
    const root = `${folder}/mail`;
    const made = makeMaildir(new MailboxDisk(`${root}/alice`), { root });
    await assert.rejects(made, (error) => {
      assert.ok(error instanceof StorageFailure);
      assert.equal(error.kind, "SYS/TEMP");
      assert.match(error.message, /mail" is not there/);
      return true;
    });
    assert.ok(!existsSync(`${folder}/mail`));
  }));

test("no message goes through a link that its owner planted", {
  skip: process.getuid?.() === 0 ? false : "takes root, to make files of other users",
}, () =>
  withFolder(async (folder) => {
    const victim = new TestMaildir(`${folder}/victim`);
    const eve = new TestMaildir(`${folder}/eve`);
    rmSync(`${eve.path}/new`, { recursive: true });
    symlinkSync(`${victim.path}/new`, `${eve.path}/new`);
    const { lchownSync } = await import("node:fs");
    lchownSync(`${eve.path}/new`, 54_321, 54_321);
    await assert.rejects(IncomingMessage.begin(new MailboxDisk(eve.path)), StorageFailure);
    assert.deepEqual(namesIn(`${victim.path}/new`), []);
  }));

test("what is left in tmp/ goes after 36 hours, and not before", () =>
  withMaildir(async ({ path }, disk) => {
    const at = (name: string, agoMs: number) => {
      writeFileSync(`${path}/tmp/${name}`, "part");
      const then = new Date(Date.now() - agoMs);
      utimesSync(`${path}/tmp/${name}`, then, then);
    };
    at("old", STALE_MS + 60_000);
    at("young", STALE_MS - 60_000);
    mkdirSync(`${path}/tmp/folder`);
    chmodSync(`${path}/tmp/folder`, 0o700);
    // The change of its inode is of now, so that nothing is stale yet.
    assert.equal(await removeStaleFiles(disk), 0);
    assert.equal(await removeStaleFiles(disk, Date.now() + STALE_MS - 120_000), 0);
    assert.equal(await removeStaleFiles(disk, Date.now() + STALE_MS + 1_000), 2);
    assert.deepEqual(namesIn(`${path}/tmp`), ["folder"]);
  }));

test("what is stale goes however much there is that is not", () =>
  withMaildir(async ({ path }, disk) => {
    for (let at = 0; at < 1_200; at++) mkdirSync(`${path}/tmp/${at}`);
    // The order of a folder's names is the filesystem's own: those that come last in it are stale.
    const last = readdirSync(`${path}/tmp`).slice(-100);
    for (const name of last) {
      rmSync(`${path}/tmp/${name}`, { recursive: true });
      writeFileSync(`${path}/tmp/${name}`, "part");
    }
    for (let rounds = 0; rounds < 60; rounds++) {
      await removeStaleFiles(disk, Date.now() + STALE_MS + 1_000);
    }
    assert.equal(namesIn(`${path}/tmp`).length, 1_100);
  }));
