/** A folder that a user's link leads to another's mail by: old mail goes from all the others, and that is told. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { lchownSync, mkdirSync, rmdirSync, symlinkSync } from "node:fs";
import { test } from "node:test";
import { popkeep } from "../support/command_line.ts";
import { at, noOtherTime } from "../support/other_time.ts";
import { PASSWORD, startServer } from "../support/server.ts";
import { mayMakeAccounts } from "../support/system_account.ts";
import { TestMaildir } from "../support/test_maildir.ts";

const ALICE = 54_321;
const skip = mayMakeAccounts ? noOtherTime : "takes root, to make a link of another user";

test("expire leaves the folder, names it, and does the rest", { skip }, async () => {
  const server = await startServer({
    users: [["alice", `{PLAIN}${PASSWORD}`], ["bob", `{PLAIN}${PASSWORD}`]],
    settings: `login_type = "plaintext_login"
[[retentions]]
folders = ["INBOX", "A", "B", "C"]
retention_read = "7d"
retention_unread = "7d"
`,
  });
  try {
    const root = server.maildir("alice").path;
    const bob = server.maildir("bob");
    bob.deliver("Subject: bob's\n\nonly copy\n");
    for (const name of ["A", "B", "C"]) mkdirSync(`${root}/.${name}`, { recursive: true });
    const folders = ["A", "B", "C"].map((name) => new TestMaildir(`${root}/.${name}`));
    for (const maildir of folders) maildir.deliver("Subject: old\n\nbody\n");
    rmdirSync(`${root}/.A/cur`);
    symlinkSync(`${bob.path}/new`, `${root}/.A/cur`);
    lchownSync(`${root}/.A/cur`, ALICE, ALICE);
    const { exitCode, stderr } = await popkeep(
      ["expire", "alice", "--config", `${server.folder}/popkeep.toml`],
      { folder: server.folder, environment: at(Date.now() + 10 * 86_400_000) },
    );
    match(stderr, /alice, A: .*A\/cur" is a link that the user 54321 made to what is another's/);
    match(stderr, /2 messages, [0-9]+ octets, removed/);
    strictEqual(exitCode, 74);
    deepStrictEqual(folders.map((maildir) => maildir.names("new").length), [1, 0, 0]);
    strictEqual(bob.names("new").length, 1);
  } finally {
    await server.stop();
  }
});
