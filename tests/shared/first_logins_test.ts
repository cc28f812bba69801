/**
 * The first logins of one mailbox on two hosts at once, one of whose clocks is 30 s ahead: both show the same
 * unique-ids, whoever gave them.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import process from "node:process";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { noSharedFilesystem } from "../support/shared_filesystem.ts";
import { idsAt, TwoHosts } from "./two_hosts.ts";

const ALL = process.env["POPKEEP_SHARED"] === "all";

/** Of the first mailbox, and of the others. */
const MESSAGES = ALL ? 5_000 : 1_500;
const FEWER_MESSAGES = 500;

/** Mailboxes whose second login comes so long after the first, ms: at once, and while ids are written. */
const LATER_MS = ALL ? Array.from({ length: 60 }, (_, at) => at * 25) : [0, 120];

let hosts: TwoHosts;

before(async () => {
  if (noSharedFilesystem !== false) return;
  const users = LATER_MS.map((_, at) => `user${at}`);
  hosts = await TwoHosts.start({ users, mounts: [{ clockAheadS: 30 }, {}] });
});

after(async () => {
  if (noSharedFilesystem === false) await hosts.stop();
});

test("first logins at two hosts show the same ids", { skip: noSharedFilesystem }, async () => {
  for (const [at, laterMs] of LATER_MS.entries()) {
    const user = `user${at}`;
    const messages = at === 0 ? MESSAGES : FEWER_MESSAGES;
    hosts.fill(user, messages);
    const [first, second] = at % 2 === 0 ? [hosts.one, hosts.other] : [hosts.other, hosts.one];
    const what = `${user}, ${laterMs} ms later`;
    const [ids, otherIds] = await Promise.all([
      idsAt(first, user),
      sleep(laterMs).then(() => idsAt(second, user)),
    ]);
    assert.equal(ids.length, messages, what);
    assert.deepEqual(otherIds, ids, what);
    assert.equal(new Set(ids).size, messages, what);
    // Each was given once, also in the file.
    const lines = readFileSync(`${hosts.stored(user)}/popkeep-uidlist`, "latin1").split("\n");
    assert.equal(lines.filter((line) => line.startsWith("+ ")).length, messages, what);
    assert.deepEqual(await idsAt(first, user), ids, what);
  }
});
