/** `popkeep deliver`, as a mail system runs it: a message on standard input, and an exit code. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import { popkeep, type RunOptions } from "../../support/command_line.ts";
import { TestMaildir } from "../../support/test_maildir.ts";

let folder: string;

before(() => {
  folder = mkdtempSync(`${tmpdir()}/popkeep-deliver-`);
  chmodSync(folder, 0o755);
  mkdirSync(`${folder}/mail`);
  writeFileSync(`${folder}/users`, `alice@example.com:{PLAIN}x\nbob:{PLAIN}x\n`);
  writeFileSync(`${folder}/popkeep.toml`, settings());
});

after(() => rmSync(folder, { recursive: true, force: true }));

function settings(more = ""): string {
  return `unencrypted_or_tls_bindings = ["127.0.0.1:1"]
ssl_bindings = []
user = "root"
user_file = "users"
maildir = "${folder}/mail/{user}"
folder_separator = "+"
${more}`;
}

function deliver(args: readonly string[], input: string | Uint8Array, more?: Partial<RunOptions>) {
  return popkeep(["deliver", "--config", `${folder}/popkeep.toml`, ...args], {
    folder,
    input,
    ...more,
  });
}

/** The messages in a Maildir, in their order, which are then removed. */
function taken(path: string): string[] {
  const names = readdirSync(`${path}/new`).sort();
  assert.deepEqual(readdirSync(`${path}/tmp`), []);
  const texts = names.map((name) => readFileSync(`${path}/new/${name}`, "latin1"));
  for (const name of names) rmSync(`${path}/new/${name}`);
  return texts;
}

const ALICE = "alice@example.com";

test("a message comes into a mailbox that is made for it, under its envelope", async () => {
  const text = "Subject: hello\n\nbody\n";
  const ended = await deliver(
    [ALICE, "--sender", "bob@example.org", "--recipient", "a.lice@example.com"],
    text,
  );
  assert.deepEqual(ended, { exitCode: 0, stdout: "", stderr: "" });
  assert.deepEqual(taken(`${folder}/mail/${ALICE}`), [
    `Return-Path: <bob@example.org>\nDelivered-To: a.lice@example.com\n${text}`,
  ]);
});

test("the line that local mail systems begin with is taken for the sender", async () => {
  const ended = await deliver(
    ["bob"],
    "From carol@example.org Mon Nov 23 2026\r\nSubject: x\r\n\r\ny",
  );
  assert.equal(ended.exitCode, 0, ended.stderr);
  assert.deepEqual(taken(`${folder}/mail/bob`), [
    "Return-Path: <carol@example.org>\nDelivered-To: bob\nSubject: x\n\ny\n",
  ]);
});

test("a folder behind the name is taken where it is, and the INBOX where it is not", async () => {
  new TestMaildir(`${folder}/mail/bob/.Lists`);
  assert.equal((await deliver(["bob+lists"], "one\n")).exitCode, 0);
  assert.equal((await deliver(["bob+other"], "two\n")).exitCode, 0);
  assert.deepEqual(taken(`${folder}/mail/bob/.Lists`), ["Delivered-To: bob+lists\none\n"]);
  assert.deepEqual(taken(`${folder}/mail/bob`), ["Delivered-To: bob+other\ntwo\n"]);
});

test("messages of nothing, without headers and of octets of all kinds are taken as they are", async () => {
  const octets = Buffer.from(Array.from({ length: 256 * 400 }, (_, at) => at % 256));
  for (const message of [Buffer.alloc(0), Buffer.from("no header\n"), octets]) {
    assert.equal((await deliver(["bob"], message)).exitCode, 0);
    const wanted = message.toString("latin1").replaceAll("\r\n", "\n");
    const end = wanted === "" || wanted.endsWith("\n") ? "" : "\n";
    assert.deepEqual(taken(`${folder}/mail/bob`), [`Delivered-To: bob\n${wanted}${end}`]);
  }
});

test("there is no such user: 67, and nothing is made", async () => {
  for (const user of ["nobody", "../bob", "nobody+lists", ""]) {
    const ended = await deliver([user], "text\n");
    assert.equal(ended.exitCode, 67, ended.stderr);
    assert.match(ended.stderr, /^popkeep: there is no user .*\n$/);
  }
  assert.ok(!readdirSync(`${folder}/mail`).includes("nobody"));
});

test("a message that is too long: 69, and nothing of it is left", async () => {
  writeFileSync(`${folder}/popkeep.toml`, settings('max_receive_size = "1KiB"\n'));
  try {
    const ended = await deliver(["bob"], "a".repeat(1_100));
    assert.equal(ended.exitCode, 69);
    assert.equal(ended.stderr, "popkeep: a message has at most 1024 octets here\n");
    assert.deepEqual(taken(`${folder}/mail/bob`), []);
  } finally {
    writeFileSync(`${folder}/popkeep.toml`, settings());
  }
});

test("whatever is not the message's fault is to be tried again: 75", async () => {
  const again = async (text: string, more?: Partial<RunOptions>) => {
    writeFileSync(`${folder}/popkeep.toml`, text);
    const ended = await deliver(["bob"], "text\n", more);
    assert.equal(ended.exitCode, 75, `${text}\n${ended.stderr}`);
    assert.match(ended.stderr, /^popkeep: /);
    assert.equal(ended.stdout, "");
  };
  try {
    await again("this is no TOML");
    await again(settings().replace("users", "no-such-file"));
    await again(settings().replace(`${folder}/mail/`, `${folder}/not-mounted/`));
    await again(
      settings('[[directories]]\nkind = "sql"\nurl = "sqlite:none"\nquery = "SELECT {user}"'),
    );
    await again(settings(), { unprivileged: true });
    await again(settings().replace('user = "root"', ""));
  } finally {
    writeFileSync(`${folder}/popkeep.toml`, settings());
  }
  assert.deepEqual(taken(`${folder}/mail/bob`), []);
});
