import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import {
  openMessageAtOnce,
  openMessageFile,
  WarmMessage,
} from "../../../src/maildir/message_file.ts";
import type { StoredMessage } from "../../../src/maildrop/store.ts";
import { openWarm } from "../../../src/platform/warm_files.ts";
import { known, noWarmFiles } from "../../support/warm.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-message-file-`);
after(() => rmSync(folder, { recursive: true }));
const disk = new MailboxDisk(folder);

const CONTENT = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join("");
const CHUNK_OCTETS = 16_384;

function openedAtOnce(path: string): Promise<StoredMessage> {
  return known(() => openMessageAtOnce(disk, path));
}

const openedWaiting = (path: string) => openMessageFile(disk, path);

async function rest(message: StoredMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    let chunk = message.read(new Uint8Array(CHUNK_OCTETS));
    if (chunk instanceof Promise) chunk = await chunk;
    if (chunk === undefined) return Buffer.concat(chunks).toString("latin1");
    chunks.push(chunk);
  }
}

test(
  "a message that is at hand is read at once, into the reader's memory",
  { skip: noWarmFiles },
  async () => {
    const path = `${folder}/warm`;
    writeFileSync(path, CONTENT);
    const message = await openedAtOnce(path);
    assert.equal(message.storedOctets, CONTENT.length);
    const scratch = new Uint8Array(CHUNK_OCTETS);
    const chunk = message.read(scratch);
    assert.ok(chunk instanceof Uint8Array && chunk.buffer === scratch.buffer);
    assert.equal(Buffer.from(chunk).toString("latin1"), CONTENT.slice(0, CHUNK_OCTETS));
    assert.equal(await rest(message), CONTENT.slice(CHUNK_OCTETS));
    assert.equal(message.read(scratch), undefined);
    await message.close();
  },
);

test("what is not at hand half-way is waited for, from the place that was reached", {
  skip: noWarmFiles,
}, async () => {
  const path = `${folder}/cold`;
  writeFileSync(path, CONTENT);
  const message = await coolingMessage(path);
  assert.ok(message.read(new Uint8Array(CHUNK_OCTETS)) instanceof Uint8Array);
  // By then the message is where somebody else has moved it to.
  renameSync(path, `${folder}/renamed`);
  assert.ok(message.read(new Uint8Array(0)) instanceof Promise);
  await message.close();

  const again = await coolingMessage(`${folder}/renamed`);
  again.read(new Uint8Array(CHUNK_OCTETS));
  assert.equal(await rest(again), CONTENT.slice(CHUNK_OCTETS));
  await again.close();
});

test("where the system has no names for open files, the same file is waited for, or none", {
  skip: noWarmFiles,
}, async () => {
  const path = `${folder}/no-proc`;
  writeFileSync(path, CONTENT);
  const message = await coolingMessage(path, "/proc/none");
  message.read(new Uint8Array(CHUNK_OCTETS));
  assert.equal(await rest(message), CONTENT.slice(CHUNK_OCTETS));
  await message.close();

  const replaced = await coolingMessage(path, "/proc/none");
  replaced.read(new Uint8Array(CHUNK_OCTETS));
  writeFileSync(`${folder}/another`, CONTENT);
  renameSync(`${folder}/another`, path);
  await assert.rejects(rest(replaced), { name: "StorageFailure", message: /was replaced/ });
  await replaced.close();
});

/** A message of which the system has only the first octets at hand. */
async function coolingMessage(path: string, systemName?: string): Promise<StoredMessage> {
  const file = await known(() => openWarm(path));
  let reads = 0;
  return new WarmMessage(disk, path, {
    facts: file.facts,
    path: systemName ?? file.path,
    read: (target, position) => reads++ === 0 ? file.read(target, position) : undefined,
    close: () => file.close(),
  });
}

test(
  "a message that became shorter is a failure, and no short message",
  { skip: noWarmFiles },
  async () => {
    for (const open of [openedAtOnce, openedWaiting]) {
      const path = `${folder}/short`;
      writeFileSync(path, CONTENT);
      const message = (await open(path))!;
      truncateSync(path, 100);
      await assert.rejects(rest(message), { name: "StorageFailure", kind: "SYS/TEMP" });
      await message.close();
    }
  },
);

test(
  "what is appended to a message after it was opened is not sent",
  { skip: noWarmFiles },
  async () => {
    for (const open of [openedAtOnce, openedWaiting]) {
      const path = `${folder}/longer`;
      writeFileSync(path, CONTENT);
      const message = (await open(path))!;
      appendFileSync(path, "more\n");
      assert.equal(await rest(message), CONTENT);
      await message.close();
    }
  },
);
