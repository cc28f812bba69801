/**
 * Quotas on a full disk, a small filesystem mounted for the test, and where others died: nothing that cannot be
 * written keeps anybody from deleting mail or makes a message come twice, and what is told is right all the same.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { test } from "node:test";
import { MailboxQuota } from "../../src/delivery/mailbox_quota.ts";
import { MailboxDisk } from "../../src/maildir/mailbox_disk.ts";
import { countDelivered, maildirSizeNow } from "../../src/maildir/maildirsize.ts";
import { MaildirStore } from "../../src/maildir/maildir_store.ts";
import { usageNow } from "../../src/maildir/quota_count.ts";
import type { MessageNumber } from "../../src/maildrop/message_number.ts";
import { maildirTest, TestMaildir } from "../support/test_maildir.ts";

const FILESYSTEM = "size=256k,mode=700";

/** What a file grows by at a time there, octets. */
const PAGE_OCTETS = 4_096;

const LIMITS = { octets: 1_000_000, messages: 0 };

const mayMount = process.getuid?.() === 0;

function diskTest(name: string, work: (maildir: TestMaildir, disk: Disk) => Promise<void>): void {
  test(name, { skip: mayMount || process.env["CI"] ? false : "needs root to mount" }, async () => {
    const disk = new Disk();
    try {
      await work(new TestMaildir(`${disk.path}/Maildir`), disk);
    } finally {
      disk.remove();
    }
  });
}

class Disk {
  readonly path = mkdtempSync(`${tmpdir()}/popkeep-quota-disk-`);

  constructor() {
    const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", FILESYSTEM, "tmpfs", this.path]);
    assert.equal(status, 0);
  }

  /** Leaves not one page free. */
  fill(): void {
    assert.throws(() => {
      for (let file = 0;; file++) {
        writeFileSync(`${this.path}/filler-${file}`, " ".repeat(PAGE_OCTETS));
      }
    }, { code: "ENOSPC" });
  }

  remove(): void {
    spawnSync("umount", [this.path]);
    rmSync(this.path, { recursive: true });
  }
}

function placeOf({ path }: TestMaildir) {
  const root = path.replace(/\/[^/]*$/, "");
  const location = {
    inbox: path,
    folders: path,
    layout: "maildir++",
    utf8Names: false,
    root,
  } as const;
  return { location, ignored: [] };
}

/** A file that says so, in so many octets. */
function sizeFile(octets: number, sum: string): string {
  return `1000000S\n${" ".repeat(octets - "1000000S\n".length - sum.length - 1)}${sum}\n`;
}

diskTest("a line that cannot be added leaves the file as it was", async (maildir, disk) => {
  const text = sizeFile(PAGE_OCTETS, "5 1");
  writeFileSync(`${maildir.path}/maildirsize`, text);
  disk.fill();
  const mailbox = new MailboxDisk(maildir.path);
  await countDelivered(mailbox, 7);
  assert.equal(readFileSync(`${maildir.path}/maildirsize`, "latin1"), text);
});

diskTest("half a line has all mail counted again", async (maildir, disk) => {
  maildir.deliver("12345");
  writeFileSync(`${maildir.path}/maildirsize`, sizeFile(PAGE_OCTETS - 10, "5 1"));
  disk.fill();
  await countDelivered(new MailboxDisk(maildir.path), 7);
  const { used } = await maildirSizeNow(new MailboxDisk(maildir.path), { limits: LIMITS });
  assert.equal(used, undefined);
  // It can be counted, and not kept.
  assert.deepEqual(await usageNow(placeOf(maildir), { limits: LIMITS }), {
    octets: 5,
    messages: 1,
  });
  assert.deepEqual(maildir.names("tmp"), []);
});

diskTest("a session deletes on a full disk, and is told so", async (maildir, disk) => {
  // The list of unique-ids is made before the disk is full.
  const names = [1, 2].map((number) => maildir.deliver(`${number}\n`));
  const store = new MaildirStore({
    maildir: maildir.path,
    exactSizes: false,
    sortOrder: "ascending",
    markRetrievedAsSeen: false,
  });
  const drop = await store.open({ user: "alice", extra: {} });
  writeFileSync(`${maildir.path}/maildirsize`, sizeFile(PAGE_OCTETS, "4 2"));
  disk.fill();
  // What the deletion frees is taken by somebody else at once.
  const outcome = drop.update([1 as MessageNumber], []);
  disk.fill();
  assert.deepEqual(await outcome, { removed: 1, left: 0 });
  drop.close();
  assert.deepEqual(maildir.uniqueNames(), [names[1]]);
});

diskTest("mail that has come stays, though nobody can be warned", async (maildir, disk) => {
  maildir.deliver("x".repeat(90_000));
  const quota = warningQuota(maildir);
  disk.fill();
  await quota.check(5);
  await quota.delivered(5);
  await quota.look();
  assert.equal(maildir.names("new").length, 1);
  assert.deepEqual(maildir.names("tmp"), []);
});

maildirTest(
  "who died on another host while he warned is found out by the daily look",
  async (maildir) => {
    maildir.deliver("x".repeat(90_000));
    const quota = warningQuota(maildir);
    // Nobody can tell whether such a process lives, but by watching.
    writeFileSync(
      `${maildir.path}/popkeep-quota-warnings.lock`,
      "4711 elsewhere 0123456789abcdef\n",
    );
    await quota.check(5);
    await quota.delivered(5);
    assert.equal(maildir.names("new").length, 1, "a delivery waits no such time");
    await quota.look();
    assert.equal(maildir.names("new").length, 2);
    await quota.look();
    assert.equal(maildir.names("new").length, 2);
  },
);

/** Of 100,000 octets, with a mark at 80 %. */
function warningQuota(maildir: TestMaildir): MailboxQuota {
  const { location } = placeOf(maildir);
  return new MailboxQuota({
    quota: {
      limits: { octets: 100_000, messages: 0 },
      exceeded: "refuse",
      warningPercentages: [80],
      ignored: [],
      folders: [],
    },
    account: { user: "alice", extra: {} },
    location,
    path: maildir.path,
    template: { file: "", language: "en", serverName: "localhost" },
    timeoutMs: 30_000,
  });
}
