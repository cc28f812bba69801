/**
 * `popkeep deliver` killed at each system call that it makes in the mailbox: nobody ever sees a part of a
 * message or of a Maildir, what it said 0 for is there, and delivering again delivers.
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
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, before, test } from "node:test";
import { sizeHints, uniqueNameOf } from "../../src/maildir/file_name.ts";
import { popkeepCommand } from "../support/command_line.ts";
import { randomFrom, shuffled } from "./chance.ts";

const ALL = process.env["POPKEEP_CRASH"] === "all";

/** Kills that a test tries, of those that there are. */
const TRIED = 5;

const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** Longer than what is written at a time. */
const MESSAGE = `Subject: whole\n\n${"a line of a message\n".repeat(16_384)}the end\n`;
const DELIVERED = `Delivered-To: bob\n${MESSAGE}`;

/** Those by which something changes; how each runtime makes them differs. */
const CALLS = ["mkdir", "mkdirat", "openat", "write", "fsync", "close", "link", "linkat", "unlink"];

let folder: string;
let mailbox: string;

before(() => {
  folder = realpathSync(mkdtempSync(`${tmpdir()}/popkeep-deliver-kill-`));
  mailbox = `${folder}/mail/bob`;
  writeFileSync(`${folder}/users`, "bob:{PLAIN}x\n");
  writeFileSync(
    `${folder}/popkeep.toml`,
    `unencrypted_or_tls_bindings = ["127.0.0.1:1"]
ssl_bindings = []
user = "root"
user_file = "users"
maildir = "${folder}/mail/{user}"
`,
  );
});

after(() => rmSync(folder, { recursive: true, force: true }));

interface Kill {
  readonly call: string;
  /** Which of those that one thread makes, from 1. */
  readonly nth: number;
}

/** Delivers the message under strace; the exit code, undefined if it was killed, and the calls it made. */
async function deliver(
  kill?: Kill,
): Promise<{ readonly code: number | undefined; readonly trace: string }> {
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
  child.stdin!.end(MESSAGE);
  const [code, signal] = await once(child, "exit");
  return { code: signal === null ? code : undefined, trace: readFileSync(table, "utf8") };
}

/** How many whole messages there are; fails if there is anything else. */
function messages(): number {
  if (!existsSync(`${mailbox}/new`)) return 0;
  const names = readdirSync(`${mailbox}/new`);
  for (const name of names) {
    const text = readFileSync(`${mailbox}/new/${name}`, "latin1");
    assert.equal(text.length, DELIVERED.length, `${name} is not whole`);
    assert.ok(text === DELIVERED, `${name} is another message`);
    assert.equal(sizeHints(uniqueNameOf(name)).storedOctets, DELIVERED.length);
  }
  return names.length;
}

function begin(): void {
  rmSync(`${folder}/mail`, { recursive: true, force: true });
  mkdirSync(`${folder}/mail`);
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

test("a message is on the disk before its name is, and both before 0 is said", async () => {
  begin();
  const { code, trace } = await deliver();
  assert.equal(code, 0);
  assert.equal(messages(), 1);
  const at = (what: RegExp) => trace.search(what);
  const steps = [
    /write\(\d+<[^>]*\/bob\/tmp\//,
    /fsync\(\d+<[^>]*\/bob\/tmp\//,
    /link(?:at)?\(.*\/bob\/new\//,
    /fsync\(\d+<[^>]*\/bob\/new>/,
    /exited with 0/,
  ];
  assert.deepEqual(steps.map(at).toSorted((one, other) => one - other), steps.map(at));
  assert.ok(steps.every((step) => at(step) >= 0), trace);
  const later = trace.slice(at(steps[2]!));
  assert.doesNotMatch(later, /write\(\d+<[^>]*\/bob\//, "nothing is written after that");
});

test(`killed at any of its calls it leaves a whole message or none (POPKEEP_SEED=${SEED})`, async () => {
  begin();
  const all = killsOf((await deliver()).trace);
  assert.ok(all.length >= 10, JSON.stringify(all));
  const kills = ALL ? all : shuffled(all, randomFrom(SEED)).slice(0, 4 * TRIED);
  let killed = 0;
  for (const kill of kills) {
    if (!ALL && killed === TRIED) break;
    begin();
    const { code } = await deliver(kill);
    const found = messages();
    // Any other folder is a fault to who reads it.
    const isMaildir = ["cur", "tmp", "new"].every((part) => existsSync(`${mailbox}/${part}`));
    assert.ok(isMaildir || !existsSync(mailbox), `half a Maildir after ${JSON.stringify(kill)}`);
    if (code === 0) assert.equal(found, 1, `accepted and lost: ${JSON.stringify(kill)}`);
    else {
      assert.equal(code, undefined, JSON.stringify(kill));
      killed++;
    }
    const again = await deliver();
    assert.equal(again.code, 0, `after ${JSON.stringify(kill)}`);
    assert.equal(messages(), found + 1, `after ${JSON.stringify(kill)}`);
    assert.deepEqual(readdirSync(`${folder}/mail`), ["bob"], `after ${JSON.stringify(kill)}`);
  }
  assert.ok(killed >= (ALL ? all.length / 2 : 1), `${killed} of ${all.length} were killed`);
});
