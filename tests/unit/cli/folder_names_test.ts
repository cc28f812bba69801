/** Folders that commands are given by name: which one it is that is not there, or cannot be, and the exit code. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { popkeep } from "../../support/command_line.ts";
import { TestMaildir } from "../../support/test_maildir.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-folders-`);
after(() => rmSync(root, { recursive: true }));

writeFileSync(
  `${root}/popkeep.toml`,
  'ssl_bindings = []\nuser = "root"\nmaildir = "mail/{user}"\nfolder_separator = "+"\n',
);
writeFileSync(
  `${root}/users`,
  "alice:{PLAIN}a\nbob:{PLAIN}b::::::userdb_quota_rule=*:storage=lots\n",
);
new TestMaildir(`${root}/mail/alice`);
new TestMaildir(`${root}/mail/bob`);

const MISSING = "there is no folder of this name: Nix";

for (
  const [args, code, said] of [
    [["mailbox", "export", "alice", "--folder", "Nix", "--to", "here"], 66, MISSING],
    [["mailbox", "deleted", "alice", "--folder", "Nix"], 66, MISSING],
    [["mailbox", "show", "alice+Nix"], 74, MISSING],
    [
      ["mailbox", "create", "alice", "--folder", "Work", "../x"],
      65,
      "the mailbox of alice: no folder of mail can have this name: ../x",
    ],
    [["quota", "show", "bob"], 65, "the quota of bob cannot be told: quota_rule is not understood"],
  ] as const
) {
  test(`what is not there is told by its name, with ${code}: popkeep ${args.join(" ")}`, async () => {
    const { exitCode, stderr } = await popkeep(args, { folder: root });
    assert.ok(stderr.includes(said), stderr);
    assert.ok(!stderr.includes("that was sent"), stderr);
    assert.equal(exitCode, code);
    assert.ok(!existsSync(`${root}/here`));
  });
}
