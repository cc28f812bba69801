import { ok, rejects, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { DiskPath } from "../../../src/maildir/disk.ts";
import type { DiskFile } from "../../../src/maildir/disk_file.ts";
import { takeDotLock } from "../../../src/maildir/dot_lock.ts";
import { MailboxDisk, type OpenOptions } from "../../../src/maildir/mailbox_disk.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-lock-`);
after(() => rmSync(folder, { recursive: true }));

test("a lock is held by one until it is released", async () => {
  const path = `${folder}/one`;
  const first = await takeDotLock(path);
  ok(first !== undefined && await first.isHeld());
  strictEqual(await takeDotLock(path, { waitMs: 0 }), undefined);
  await first.release();
  ok(!existsSync(path));
  const second = await takeDotLock(path, { waitMs: 0 });
  ok(second !== undefined);
  await second.release();
});

test("who waits gets the lock when it is released", async () => {
  const path = `${folder}/wait`;
  const first = await takeDotLock(path);
  const second = takeDotLock(path);
  await first?.release();
  const got = await second;
  ok(got !== undefined && await got.isHeld());
  await got.release();
});

test("fifty that want it at once never hold it at once", async () => {
  const path = `${folder}/many`;
  let inside = 0;
  let entered = 0;
  await Promise.all(Array.from({ length: 50 }, async () => {
    const lock = await takeDotLock(path);
    strictEqual(++inside, 1);
    entered++;
    await new Promise((done) => setTimeout(done, 1));
    inside--;
    await lock?.release();
  }));
  strictEqual(entered, 50);
});

test("the lock of a process of this machine that is gone is taken over at once", async () => {
  const path = `${folder}/dead`;
  const held = await takeDotLock(path);
  const [kernel = ""] = readFileSync(path, "latin1").split(" ");
  await held?.release();
  const gone = spawnSync("true").pid;
  writeFileSync(path, `${kernel} ${gone} 123 aabb\n`);
  const lock = await takeDotLock(path, { waitMs: 0 });
  ok(lock !== undefined);
  await lock.release();
});

test("a lock of this process's pid from before a restart is taken over", async () => {
  const path = `${folder}/reused`;
  const held = await takeDotLock(path);
  const [kernel, pid] = readFileSync(path, "latin1").split(" ");
  await held?.release();
  writeFileSync(path, `${kernel} ${pid} 1 aabb\n`);
  const lock = await takeDotLock(path, { waitMs: 0 });
  ok(lock !== undefined);
  await lock.release();
});

test("a lock of another host is taken over only when it has not changed for the stale limit", async () => {
  const path = `${folder}/foreign`;
  writeFileSync(path, "another-boot/1 1 1 aabb\n");
  strictEqual(await takeDotLock(path, { waitMs: 30, staleMs: 60_000 }), undefined);
  strictEqual(readFileSync(path, "latin1"), "another-boot/1 1 1 aabb\n");
  const lock = await takeDotLock(path, { staleMs: 40 });
  ok(lock !== undefined && await lock.isHeld());
  await lock.release();
});

test("a lock whose maker was killed before he signed it is taken over long before the stale limit", async () => {
  const path = `${folder}/unsigned`;
  writeFileSync(path, "");
  strictEqual(
    await takeDotLock(path, { waitMs: 30, staleMs: 60_000, unsignedMs: 30_000 }),
    undefined,
  );
  const lock = await takeDotLock(path, { waitMs: 30_000, staleMs: 60_000, unsignedMs: 40 });
  ok(lock !== undefined && await lock.isHeld());
  await lock.release();
});

test("an empty lock that gets a holder's name is not taken over", async () => {
  const path = `${folder}/signed-late`;
  writeFileSync(path, "");
  const waiting = takeDotLock(path, { waitMs: 1_500, staleMs: 60_000, unsignedMs: 1_000 });
  await sleep(300);
  writeFileSync(path, "another-boot/1 1 1 aabb\n");
  strictEqual(await waiting, undefined);
  strictEqual(readFileSync(path, "latin1"), "another-boot/1 1 1 aabb\n");
  rmSync(path);
});

/** A disk on which each write takes long to begin. */
class SlowDisk extends MailboxDisk {
  override async open(path: DiskPath, flags: number, options?: OpenOptions): Promise<DiskFile> {
    const file = await super.open(path, flags, options);
    const write = file.write.bind(file);
    file.write = async (octets) => {
      await sleep(600);
      await write(octets);
    };
    return file;
  }
}

test("a maker who was so slow to sign that his lock was taken over waits for the other", async () => {
  const path = `${folder}/slow`;
  const slow = takeDotLock(path, { disk: new SlowDisk(folder), unsignedMs: 100, staleMs: 60_000 });
  while (!existsSync(path)) await sleep(1);
  const quick = await takeDotLock(path, { unsignedMs: 100, staleMs: 60_000 });
  let quickHolds = true;
  const both = slow.then((lock) => {
    ok(!quickHolds, "two hold the lock");
    return lock;
  });
  await sleep(1_000);
  ok(await quick?.isHeld());
  quickHolds = false;
  await quick?.release();
  const lock = await both;
  ok(await lock?.isHeld());
  await lock?.release();
});

test("a holder whose lock was taken over knows it and does not release the other's", async () => {
  const path = `${folder}/stolen`;
  const first = await takeDotLock(path);
  rmSync(path);
  const second = await takeDotLock(path);
  ok(!await first?.isHeld());
  await first?.release();
  ok(await second?.isHeld());
  await second?.release();
});

test("where no file can be made the reason is thrown", async () => {
  await rejects(takeDotLock(`${folder}/no/such/folder`), { code: "ENOENT" });
});
