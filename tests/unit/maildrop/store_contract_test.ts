/**
 * What every store promises a session (src/maildrop/store.ts), held against each of them: Maildirs on
 * disk, and the store in memory that session tests are run with.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { MaildirStore } from "../../../src/maildir/maildir_store.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import { type Maildrop, type MaildropStore, MessageGone } from "../../../src/maildrop/store.ts";
import { MemoryStore } from "../../support/memory_store.ts";
import { TestMaildir } from "../../support/test_maildir.ts";

const N = (number: number) => number as MessageNumber;
const ALICE = { user: "alice", extra: {} };

/** A store with one mailbox, and what other programs do to it. */
interface Subject {
  readonly store: MaildropStore;
  deliver(content: string): void;
  /** Acts on the message that is at this place now, counted from 1. */
  unlink(place: number): void;
  rename(place: number): void;
  count(): number;
  end(): void;
}

function onDisk(): Subject {
  const maildir = new TestMaildir();
  const store = new MaildirStore({
    maildir: maildir.path,
    exactSizes: false,
    sortOrder: "ascending",
    markRetrievedAsSeen: true,
  });
  const name = (place: number) => maildir.uniqueNames()[place - 1] ?? "";
  return {
    store,
    deliver: (content) => void maildir.deliver(content),
    unlink: (place) => maildir.unlink(name(place)),
    rename: (place) => maildir.flag(name(place), "FS"),
    count: () => maildir.uniqueNames().length,
    end: () => maildir.delete(),
  };
}

function inMemory(): Subject {
  const store = new MemoryStore();
  return {
    store,
    deliver: (content) => void store.deliver("alice", content),
    unlink: (place) => store.unlink("alice", place),
    rename: (place) => store.rename("alice", place),
    count: () => store.mailbox("alice").length,
    end() {},
  };
}

function contract(name: string, work: (subject: Subject) => Promise<void>): void {
  for (const make of [onDisk, inMemory]) {
    test(`${name} (${make === onDisk ? "on disk" : "in memory"})`, async () => {
      const subject = make();
      try {
        await work(subject);
      } finally {
        subject.end();
      }
    });
  }
}

async function contentOf(drop: Maildrop, number: number): Promise<string> {
  const message = await drop.open(N(number));
  const chunks: Uint8Array[] = [];
  for (let chunk; (chunk = await message.read(new Uint8Array(65_536))) !== undefined;) {
    chunks.push(chunk);
  }
  assert.equal(await message.read(new Uint8Array(65_536)), undefined);
  await message.close();
  assert.equal(Buffer.concat(chunks).length, message.storedOctets);
  return Buffer.concat(chunks).toString("latin1");
}

contract("an empty mailbox is an empty snapshot", async ({ store }) => {
  const { snapshot } = await store.open(ALICE);
  assert.deepEqual([snapshot.count, snapshot.totalOctets], [0, 0]);
});

contract("sizes add up, ids are decimal and rise", async ({ store, deliver }) => {
  deliver("a\n");
  deliver("bcd\n");
  const { snapshot } = await store.open(ALICE);
  assert.equal(snapshot.count, 2);
  assert.equal(snapshot.octetsOf(N(1)) + snapshot.octetsOf(N(2)), snapshot.totalOctets);
  const ids = [1, 2].map((n) => snapshot.uniqueIdOf(N(n)));
  assert.ok(ids.every((id) => /^[0-9]+$/.test(id)) && Number(ids[0]) < Number(ids[1]));
});

contract("a snapshot does not change, whatever others do", async ({ store, ...others }) => {
  others.deliver("a\n");
  others.deliver("b\n");
  const drop = await store.open(ALICE);
  const ids = [1, 2].map((n) => drop.snapshot.uniqueIdOf(N(n)));
  others.unlink(1);
  others.deliver("c\n");
  const later = await store.open(ALICE);
  assert.deepEqual([1, 2].map((n) => drop.snapshot.uniqueIdOf(N(n))), ids);
  assert.equal(later.snapshot.uniqueIdOf(N(1)), ids[1]);
  assert.notEqual(later.snapshot.uniqueIdOf(N(2)), ids[0]);
  await assert.rejects(async () => await drop.open(N(1)), MessageGone);
  assert.equal(await contentOf(drop, 2), "b\n");
});

contract("a renamed message is found, read and removed", async ({ store, ...others }) => {
  others.deliver("a\n");
  others.deliver("b\n");
  const drop = await store.open(ALICE);
  others.rename(1);
  assert.equal(await contentOf(drop, 1), "a\n");
  assert.deepEqual(await drop.update([N(1)], []), { removed: 1, left: 0 });
  assert.equal(others.count(), 1);
});

contract(
  "a marked message that is gone already counts as removed",
  async ({ store, ...others }) => {
    others.deliver("a\n");
    const drop = await store.open(ALICE);
    others.unlink(1);
    assert.deepEqual(await drop.update([N(1)], []), { removed: 1, left: 0 });
  },
);

contract("two messages can be read side by side", async ({ store, deliver }) => {
  deliver("first\n");
  deliver("second\n");
  const drop = await store.open(ALICE);
  const [one, two] = await Promise.all([drop.open(N(1)), drop.open(N(2))]);
  const first = await one.read(new Uint8Array(65_536));
  const second = await two.read(new Uint8Array(65_536));
  assert.equal(Buffer.from(first ?? []).toString(), "first\n");
  assert.equal(Buffer.from(second ?? []).toString(), "second\n");
  await one.close();
  await two.close();
});

contract(
  "a message larger than a chunk comes in order, each chunk for keeps",
  async ({ store, deliver }) => {
    const content = Array.from({ length: 30_000 }, (_, i) => `line ${i}\n`).join("");
    deliver(content);
    assert.equal(await contentOf(await store.open(ALICE), 1), content);
  },
);

contract("close removes nothing", async ({ store, deliver, count }) => {
  deliver("a\n");
  const drop = await store.open(ALICE);
  drop.close();
  assert.equal(count(), 1);
});
