/**
 * Mail by LMTP onto disks that are full or hang: each recipient is answered for his own disk, the others have
 * their mail, and nothing is half there.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, before, test } from "node:test";
import { freePort } from "../support/free_port.ts";
import { HangingFilesystem, noHangingFilesystem } from "../support/hanging_filesystem.ts";
import { LmtpClient } from "../support/lmtp_client.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { TestMaildir } from "../support/test_maildir.ts";

const skip = process.getuid?.() === 0 || process.env["CI"] ? noHangingFilesystem : "needs root";

/** Smaller than the message that does not fit. */
const SMALL_DISK = "size=256k,mode=700";

const LONG = `Subject: long\r\n\r\n${"a line of text\r\n".repeat(30_000)}`;

let small: string;
let hanging: HangingFilesystem;
let server: RunningServer;
let port: number;

before(async () => {
  if (skip !== false) return;
  small = mkdtempSync(`${tmpdir()}/popkeep-small-`);
  assert.equal(spawnSync("mount", ["-t", "tmpfs", "-o", SMALL_DISK, "tmpfs", small]).status, 0);
  hanging = await HangingFilesystem.mount();
  new TestMaildir(`${small}/full`);
  new TestMaildir(`${hanging.path}/hung`);
  port = await freePort();
  server = await startServer({
    users: [
      "alice",
      ["full", `{PLAIN}${PASSWORD}`, `userdb_mail=maildir:${small}/full`],
      ["hung", `{PLAIN}${PASSWORD}`, `userdb_mail=maildir:${hanging.path}/hung`],
    ],
    settings: `lmtp_bindings = ["127.0.0.1:${port}"]\nstorage_timeout = "1s"`,
  });
  mkdirSync(server.homeOf("alice"), { recursive: true });
});

after(async () => {
  if (skip !== false) return;
  hanging.answer();
  await server.stop();
  await hanging.remove();
  spawnSync("umount", [small]);
  rmSync(small, { recursive: true });
});

/** The messages of a Maildir without their envelope; they are removed. */
function taken(path: string): string[] {
  const names = readdirSync(`${path}/new`);
  const texts = names.map((name) => readFileSync(`${path}/new/${name}`, "latin1"));
  for (const name of names) rmSync(`${path}/new/${name}`);
  return texts.map((text) => text.replace(/^Return-Path: .*\nDelivered-To: .*\n/, ""));
}

const stored = LONG.replaceAll("\r\n", "\n");

test("on a full disk: 4.3.1, nothing is left, and shorter mail fits again", { skip }, async () => {
  const { client } = await LmtpClient.greeted({ port });
  const [full, alice] = await client.deliver(["full", "alice"], LONG);
  assert.match(full!, /^452 4\.3\.1 the disk is full$/);
  assert.match(alice!, /^250 2\.0\.0 /);
  assert.deepEqual([taken(`${small}/full`), taken(`${server.homeOf("alice")}/Maildir`)], [[], [
    stored,
  ]]);
  assert.deepEqual(readdirSync(`${small}/full/tmp`), []);
  assert.match((await client.deliver(["full"], "A: short\r\n"))[0]!, /^250 2\.0\.0 /);
  assert.deepEqual(taken(`${small}/full`), ["A: short\n"]);
  await client.quit();
});

test(
  "a disk that hangs holds up nobody but its own user, from the beginning or later",
  { skip },
  async () => {
    for (const hangs of ["before", "within"]) {
      const { client } = await LmtpClient.greeted({ port });
      if (hangs === "before") hanging.hang();
      await client.begin(["hung", "alice"]);
      if (hangs === "within") hanging.hang();
      client.send(`${LONG}.\r\n`);
      // All of it while the disk does not answer.
      assert.match(await client.reply(), /^451 4\.3\.0 the mailbox cannot be written now/, hangs);
      assert.match(await client.reply(), /^250 2\.0\.0 /, hangs);
      assert.deepEqual(taken(`${server.homeOf("alice")}/Maildir`), [stored]);
      assert.match((await client.deliver(["alice"], "A: short\r\n"))[0]!, /^250 2\.0\.0 /);
      assert.deepEqual(taken(`${server.homeOf("alice")}/Maildir`), ["A: short\n"]);
      const since = server.log.length;
      hanging.answer();
      await untilAnswers(since);
      const wanted = [stored];
      while (!/^250 /.test((await client.deliver(["hung"], LONG))[0]!));
      // What a call that came back late has brought about may be there, whole.
      for (const text of taken(`${hanging.path}/hung`)) assert.deepEqual([text], wanted);
      await client.quit();
    }
  },
);

async function untilAnswers(since: number): Promise<void> {
  const giveUpAtMs = performance.now() + 60_000;
  while (!server.log.slice(since).includes("filesystem answers again")) {
    assert.ok(performance.now() < giveUpAtMs, server.log);
    await new Promise((go) => setTimeout(go, 20));
  }
}
