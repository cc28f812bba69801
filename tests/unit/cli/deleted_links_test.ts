/** `popkeep mailbox deleted` and `undelete` as root, where a user made a link to another's mailbox. */

import assert from "node:assert/strict";
import {
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { popkeep } from "../../support/command_line.ts";
import { mayMakeAccounts } from "../../support/system_account.ts";
import { TestMaildir } from "../../support/test_maildir.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-deleted-links-`);
after(() => rmSync(root, { recursive: true }));

const skip = mayMakeAccounts ? false : "takes root, to make a link of another user";
const ALICE = 54_321;

const settings = 'ssl_bindings = []\nuser = "root"\nmaildir = "mail/{user}"\n';
writeFileSync(`${root}/popkeep.toml`, settings);
writeFileSync(`${root}/users`, "alice:{PLAIN}a\nbob:{PLAIN}b\ncarol:{PLAIN}c\n");

const bob = new TestMaildir(`${root}/mail/bob`);
const day = `${bob.path}/popkeep-deleted/${new Date().toISOString().slice(0, 10)}`;
mkdirSync(day, { recursive: true });
const file = `${day}/-,${Date.now()},client,cur,,1.a:2,S`;
writeFileSync(file, "Subject: for bob alone\n\n");

for (const command of [["deleted", "alice"], ["undelete", "alice", "--all"]]) {
  test(
    `mailbox ${command[0]} goes through no link to another's mailbox`,
    { skip },
    async () => {
      rmSync(`${root}/mail/alice`, { force: true });
      symlinkSync(bob.path, `${root}/mail/alice`);
      lchownSync(`${root}/mail/alice`, ALICE, ALICE);
      const { exitCode, stdout, stderr } = await popkeep(["mailbox", ...command], { folder: root });
      assert.notEqual(exitCode, 0, stdout);
      assert.match(stderr, /made to what is another's/);
      assert.equal(stdout, "");
      assert.ok(existsSync(file));
    },
  );
}

test("mailbox undelete puts nothing into another's cur/ through a link", { skip }, async () => {
  const carol = new TestMaildir(`${root}/mail/carol`);
  mkdirSync(day.replace("/bob/", "/carol/"), { recursive: true });
  writeFileSync(file.replace("/bob/", "/carol/"), "Subject: carol's\n\n");
  rmSync(`${carol.path}/cur`, { recursive: true });
  symlinkSync(`${bob.path}/cur`, `${carol.path}/cur`);
  lchownSync(`${carol.path}/cur`, ALICE, ALICE);
  const { exitCode, stderr } = await popkeep(["mailbox", "undelete", "carol", "--all"], {
    folder: root,
  });
  assert.notEqual(exitCode, 0);
  assert.match(stderr, /made to what is another.s/);
  assert.deepEqual(bob.names("cur"), []);
});
