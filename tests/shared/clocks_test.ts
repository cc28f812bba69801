/**
 * Hosts whose clocks are 30 s apart: what a host with a slow clock delivers or renames is seen on one with a fast
 * clock, though the folder's time does not change by it, since times of folders do not go back.
 */

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { noSharedFilesystem } from "../support/shared_filesystem.ts";
import { idsAt, TwoHosts } from "./two_hosts.ts";

let hosts: TwoHosts;

before(async () => {
  if (noSharedFilesystem !== false) return;
  hosts = await TwoHosts.start({ users: ["alice"], mounts: [{ clockAheadS: 30 }, {}] });
});

after(async () => {
  if (noSharedFilesystem === false) await hosts.stop();
});

test("a delivery that leaves the folder's time as it was is shown at the next login", {
  skip: noSharedFilesystem,
}, async () => {
  const fast = hosts.maildir(hosts.one, "alice");
  const slow = hosts.maildir(hosts.other, "alice");
  fast.deliver("Subject: 1\n\n1\n");
  // By the fast host's clock the folder has not changed for a while.
  await sleep(3_000);
  const before = statSync(`${fast.path}/new`).mtimeMs;
  assert.equal((await idsAt(hosts.one, "alice")).length, 1);
  slow.deliver("Subject: 2\n\n2\n");
  // What the clients of the filesystem remember for a second.
  await sleep(2_100);
  assert.equal(
    statSync(`${fast.path}/new`).mtimeMs,
    before,
    "the times are not what they are said to be",
  );
  const ids = await idsAt(hosts.one, "alice");
  assert.equal(ids.length, 2, "the delivery by the host whose clock is behind");
  assert.deepEqual(await idsAt(hosts.other, "alice"), ids);

  slow.flag(slow.uniqueNames()[0]!, "S");
  slow.unlink(slow.uniqueNames()[1]!);
  await sleep(2_100);
  for (const host of [hosts.one, hosts.other]) {
    const client = await host.popkeep.login("alice");
    assert.equal((await client.listing("LIST")).length, 1);
    assert.match(String(await client.retrieve("RETR 1")), /^Subject: 1\r\n/);
    await client.quit();
  }
});
