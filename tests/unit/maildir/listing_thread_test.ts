import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { EventEmitter } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { listFolder } from "../../../src/maildir/folder.ts";
import { KnownInfos, RecordNames } from "../../../src/maildir/listed_names.ts";
import { listMessages } from "../../../src/maildir/list_messages.ts";
import { ListingThread } from "../../../src/maildir/listing_thread.ts";
import type { ListingRequest } from "../../../src/maildir/listing_worker.ts";
import { Mailbox } from "../../../src/maildir/mailbox.ts";
import { MailboxDisk } from "../../../src/maildir/mailbox_disk.ts";
import { staged } from "../../../src/maildir/name_blocks.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import { fillFolder, noListingThread } from "../../support/large_folder.ts";
import { maildirTest } from "../../support/test_maildir.ts";

const skip = noListingThread;

const folder = mkdtempSync(`${tmpdir()}/popkeep-listing-`);
after(() => rmSync(folder, { recursive: true }));
/** More than the pieces that are read ahead. */
const LONG = 600_000;
const long = "n".repeat(150);
const names = skip === false ? fillFolder(folder, LONG, (number) => `${number}.${long}:2,S`) : [];

/** Names by a thread; undefined if it did not list them to the end. */
async function namesBy(thread: ListingThread, path = folder): Promise<string[] | undefined> {
  const found: string[] = [];
  const infos = new KnownInfos();
  const isWhole = await thread.list(path, async (piece) => {
    const names = new RecordNames(piece, infos, LONG);
    while (names.stageNext()) found.push(staged.text + names.info);
    await sleep(1);
  });
  return isWhole ? found.sort() : undefined;
}

/** A thread for one test. */
function threadTest(
  name: string,
  work: (thread: ListingThread) => Promise<void>,
  options: ConstructorParameters<typeof ListingThread>[0] = {},
): void {
  test(name, { skip }, async () => {
    const thread = new ListingThread(options);
    try {
      await work(thread);
    } finally {
      await thread.close();
    }
  });
}

threadTest("a large folder is listed as node:fs does", async (thread) => {
  const found = await namesBy(thread);
  deepStrictEqual(found, [...names].sort());
  deepStrictEqual(found, readdirSync(folder).sort());
});

threadTest("listings that come at once are made one after the other", async (thread) => {
  const all = await Promise.all([namesBy(thread), namesBy(thread), namesBy(thread)]);
  for (const found of all) deepStrictEqual(found, [...names].sort());
});

threadTest("a folder that is not there is not listed, and the next one is", async (thread) => {
  strictEqual(await namesBy(thread, `${folder}/none`), undefined);
  strictEqual((await namesBy(thread))?.length, names.length);
});

threadTest("what the taker throws ends the listing, and the next one is whole", async (thread) => {
  await rejects(thread.list(folder, () => Promise.reject(new Error("enough"))), /enough/);
  strictEqual((await namesBy(thread))?.length, names.length);
});

threadTest("who waits too long for a turn is told to go another way", async (thread) => {
  let begin = () => {};
  const held = new Promise<void>((resolve) => begin = resolve);
  const first = thread.list(folder, () => held);
  strictEqual(await namesBy(thread), undefined);
  begin();
  strictEqual(await first, true);
  strictEqual((await namesBy(thread))?.length, names.length);
}, { turnLimitMs: 20 });

threadTest("a thread that is idle is ended, and another one started", async (thread) => {
  strictEqual((await namesBy(thread))?.length, names.length);
  ok(thread.isRunning);
  for (let tries = 0; thread.isRunning && tries < 1_000; tries++) await sleep(10);
  ok(!thread.isRunning);
  strictEqual((await namesBy(thread))?.length, names.length);
}, { idleLimitMs: 50 });

/** A thread that answers nothing, and dies at the first question where it is told to. */
class DeadWorker extends EventEmitter {
  ref(): void {}
  unref(): void {}
  postMessage(): void {
    setImmediate(() => this.emit("exit", 1));
  }
  terminate(): Promise<number> {
    return Promise.resolve(0);
  }
}

