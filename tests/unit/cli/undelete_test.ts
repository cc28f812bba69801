/** `popkeep mailbox undelete` as it is typed: what it refuses, and that it says only what it did. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { popkeep } from "../../support/command_line.ts";
import { TestMaildir } from "../../support/test_maildir.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-undelete-`);
after(() => rmSync(root, { recursive: true }));

const settings = 'ssl_bindings = []\nuser = "root"\nmaildir = "mail/{user}"\n';
writeFileSync(`${root}/popkeep.toml`, settings);
writeFileSync(`${root}/users`, "alice:{PLAIN}a\n");
const maildir = new TestMaildir(`${root}/mail/alice`);

function undelete(...args: string[]) {
  return popkeep(["mailbox", "undelete", "alice", ...args], { folder: root });
}

test("a dry run says what would be restored, and not that it was", async () => {
  const removed = new Date();
  const day = `${maildir.path}/popkeep-deleted/${removed.toISOString().slice(0, 10)}`;
  mkdirSync(day, { recursive: true });
  const file = `${day}/-,${removed.getTime()},client,cur,,1.a:2,S`;
  writeFileSync(file, "Subject: a\n\n");
  const dry = await undelete("--all", "--dry-run");
  assert.equal(dry.exitCode, 0, dry.stderr);
  assert.match(dry.stdout, /^-\t[^\t]+\t12\twould be restored, new unique-id\n$/);
  assert.ok(existsSync(file));
  const done = await undelete("--all");
  assert.match(done.stdout, /^-\t[^\t]+\t12\trestored, new unique-id\n$/);
  assert.ok(!existsSync(file));
});

for (const more of [["--since", "1d"], ["--id", "7"]]) {
  test(`--all is not silently less by ${more[0]}`, async () => {
    const { exitCode, stderr } = await undelete("--all", ...more);
    assert.equal(exitCode, 64);
    assert.match(stderr, /--all is all that are kept/);
  });
}
