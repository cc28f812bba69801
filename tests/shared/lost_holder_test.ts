/**
 * Who holds the lock of a mailbox is lost: one host has no power any more, on another one the filesystem hangs and
 * wakes up later. A third host gives the ids within the lock's limit, and what the one that wakes up still writes
 * changes none of them.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LOCK_STALE_MS, UNSIGNED_STALE_MS } from "../../src/maildir/dot_lock.ts";
import { noSharedFilesystem } from "../support/shared_filesystem.ts";
import { idsAt, type MailHost, TwoHosts } from "./two_hosts.ts";

/** How often each way to lose the holder is tried, all at once for each round. */
const ROUNDS = process.env["POPKEEP_SHARED"] === "all" ? 20 : 1;

/** So many that their ids take a while to be written. */
const MESSAGES = 600;

/** Mailboxes for one round: some logins are over before they are caught with the lock. */
const TRIES = 8;

/** How much longer than the lock's limit a login may take that waits for it, ms. */
const PATIENCE_MS = 20_000;

let hosts: TwoHosts;

before(async () => {
  if (noSharedFilesystem !== false) return;
  const users = Array.from({ length: 2 * ROUNDS * TRIES }, (_, at) => `user${at}`);
  hosts = await TwoHosts.start({
    users,
    settings: 'storage_timeout = "2s"',
    mounts: [{}, { clockAheadS: 30 }],
  });
});

after(async () => {
  if (noSharedFilesystem === false) await hosts.stop();
});

interface Caught {
  readonly user: string;
  /** What the lock says. */
  readonly lock: string;
}

let usersUsed = 0;

/** Has somebody log in at a host, and loses the host when the lock is there; tries until the lock stays. */
async function catchHolder(at: MailHost, lose: () => void | Promise<void>): Promise<Caught> {
  for (let tries = 0; tries < TRIES; tries++) {
    const user = `user${usersUsed++}`;
    hosts.fill(user, MESSAGES);
    const path = `${hosts.stored(user)}/popkeep-uidlist.lock`;
    let isOver = false;
    const login = idsAt(at, user).then(() => isOver = true, () => isOver = true);
    while (!existsSync(path) && !isOver) await sleep(1);
    if (isOver) continue;
    await lose();
    // What was on its way to the store arrives.
    await sleep(200);
    if (existsSync(path)) {
      void login;
      return { user, lock: readFileSync(path, "latin1") };
    }
    break;
  }
  throw new Error("no login was caught with the lock");
}

/** A login at the host that is left, and how long it took. */
async function recovered({ user, lock }: Caught): Promise<string[]> {
  const beganMs = performance.now();
  const ids = await idsAt(hosts.one, user);
  const tookMs = performance.now() - beganMs;
  const limitMs = lock === "" ? UNSIGNED_STALE_MS : LOCK_STALE_MS;
  assert.ok(tookMs < limitMs + PATIENCE_MS, `${user}: ${tookMs} ms`);
  assert.ok(tookMs > limitMs - 2_500, `${user}: the lock of a living host was not waited for`);
  assert.equal(ids.length, MESSAGES, user);
  assert.equal(new Set(ids).size, MESSAGES, user);
  assert.ok(!existsSync(`${hosts.stored(user)}/popkeep-uidlist.lock`), `${user}: the lock stays`);
  return ids;
}

test("the lock of a host without power, or whose filesystem hangs, is recovered", {
  skip: noSharedFilesystem,
}, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const hanging = hosts.other;
    const hung = await catchHolder(hanging, () => hanging.mount.signal("SIGSTOP"));
    const dying = await hosts.addMailHost();
    const dead = await catchHolder(dying, () => dying.host.switchOff());
    const [hungIds, deadIds] = await Promise.all([recovered(hung), recovered(dead)]);

    hanging.mount.signal("SIGCONT");
    // What hung comes to pass, and what clients of the filesystem remember is forgotten.
    await sleep(3_000);
    assert.deepEqual(await idsAt(hanging, hung.user), hungIds, "at the host that woke up");
    assert.deepEqual(await idsAt(hosts.one, hung.user), hungIds, "at the other host, once more");
    assert.deepEqual(await idsAt(hanging, dead.user), deadIds);
    hosts.maildir(hosts.one, hung.user).deliver("Subject: later\n\nlater\n");
    const later = await idsAt(hosts.one, hung.user);
    assert.deepEqual(later.slice(0, -1), hungIds);
    await sleep(2_200);
    assert.deepEqual(await idsAt(hanging, hung.user), later);
    hosts.forget(dying);
    if (ROUNDS > 1) {
      console.log(`round ${round + 1}: locks ${JSON.stringify([hung.lock, dead.lock])}`);
    }
  }
});