test("a thread that dies costs its listing only", { skip }, async () => {
  const healthy = new ListingThread();
  let started = 0;
  const thread = new ListingThread({
    startWorker: () => {
      started++;
      return new DeadWorker() as unknown as Worker;
    },
  });
  strictEqual(await namesBy(thread), undefined);
  ok(!thread.isRunning);
  strictEqual(await namesBy(thread), undefined);
  strictEqual(started, 2);
  strictEqual((await namesBy(healthy))?.length, names.length);
  await healthy.close();
});

/** A thread whose disk hangs until it is told to answer: the end of each listing. */
class HangingWorker extends EventEmitter {
  readonly #asked: ListingRequest[] = [];
  #answers = false;

  ref(): void {}
  unref(): void {}

  postMessage(request: ListingRequest): void {
    if (request.memory !== undefined) this.#asked.push(request);
    if (this.#answers) this.answer();
  }

  answer(): void {
    this.#answers = true;
    for (const { memory } of this.#asked.splice(0)) this.emit("message", { memory, octets: 0 });
  }

  terminate(): Promise<number> {
    return Promise.resolve(0);
  }
}

test("a thread whose disk hangs is waited for as long as one likes, and lists again later", {
  skip,
}, async () => {
  const worker = new HangingWorker();
  const thread = new ListingThread({
    startWorker: () => worker as unknown as Worker,
    turnLimitMs: 20,
  });
  const impatient = <T>(_: Promise<T>) => Promise.reject<T>(new Error("too long"));
  await rejects(thread.list(folder, () => {}, impatient), /too long/);
  // It is still at the listing that nobody waits for.
  strictEqual(await thread.list(folder, () => {}, impatient), false);
  worker.answer();
  await sleep(0);
  strictEqual(await thread.list(folder, () => {}), true);
  await thread.close();
});

test("where no thread can be started nothing is listed", { skip }, async () => {
  const thread = new ListingThread({
    startWorker: () => {
      throw new Error("no more threads");
    },
  });
  strictEqual(await namesBy(thread), undefined);
});

test("a thread that is ended in the middle of a listing ends it", { skip }, async () => {
  const thread = new ListingThread();
  let pieces = 0;
  const isWhole = await thread.list(folder, async () => {
    if (++pieces === 1) await thread.close();
  });
  strictEqual(isWhole, false);
  strictEqual((await namesBy(thread))?.length, names.length);
  await thread.close();
});

maildirTest("a large mailbox is listed by the thread, a small one is not", async (maildir) => {
  if (skip !== false) return;
  const disk = new MailboxDisk(maildir.path);
  const { listingThread } = disk;
  await listingThread.close();
  maildir.deliver("small\n");
  await listMessages(maildir.path);
  strictEqual(listingThread.isRunning, false);
  const nameOf = (number: number) => `${1_700_000_000 + number}.M${number}.${long},S=2:2,S`;
  const names = fillFolder(`${maildir.path}/cur`, 1_100_000, nameOf);
  const listed: string[] = [];
  let parts = 0;
  await listFolder(disk, "cur", (part) => {
    for (parts++; part.stageNext();) listed.push(staged.text + part.info);
  });
  ok(parts > 1, "it came in one part");
  deepStrictEqual([...new Set(listed)].sort(), [...names].sort());
  strictEqual(listingThread.isRunning, true);
  const mailbox = new Mailbox(maildir.path, { exactSizes: false });
  const snapshot = await mailbox.refresh();
  strictEqual(snapshot.count, names.length + 1);
  strictEqual(snapshot.totalOctets, 2 * names.length + "small\n".length);
  // What was written is what another process reads.
  const other = await new Mailbox(maildir.path, { exactSizes: false }).refresh();
  for (let number = 1 as MessageNumber; number <= snapshot.count; number++) {
    strictEqual(other.uniqueIdOf(number), snapshot.uniqueIdOf(number));
    strictEqual(other.octetsOf(number), snapshot.octetsOf(number));
    strictEqual(other.entryOf(number).uniqueName, snapshot.entryOf(number).uniqueName);
  }
  await listingThread.close();
});
