/** `popkeep quota recalculate`: it is not said to be done where it is not, and root is the user who owns the mail. */

import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, beforeEach, test } from "node:test";
import { popkeep } from "../../support/command_line.ts";
import { TestMaildir } from "../../support/test_maildir.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-recalculate-`);
after(() => rmSync(folder, { recursive: true, force: true }));
chmodSync(folder, 0o755);
writeFileSync(`${folder}/users`, "bob:{PLAIN}x\n");
chmodSync(`${folder}/users`, 0o644);

/** Debian's and most others' nobody. */
const NOBODY = 65_534;

let maildir: TestMaildir;

beforeEach(() => {
  rmSync(`${folder}/mail`, { recursive: true, force: true });
  maildir = new TestMaildir(`${folder}/mail/bob`);
  maildir.deliver("Subject: a\n\n");
});

function settings(user: string, more = "quota_storage_size = 1000\n"): void {
  writeFileSync(
    `${folder}/popkeep.toml`,
    `ssl_bindings = []\nuser = "${user}"\nmaildir = "${folder}/mail/{user}"\n${more}`,
  );
}

function run(...args: readonly string[]) {
  return popkeep([...args, "--config", `${folder}/popkeep.toml`], { folder });
}

test("quota recalculate does not say that it wrote where maildirsize is a folder", async () => {
  settings("root");
  mkdirSync(`${maildir.path}/maildirsize`);
  const { exitCode, stderr, stdout } = await run("quota", "recalculate", "bob");
  assert.equal(exitCode, 74);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    /^popkeep: the mail of bob was counted, but maildirsize was not written: .*bob\/maildirsize/,
  );
  assert.deepEqual(readdirSync(`${maildir.path}/tmp`), []);
});

test("mailbox check finds a folder in the place of maildirsize, and repair leaves it", async () => {
  settings("root");
  mkdirSync(`${maildir.path}/maildirsize`);
  const found = await run("mailbox", "check", "bob", "--no-content");
  assert.equal(found.exitCode, 65);
  assert.match(found.stdout, /^bob\twarning\tmaildirsize-wrong\tmaildirsize\tit is no file/m);
  assert.equal((await run("mailbox", "repair", "bob", "--no-content")).exitCode, 65);
  assert.ok(statSync(`${maildir.path}/maildirsize`).isDirectory());
});

test("root becomes the user of the settings to recalculate, as other commands do", {
  skip: process.geteuid?.() === 0 ? false : "takes root",
}, async () => {
  settings("nobody");
  chmodSync(`${folder}/mail`, 0o755);
  for (const name of ["", "/new", "/cur", "/tmp"]) {
    chownSync(`${maildir.path}${name}`, NOBODY, NOBODY);
  }
  for (const name of readdirSync(`${maildir.path}/new`)) {
    chownSync(`${maildir.path}/new/${name}`, NOBODY, NOBODY);
  }
  const { exitCode, stderr, stdout } = await run("quota", "recalculate", "bob");
  assert.equal(exitCode, 0, stderr);
  assert.equal(stdout, "bob\t12\t1\t-\t-\n");
  assert.equal(statSync(`${maildir.path}/maildirsize`).uid, NOBODY);
});
