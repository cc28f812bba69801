/** One message into several Maildirs at once: each has an outcome of its own. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Copy, deliverToSeveral } from "../../../src/delivery/deliver_to_several.ts";
import { MessageTooLong } from "../../../src/delivery/message_delivery.ts";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import { StorageFailure } from "../../../src/maildrop/store.ts";

let folder: string;

before(() => {
  folder = mkdtempSync(`${tmpdir()}/popkeep-several-`);
});

after(() => rmSync(folder, { recursive: true, force: true }));

function copyFor(name: string, { mostOctets = 10_000, recipient = name } = {}): Copy {
  return {
    disk: new MailboxDisk(`${folder}/${name}`),
    root: folder,
    timeoutMs: 10_000,
    mostOctets,
    envelope: { sender: "", recipient },
  };
}

async function* message(...parts: readonly (string | Error)[]) {
  for (const part of parts) {
    await Promise.resolve();
    if (part instanceof Error) throw part;
    yield Buffer.from(part);
  }
}

function stored(name: string): string[] {
  assert.deepEqual(readdirSync(`${folder}/${name}/tmp`), []);
  const names = readdirSync(`${folder}/${name}/new`).sort();
  return names.map((file) => readFileSync(`${folder}/${name}/new/${file}`, "latin1"));
}

test("several copies can be the first of one Maildir", async () => {
  const recipients = ["one@new", "two@new", "three@new"];
  const outcomes = await deliverToSeveral(
    recipients.map((recipient) => copyFor("new", { recipient })),
    message("Subject: x\r\n", "\r\n", "y\r\n"),
  );
  assert.ok(outcomes.every((outcome) => "delivered" in outcome));
  const wanted = recipients.map((to) => `Return-Path: <>\nDelivered-To: ${to}\nSubject: x\n\ny\n`);
  assert.deepEqual(stored("new").sort(), wanted.sort());
});

test("what one fails of is its own outcome, and the others have the message", async () => {
  writeFileSync(`${folder}/file`, "no Maildir");
  const copies = [
    copyFor("a"),
    copyFor("file"),
    copyFor("short", { mostOctets: 60 }),
    copyFor("b"),
  ];
  const outcomes = await deliverToSeveral(copies, message("x".repeat(50), "y\r\n"));
  assert.deepEqual(outcomes.map((outcome) => "delivered" in outcome), [true, false, false, true]);
  const [, file, short] = outcomes as { readonly failure: unknown }[];
  assert.ok(file!.failure instanceof StorageFailure);
  assert.ok(short!.failure instanceof MessageTooLong);
  assert.deepEqual(stored("a"), [`Return-Path: <>\nDelivered-To: a\n\n${"x".repeat(50)}y\n`]);
  assert.deepEqual([stored("b").length, stored("short").length], [1, 0]);
});

/** Each write to it takes so long. */
class SlowDisk extends MailboxDisk {
  override async call<T>(doing: string, work: () => Promise<T>, late?: (value: T) => void) {
    if (doing === "write a file") await sleep(50);
    return await super.call(doing, work, late);
  }
}

test("a disk that is only slow does not hold up others for longer than a call may take", async () => {
  const slow = (name: string): Copy => ({
    ...copyFor(name, { mostOctets: 10_000_000 }),
    disk: new SlowDisk(`${folder}/${name}`),
    timeoutMs: 200,
  });
  const parts = Array.from({ length: 20 }, () => `${"x".repeat(131_071)}\n`);
  const fast = copyFor("fast", { mostOctets: 10_000_000 });
  const [left, other] = await deliverToSeveral([slow("slow"), fast], message(...parts));
  assert.ok("failure" in left! && left.failure instanceof StorageFailure);
  assert.equal(left.failure.kind, "SYS/TEMP");
  assert.ok("delivered" in other!);
  assert.deepEqual([stored("slow").length, stored("fast").length], [0, 1]);
  const [alone] = await deliverToSeveral([slow("slow")], message(...parts));
  assert.ok("delivered" in alone!, "whom nobody waits for may take his time");
  assert.equal(stored("slow").length, 1);
});

test("a message that does not come to its end is nowhere", async () => {
  const gone = new Error("the client is gone");
  const copies = [copyFor("c"), copyFor("d")];
  await assert.rejects(deliverToSeveral(copies, message("x".repeat(500_000), gone)), gone);
  assert.deepEqual([stored("c"), stored("d")], [[], []]);
});

test("an empty message is one, and all is read though nobody takes it", async () => {
  const [outcome] = await deliverToSeveral([copyFor("e")], message());
  assert.ok("delivered" in outcome!);
  assert.deepEqual(stored("e"), ["Return-Path: <>\nDelivered-To: e\n"]);
  const parts = message("x".repeat(100), "y", "z");
  await deliverToSeveral([copyFor("f", { mostOctets: 50 })], parts);
  assert.equal((await parts.next()).done, true);
  assert.deepEqual(stored("f"), []);
});
