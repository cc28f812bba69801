/** Quotas on the command line: what `deliver` refuses, what `quota show` tells, what `quota recalculate` writes. */

import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, before, beforeEach, test } from "node:test";
import { popkeep, popkeepAtTerminal } from "../../support/command_line.ts";
import { TestMaildir } from "../../support/test_maildir.ts";

let folder: string;

before(() => {
  folder = mkdtempSync(`${tmpdir()}/popkeep-quota-`);
  chmodSync(folder, 0o755);
  writeFileSync(
    `${folder}/users`,
    `alice@example.com:{PLAIN}x
bob:{PLAIN}x::::::userdb_quota_rule=*:bytes=300:messages=3
carl:{PLAIN}x::::::userdb_quota_rule=*:storage=lots
dora:{PLAIN}x::::::userdb_quota_rule=*:storage=0
`,
  );
});

beforeEach(() => {
  rmSync(`${folder}/mail`, { recursive: true, force: true });
  mkdirSync(`${folder}/mail`);
  settings();
});

after(() => rmSync(folder, { recursive: true, force: true }));

function settings(more = "quota_storage_size = 1000\n"): void {
  writeFileSync(
    `${folder}/popkeep.toml`,
    `unencrypted_or_tls_bindings = ["127.0.0.1:1"]
ssl_bindings = []
user = "root"
user_file = "users"
maildir = "${folder}/mail/{user}"
folder_separator = "+"
${more}`,
  );
}

function run(args: readonly string[], input?: string) {
  const config = ["--config", `${folder}/popkeep.toml`];
  const words = args[0] === "deliver" ? ["deliver", ...config, ...args.slice(1)] : [
    ...args,
    ...config,
  ];
  return popkeep(words, { folder, ...input === undefined ? {} : { input } });
}

/** Delivers a message that has so many octets in storage. */
function deliver(user: string, octets: number) {
  const before = `Delivered-To: ${user}\n\n`;
  return run(["deliver", "--", user], `${"x".repeat(octets - before.length - 1)}\n`);
}

function maildir(user: string): TestMaildir {
  return new TestMaildir(`${folder}/mail/${user}`);
}

function sizeFile(user: string): string {
  return readFileSync(`${folder}/mail/${user}/maildirsize`, "utf8");
}

const NO_ROOM = "popkeep: there is no room for it in the mailbox's quota\n";

test("deliver refuses what there is no room for with 77, or defers it with 75", async () => {
  const alice = "alice@example.com";
  assert.deepEqual(await deliver(alice, 700), { exitCode: 0, stdout: "", stderr: "" });
  const refused = await deliver(alice, 301);
  assert.equal(refused.exitCode, 77);
  assert.equal(refused.stderr, NO_ROOM, "a bounce tells strangers no figures");
  assert.equal(refused.stdout, "");
  assert.equal((await deliver(alice, 300)).exitCode, 0);
  settings('quota_storage_size = 1000\nquota_exceeded = "defer"\n');
  const deferred = await deliver(alice, 100);
  assert.equal(deferred.exitCode, 75);
  assert.equal(deferred.stderr, NO_ROOM);
  const names = readdirSync(`${folder}/mail/${alice}/new`);
  assert.equal(names.filter((name) => !name.includes(",Q=0")).length, 2);
  assert.deepEqual(readdirSync(`${folder}/mail/${alice}/tmp`), []);
});

test("the user's own rule counts, and one that is not understood keeps mail waiting", async () => {
  assert.equal((await deliver("bob", 200)).exitCode, 0);
  assert.equal((await deliver("bob", 101)).exitCode, 77);
  assert.equal((await deliver("dora", 5_000)).exitCode, 0);
  const { exitCode, stderr } = await deliver("carl", 100);
  assert.equal(exitCode, 75);
  assert.equal(
    stderr,
    "popkeep: the quota of carl cannot be told: quota_rule is not understood: storage has no number " +
      "that is understood\n",
  );
  assert.equal(existsSync(`${folder}/mail/carl`), false);
});

test("config check tells of rules and templates that are none", async () => {
  settings('quota_warning_file = "template"\n');
  writeFileSync(`${folder}/template`, new Uint8Array([0xff]));
  const broken = await run(["config", "check"]);
  assert.equal(broken.exitCode, 78);
  assert.match(
    broken.stderr,
    /quota_warning_file: found .*template, which is none; allowed is a text/,
  );
  writeFileSync(`${folder}/template`, "Subject: full\n\nfull\n");
  const { exitCode, stderr } = await run(["config", "check"]);
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /users:3: .*quota_rule is not understood, and mail for the user waits/);
  assert.doesNotMatch(stderr, /users:[124]: .*quota/);
});

