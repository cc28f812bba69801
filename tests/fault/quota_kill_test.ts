/**
 * `popkeep deliver` killed while it counts mail and warns: the message is whole or not there, what is added up is
 * wrong by that message at most and right when it is counted again, and the user is warned once or, at most, twice.
 *
 * POPKEEP_CRASH=all kills at every call; otherwise it is a few drawn ones, which POPKEEP_SEED repeats.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, before, test } from "node:test";
import { parseMaildirSize } from "../../src/maildir/maildirsize_text.ts";
import { popkeep, popkeepCommand } from "../support/command_line.ts";
import { TestMaildir } from "../support/test_maildir.ts";
import { randomFrom, shuffled } from "./chance.ts";

const ALL = process.env["POPKEEP_CRASH"] === "all";

/** Kills that the test tries, of those that there are. */
const TRIED = 5;

const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** There is so much before; with the message it is over 80 %. */
const BEFORE_OCTETS = 790;
const BODY = `Subject: whole\n\n${"x".repeat(30)}\n`;
const MESSAGE_OCTETS = `Delivered-To: bob\n${BODY}`.length;

/** Those by which something changes; how each runtime makes them differs. */
const CALLS = ["openat", "write", "pwrite64", "fsync", "fdatasync", "close", "link", "linkat"]
  .concat(["unlink", "unlinkat", "rename", "renameat", "renameat2"]);

let folder: string;
let mailbox: string;

before(() => {
  folder = realpathSync(mkdtempSync(`${tmpdir()}/popkeep-quota-kill-`));
  mailbox = `${folder}/mail/bob`;
  writeFileSync(`${folder}/users`, "bob:{PLAIN}x\n");
  writeFileSync(
    `${folder}/popkeep.toml`,
    `unencrypted_or_tls_bindings = ["127.0.0.1:1"]
ssl_bindings = []
user = "root"
user_file = "users"
maildir = "${folder}/mail/{user}"
quota_storage_size = 1000
`,
  );
});

after(() => rmSync(folder, { recursive: true, force: true }));

interface Kill {
  readonly call: string;
  /** Which of those that one thread makes, from 1. */
  readonly nth: number;
}

async function deliver(kill?: Kill): Promise<{ code: number | undefined; trace: string }> {
  const table = `${folder}/trace`;
  const injections = kill === undefined
    ? []
    : ["-e", `inject=${kill.call}:signal=KILL:when=${kill.nth}`];
  const words = [
    ...["-f", "-y", "-o", table, "-e", `trace=${CALLS.map((name) => `?${name}`).join(",")}`],
    ...injections,
    ...popkeepCommand(),
    ...["deliver", "--config", `${folder}/popkeep.toml`, "bob"],
  ];
  const child = spawn("strace", words, { stdio: ["pipe", "ignore", "ignore"] });
  child.stdin!.on("error", () => {});
  child.stdin!.end(BODY);
  const [code, signal] = await once(child, "exit");
  return { code: signal === null ? code : undefined, trace: readFileSync(table, "utf8") };
}

function begin(): void {
  rmSync(`${folder}/mail`, { recursive: true, force: true });
  mkdirSync(`${folder}/mail`);
  new TestMaildir(mailbox).deliver("y".repeat(BEFORE_OCTETS));
}

/** Octets and number of messages, and number of warnings; fails if anything is not whole. */
function mail(): { octets: number; messages: number; warnings: number } {
  const files = readdirSync(`${mailbox}/new`);
  const warnings = files.filter((name) => name.includes(",Q=0"));
  for (const name of warnings) {
    assert.match(
      readFileSync(`${mailbox}/new/${name}`, "latin1"),
      /\nThis message was made .*\n$/s,
    );
  }
  const octets = files.filter((name) => !warnings.includes(name))
    .map((name) => statSync(`${mailbox}/new/${name}`).size);
  assert.ok(octets.every((size) => size === BEFORE_OCTETS || size === MESSAGE_OCTETS), `${octets}`);
  return {
    octets: octets.reduce((sum, size) => sum + size, 0),
    messages: octets.length,
    warnings: warnings.length,
  };
}

/** What is added up; undefined where it is not there. Fails if there is half a file. */
function sum(): { octets: number; messages: number } | undefined {
  if (!existsSync(`${mailbox}/maildirsize`)) return undefined;
  const { used } = parseMaildirSize(readFileSync(`${mailbox}/maildirsize`, "latin1"));
  assert.ok(used !== undefined, "half a maildirsize");
  return used;
}

/** The calls that were made in the mailbox, each with how often its thread had made the like before. */
function killsOf(trace: string): Kill[] {
  const counts = new Map<string, number>();
  const kills = new Map<string, Kill>();
  for (const line of trace.split("\n")) {
    const [, thread, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (call === undefined) continue;
    const nth = (counts.get(`${thread} ${call}`) ?? 0) + 1;
    counts.set(`${thread} ${call}`, nth);
    if (line.includes(`${folder}/mail/`)) kills.set(`${call} ${nth}`, { call, nth });
  }
  return [...kills.values()];
}

test(`killed at any of its calls it has counted right, or is found out (POPKEEP_SEED=${SEED})`, async () => {
  begin();
  const whole = await deliver();
  assert.equal(whole.code, 0);
  const all = killsOf(whole.trace);
  assert.ok(all.length >= 20, JSON.stringify(all));
  assert.deepEqual({ ...sum(), warnings: 1 }, mail());
  let killed = 0;
  const kills = ALL ? all : shuffled(all, randomFrom(SEED)).slice(0, 4 * TRIED);
  for (const kill of kills) {
    if (!ALL && killed === TRIED) break;
    const told = JSON.stringify(kill);
    begin();
    const { code } = await deliver(kill);
    if (code === undefined) killed++;
    const found = mail();
    const added = sum();
    const uncounted = added === undefined ? 0 : found.messages - added.messages;
    assert.ok(uncounted === 0 || uncounted === 1, `${told}: ${uncounted} not counted`);
    assert.ok(found.warnings <= 1, told);
    const again = await deliver();
    assert.equal(again.code, 0, told);
    const { warnings } = mail();
    assert.ok(warnings === 1 || warnings === 2, `${told}: ${warnings} warnings`);
    const config = ["--config", `${folder}/popkeep.toml`];
    const counted = await popkeep(["quota", "recalculate", "bob", ...config], { folder });
    assert.equal(counted.exitCode, 0, counted.stderr);
    assert.deepEqual({ ...sum(), warnings }, mail(), told);
  }
  assert.ok(killed >= (ALL ? all.length / 2 : 1), `${killed} of ${all.length} were killed`);
});
