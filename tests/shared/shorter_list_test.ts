/**
 * A host makes the list of unique-ids shorter while what it remembers of the list is older than what the other
 * host has added to it: clients of GlusterFS remember for a second, also what they open.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import process from "node:process";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { noSharedFilesystem } from "../support/shared_filesystem.ts";
import { idsAt, TwoHosts } from "./two_hosts.ts";

const MAILBOXES = process.env["POPKEEP_SHARED"] === "all" ? 12 : 1;

/** Enough removed ones that their lines are worth a new list. */
const MESSAGES = 160;
const REMOVED = 100;

let hosts: TwoHosts;

const users = Array.from({ length: MAILBOXES }, (_, at) => `user${at}`);
const others = Array.from({ length: MAILBOXES }, (_, at) => `other${at}`);

before(async () => {
  if (noSharedFilesystem === false) hosts = await TwoHosts.start({ users: [...users, ...others] });
});

after(async () => {
  if (noSharedFilesystem === false) await hosts.stop();
});

/** Leaves the mailbox with so many removed messages that the next one to write to its list makes it shorter. */
async function fillAndRemove(user: string): Promise<void> {
  hosts.fill(user, MESSAGES);
  await idsAt(hosts.other, user);
  const remover = await hosts.one.popkeep.login(user);
  for (let n = 1; n <= REMOVED; n++) await remover.ok(`DELE ${n}`);
  await remover.quit();
  await idsAt(hosts.one, user);
  await sleep(1_100);
}

/** Whether the list has been made shorter. */
function isShort(user: string): boolean {
  return readFileSync(`${hosts.stored(user)}/popkeep-uidlist`, "latin1").split("\n").length <
    MESSAGES;
}

test("a list made shorter keeps the ids that another host has just given", {
  skip: noSharedFilesystem,
}, async () => {
  let madeShorter = 0;
  for (const [at, user] of users.entries()) {
    await fillAndRemove(user);
    // This host looks at the list, the other adds to it, and this one writes it anew.
    await idsAt(hosts.one, user);
    await sleep(at * 50);
    hosts.maildir(hosts.other, user).deliver("Subject: new\n\nnew\n");
    const told = await idsAt(hosts.other, user);
    assert.equal(told.length, MESSAGES - REMOVED + 1);
    hosts.maildir(hosts.one, user).deliver("Subject: newer\n\nnewer\n");
    await idsAt(hosts.one, user);
    if (isShort(user)) madeShorter++;
    await sleep(1_500);
    for (const host of [hosts.other, hosts.one]) {
      const ids = await idsAt(host, user);
      assert.equal(ids.length, told.length + 1);
      const added = ids.slice(MESSAGES - REMOVED);
      assert.equal(added[0], told.at(-1), `${user} at ${host.host.address}: the id that was told`);
      assert.deepEqual(ids.slice(0, -1), told);
    }
  }
  assert.ok(madeShorter > 0, "no list was made shorter");
});

test("a host that has not seen that the list is another file gives its ids in that one", {
  skip: noSharedFilesystem,
}, async () => {
  let madeShorter = 0;
  for (const [at, user] of others.entries()) {
    await fillAndRemove(user);
    await idsAt(hosts.other, user);
    await sleep(at * 50);
    hosts.maildir(hosts.one, user).deliver("Subject: new\n\nnew\n");
    const told = await idsAt(hosts.one, user);
    if (isShort(user)) madeShorter++;
    hosts.maildir(hosts.other, user).deliver("Subject: newer\n\nnewer\n");
    const later = await idsAt(hosts.other, user);
    assert.deepEqual(later.slice(0, told.length), told, user);
    await sleep(2_200);
    const ids = await idsAt(hosts.one, user);
    assert.equal(ids.length, told.length + 1, user);
    assert.deepEqual(ids.slice(0, later.length), later, user);
    assert.deepEqual(await idsAt(hosts.other, user), ids, user);
  }
  assert.ok(madeShorter > 0, "no list was made shorter");
});