test("quota show has a line for each user, exact and with tabs", async () => {
  await deliver("alice@example.com", 500);
  maildir("bob").deliver("x".repeat(299));
  const { exitCode, stderr, stdout } = await run(["quota", "show"]);
  assert.equal(
    stdout,
    "alice@example.com\t500\t1000\t1\t-\t50\nbob\t299\t300\t1\t3\t99\ndora\t0\t-\t0\t-\t-\n",
  );
  assert.match(stderr, /the quota of carl cannot be told/);
  assert.equal(exitCode, 65);
  assert.equal(existsSync(`${folder}/mail/bob/maildirsize`), false, "it changes nothing");
  assert.equal(existsSync(`${folder}/mail/dora`), false);
});

test("quota show at a terminal has sizes that people read, and a bar", async () => {
  maildir("bob").deliver("x".repeat(225));
  const args = ["quota", "show", "bob", "--config", `${folder}/popkeep.toml`];
  const wide = await popkeepAtTerminal(args, { folder, columns: 100 });
  assert.equal(wide.exitCode, 0);
  assert.match(wide.screen, /USER +USED +OF +MESSAGES +OF +FULL/);
  assert.match(wide.screen, /bob +225 B +300 B +1 +3 +75 % +\[#{15}\.{5}\]\n/);
  const narrow = await popkeepAtTerminal(args, { folder, columns: 48 });
  assert.doesNotMatch(narrow.screen, /\[#/);
});

test("quota show tells JSON, with null for no limit", async () => {
  maildir("dora").deliver("12345");
  const { stdout } = await run(["quota", "show", "dora", "--json"]);
  assert.deepEqual(JSON.parse(stdout), [{
    user: "dora",
    octets: 5,
    octetsLimit: null,
    messages: 1,
    messagesLimit: null,
    percent: null,
    exceeded: "refuse",
    ignoredFolders: ["Trash"],
  }]);
});

test("quota recalculate counts all mail and says what the file said before", async () => {
  await deliver("alice@example.com", 500);
  maildir("alice@example.com").deliver("x".repeat(100));
  const one = await run(["quota", "recalculate", "alice@example.com"]);
  assert.deepEqual(one, {
    exitCode: 0,
    stdout: "alice@example.com\t600\t2\t500\t1\n",
    stderr: "",
  });
  assert.equal(sizeFile("alice@example.com"), "1000S\n         600            2\n");
  assert.equal(statSync(`${folder}/mail/alice@example.com/maildirsize`).mode & 0o777, 0o600);
  maildir("bob").deliver("x".repeat(10));
  appendFileSync(`${folder}/mail/bob/maildirsize`, "damaged");
  maildir("dora").deliver("x");
  const all = await run(["quota", "recalculate", "--all"]);
  assert.equal(
    all.stdout,
    "alice@example.com\t600\t2\t600\t2\nbob\t10\t1\t-\t-\ndora\t1\t1\t-\t-\n",
  );
  assert.match(all.stderr, /carl/);
  assert.equal(sizeFile("bob"), "300S,3C\n          10            1\n");
  assert.equal(
    existsSync(`${folder}/mail/dora/maildirsize`),
    false,
    "who has no quota has no file",
  );
});

test("whom there is not, and nobody at all, are told", async () => {
  assert.equal((await run(["quota", "show", "nobody"])).exitCode, 67);
  for (const args of [["recalculate"], ["recalculate", "bob", "--all"]]) {
    const { exitCode, stderr } = await run(["quota", ...args]);
    assert.equal(exitCode, 64);
    assert.match(stderr, /name a user, or say --all/);
  }
});

test("mail that is not there is not called empty", async () => {
  rmSync(`${folder}/mail`, { recursive: true });
  const { exitCode, stderr, stdout } = await run(["quota", "show", "bob"]);
  assert.equal(exitCode, 74);
  assert.equal(stdout, "");
  assert.match(stderr, /the mail of bob cannot be looked at/);
});

const isRoot = process.geteuid?.() === 0;

test("root makes nothing of its own in mailboxes, and nothing untold", {
  skip: isRoot ? false : "takes root",
}, async () => {
  const { path } = maildir("bob");
  for (const name of ["", "/new", "/cur", "/tmp"]) chownSync(`${path}${name}`, 65_534, 65_534);
  assert.equal((await deliver("bob", 290)).exitCode, 0);
  for (const name of ["maildirsize", "popkeep-quota-warnings"]) {
    const { gid, uid } = statSync(`${path}/${name}`);
    assert.deepEqual({ uid, gid }, { uid: 65_534, gid: 65_534 }, name);
  }
  const toml = readFileSync(`${folder}/popkeep.toml`, "utf8");
  writeFileSync(`${folder}/popkeep.toml`, toml.replace('user = "root"\n', ""));
  assert.equal((await run(["quota", "recalculate", "bob"])).exitCode, 77);
  assert.equal((await run(["quota", "show", "bob"])).exitCode, 0);
});
