import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  chmodSync,
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
    for (const _ of ["made", "there already"]) await makeMaildir(new MailboxDisk(path), folder);
    assert.deepEqual(namesIn(path), ["cur", "new", "tmp"]);
    for (const at of [path, `${path}/new`, `${folder}/example.com`]) {
      assert.equal(statSync(at).mode & 0o777, 0o700, at);
    }
  }));

test("what is missing of a Maildir is made", () =>
  withMaildir(async ({ path }, disk) => {
    rmSync(`${path}/tmp`, { recursive: true });
    await makeMaildir(disk, "/nowhere");
    assert.deepEqual(namesIn(path), ["cur", "new", "tmp"]);
  }));

test("the folder of all mail is never made: its disk may be missing", () =>
  withFolder(async (folder) => {
    const made = makeMaildir(new MailboxDisk(`${folder}/mail/alice`), `${folder}/mail`);
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
