/**
 * Disks that are full or read-only, on a small filesystem mounted for the test: messages that have no
 * unique-id yet are left out, the others can still be read and deleted, and nothing is lost.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { test } from "node:test";
import type { MessageNumber } from "../../src/maildrop/message_number.ts";
import { MaildirStore } from "../../src/maildir/maildir_store.ts";
import { TestMaildir } from "../support/test_maildir.ts";

const N = (number: number) => number as MessageNumber;

/** Small, but larger than what the tests deliver. */
const FILESYSTEM = "size=256k,mode=700";

const mayMount = process.getuid?.() === 0;

/** A test whose Maildir is on a filesystem of its own. Only root may mount one. */
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
  readonly path = mkdtempSync(`${tmpdir()}/popkeep-disk-`);

  constructor() {
    run("mount", "-t", "tmpfs", "-o", FILESYSTEM, "tmpfs", this.path);
  }

  /** Leaves not one octet free. */
  fill(): void {
    for (let octets = 65_536; octets >= 1; octets = octets >> 1) {
      try {
        for (let i = 0;; i++) {
          writeFileSync(`${this.path}/filler-${octets}-${i}`, " ".repeat(octets));
        }
      } catch (error) {
        assert.equal((error as { code?: string }).code, "ENOSPC");
      }
    }
  }

  free(): void {
    run("sh", "-c", `rm ${this.path}/filler-*`);
  }

  remount(how: "ro" | "rw"): void {
    run("mount", "-o", `remount,${how}`, this.path);
  }

  remove(): void {
    run("umount", this.path);
    rmSync(this.path, { recursive: true });
  }
}

function run(command: string, ...options: string[]): void {
  const ended = spawnSync(command, options, { encoding: "utf8" });
  assert.equal(ended.status, 0, `${command} ${options.join(" ")}: ${ended.stderr}`);
}

/** As a server that has just been started would open it. */
async function openAnew(maildir: TestMaildir) {
  const store = new MaildirStore({
    maildir: maildir.path,
    exactSizes: false,
    sortOrder: "ascending",
    markRetrievedAsSeen: true,
  });
  return await store.open({ user: "alice", extra: {} });
}

diskTest(
  "on a full disk what has an id is served and deleted, the rest waits",
  async (maildir, disk) => {
    maildir.deliver("one\n");
    maildir.deliver("two\n");
    const first = await openAnew(maildir);
    const ids = [1, 2].map((n) => first.snapshot.uniqueIdOf(N(n)));
    maildir.deliver("three\n");
    disk.fill();
    const full = await openAnew(maildir);
    assert.deepEqual([1, 2].map((n) => full.snapshot.uniqueIdOf(N(n))), ids);
    assert.equal(full.snapshot.count, 2);
    assert.deepEqual(await full.update([N(1)], [N(2)]), { removed: 1, left: 0 });
    disk.free();
    const freed = await openAnew(maildir);
    assert.equal(freed.snapshot.count, 2);
    assert.equal(freed.snapshot.uniqueIdOf(N(1)), ids[1]);
    assert.ok(Number(freed.snapshot.uniqueIdOf(N(2))) > Number(ids[1]));
  },
);

diskTest(
  "on a full disk a message that was renamed is found and deleted",
  async (maildir, disk) => {
    maildir.deliver("one\n");
    const [name = ""] = maildir.names("new");
    await openAnew(maildir);
    maildir.deliver("two\n");
    disk.fill();
    const full = await openAnew(maildir);
    maildir.rename(`new/${name}`, `cur/${name}:2,S`);
    await (await full.open(N(1))).close();
    maildir.rename(`cur/${name}:2,S`, `cur/${name}:2,FS`);
    assert.deepEqual(await full.update([N(1)], []), { removed: 1, left: 0 });
    assert.deepEqual(maildir.names("cur"), []);
  },
);

diskTest(
  "a mailbox first seen on a full disk is empty until there is room",
  async (maildir, disk) => {
    maildir.deliver("one\n");
    disk.fill();
    assert.equal((await openAnew(maildir)).snapshot.count, 0);
    disk.free();
    assert.equal((await openAnew(maildir)).snapshot.count, 1);
  },
);

diskTest(
  "on a read-only disk messages are read, and removing them says that they are left",
  async (maildir, disk) => {
    maildir.deliver("one\n");
    await openAnew(maildir);
    maildir.deliver("two\n");
    disk.remount("ro");
    const drop = await openAnew(maildir);
    assert.equal(drop.snapshot.count, 1);
    const message = await drop.open(N(1));
    assert.equal(message.storedOctets, 4);
    await message.close();
    assert.deepEqual(await drop.update([N(1)], []), { removed: 0, left: 1 });
    disk.remount("rw");
    assert.equal((await openAnew(maildir)).snapshot.count, 2);
  },
);
