import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { statSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { test } from "node:test";
import {
  deviceNumber,
  deviceOf,
  MountTable,
  mountTable,
} from "../../../src/platform/mount_table.ts";

const TABLE = [
  "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw",
  "23 22 0:5 / /proc rw,nosuid shared:12 - proc proc rw",
  "40 22 0:44 / /srv/mail rw,relatime shared:20 master:3 - nfs4 host:/mail rw,vers=4.2",
  "41 40 0:45 / /srv/mail/a\\040b\\134c rw - fuse.bindfs bindfs rw",
  "42 22 0:46 / /srv/\\303\\244 rw - tmpfs tmpfs rw",
  "43 22 0:47 / /twice rw - tmpfs tmpfs rw",
  "44 43 0:48 / /twice rw - xfs /dev/vdb rw",
  "no line of a mount",
  "",
].join("\n");

const table = new MountTable(() => TABLE);

test("a path is on the mount with the longest path that it begins with, by whole names", () => {
  const kinds = [
    ["/", "ext4"],
    ["/srv", "ext4"],
    ["/srv/mail", "nfs4"],
    ["/srv/mail/alice/Maildir", "nfs4"],
    ["/srv/mailing/Maildir", "ext4"],
    ["/srv/mail/a b\\c/Maildir", "fuse.bindfs"],
    ["/srv/ä/x", "tmpfs"],
    ["/twice/x", "xfs"],
  ] as const;
  for (const [path, kind] of kinds) strictEqual(table.mountOf(path)?.kind, kind, path);
});

test("a mount is found by its device", () => {
  strictEqual(table.mountOfDevice(deviceNumber(0, 44))?.path, "/srv/mail");
  strictEqual(table.mountOfDevice(deviceNumber(0, 99)), undefined);
});

test("where the system tells of no mounts no path is on one", () => {
  const silent = new MountTable(() => {
    throw new Error("no /proc");
  });
  strictEqual(silent.mountOf("/srv"), undefined);
});

test("devices are numbered as in the table, whoever tells of them", () => {
  strictEqual(deviceOf(0xfe01), deviceNumber(254, 1));
  // Minor numbers of more than 8 bits stand above the major's 12.
  strictEqual(deviceOf(0x1234_5678 >>> 0), deviceNumber(0x456, 0x12378));
});

test("what is mounted here is found under the device that a look tells", {
  skip: process.platform === "linux" ? false : "Linux tells of mounts",
}, () => {
  const proc = mountTable.mountOf("/proc/self");
  deepStrictEqual([proc?.path, proc?.kind], ["/proc", "proc"]);
  strictEqual(deviceOf(statSync("/proc").dev), proc?.device);
  ok(mountTable.mountOf(tmpdir()) !== undefined);
});
