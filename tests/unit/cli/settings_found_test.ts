/** Settings that lie in the current folder and were not named: whose they may be. */

import { match, ok, strictEqual } from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, test } from "node:test";
import { popkeep } from "../../support/command_line.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-found-`);
chmodSync(root, 0o755);
after(() => rmSync(root, { recursive: true }));
let made = 0;

const STRANGER = 65_534;
const skip = process.geteuid?.() === 0 ? false : "takes root";

/** A folder with settings that run a program, which leaves `was-run` behind. */
function setUp(): string {
  const folder = `${root}/${made++}/pop`;
  mkdirSync(`${folder}/mail`, { recursive: true });
  writeFileSync(`${folder}/program`, `#!/bin/sh\ntouch ${folder}/was-run\nexit 1\n`, {
    mode: 0o755,
  });
  writeFileSync(
    `${folder}/popkeep.toml`,
    `ssl_bindings = []
maildir = "mail/{user}"
[[directories]]
kind = "checkpassword"
program = ["${folder}/program"]
`,
  );
  return folder;
}

async function refuses(folder: string, why: RegExp): Promise<void> {
  for (const command of [["config", "check"], ["serve"], ["user", "list"]]) {
    const { exitCode, stdout, stderr } = await popkeep(command, { folder });
    strictEqual(exitCode, 77, stderr);
    strictEqual(stdout, "");
    match(
      stderr,
      /^popkeep: \.\/popkeep\.toml is not taken unasked, since .*: where it .* --config popkeep\.toml\n$/,
    );
    match(stderr, why);
  }
  ok(!existsSync(`${folder}/was-run`));
}

async function takes(folder: string, ...named: string[]): Promise<void> {
  const { exitCode, stderr } = await popkeep(["config", "check", ...named], { folder });
  strictEqual(exitCode, 0, stderr);
}

test("root in a stranger's folder ran the program that the stranger's settings name", {
  skip,
}, async () => {
  const folder = setUp();
  chownSync(`${folder}/popkeep.toml`, STRANGER, STRANGER);
  await refuses(folder, /pop\/popkeep\.toml belongs to the user 65534/);
  await takes(folder, "--config", "popkeep.toml");
});

test("settings of root's own are not believed in a folder, or under one, that is a stranger's", {
  skip,
}, async () => {
  const inside = setUp();
  chownSync(inside, STRANGER, STRANGER);
  await refuses(inside, /pop belongs to the user 65534/);
  const under = setUp();
  chownSync(`${under}/..`, STRANGER, STRANGER);
  await refuses(under, /[0-9] belongs to the user 65534/);
});

test("a link that a stranger put there is not followed to what is root's", { skip }, async () => {
  const [there, folder] = [setUp(), setUp()];
  rmSync(`${folder}/popkeep.toml`);
  symlinkSync(`${there}/popkeep.toml`, `${folder}/popkeep.toml`);
  lchownSync(`${folder}/popkeep.toml`, STRANGER, STRANGER);
  await refuses(folder, /pop\/popkeep\.toml belongs to the user 65534/);
});

test("a group that is not the caller's own may not change settings that are found", {
  skip,
}, async () => {
  const folder = setUp();
  chmodSync(folder, 0o775);
  await takes(folder);
  chownSync(folder, 0, STRANGER);
  await refuses(folder, /the group 65534 can change .*pop:/);
});

test("settings that everybody can change, or that lie where everybody can, are not taken unasked", async () => {
  const file = setUp();
  chmodSync(`${file}/popkeep.toml`, 0o666);
  await refuses(file, /every user of this machine can change .*popkeep\.toml:/);
  const folder = setUp();
  // As /tmp is: what lies there is its owner's, but anybody puts a program beside it.
  chmodSync(folder, 0o1777);
  await refuses(folder, /every user of this machine can change .*pop:/);
  await takes(folder, "--config", "popkeep.toml");
});

test("settings of the caller's own are found, under a sticky folder too, and through a link of his", async () => {
  const folder = setUp();
  await takes(folder);
  chmodSync(`${folder}/..`, 0o1777);
  await takes(folder);
  const linked = setUp();
  rmSync(`${linked}/popkeep.toml`);
  symlinkSync(`${folder}/popkeep.toml`, `${linked}/popkeep.toml`);
  await takes(linked);
});
