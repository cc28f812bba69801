/**
 * `popkeep import-uids` killed at each system call that it makes in the mailbox: the list is the one of before or
 * the whole new one, a login between shows no old unique-id for another message, and importing again does what is
 * left. Nothing of the old server's is ever opened for writing.
 *
 * POPKEEP_CRASH=all kills at every call; otherwise it is a few drawn ones, which POPKEEP_SEED repeats.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
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
import { Mailbox } from "../../src/maildir/mailbox.ts";
import type { MessageNumber } from "../../src/maildrop/message_number.ts";
import { popkeepCommand } from "../support/command_line.ts";
import { TestMaildir } from "../support/test_maildir.ts";
import { randomFrom, shuffled } from "./chance.ts";

const ALL = process.env["POPKEEP_CRASH"] === "all";

/** Kills that a test tries, of those that there are. */
const TRIED = 5;

const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** Those by which something changes, or is opened; how each runtime makes them differs. */
const CALLS = [
  "mkdir",
  "mkdirat",
  "open",
  "openat",
  "write",
  "pwrite64",
  "fsync",
  "fdatasync",
  "close",
  "link",
  "linkat",
  "rename",
  "renameat",
  "renameat2",
  "unlink",
  "unlinkat",
];

const MESSAGES = 3;

let folder: string;
let maildir: TestMaildir;
let names: string[];

before(() => {
  folder = realpathSync(mkdtempSync(`${tmpdir()}/popkeep-import-kill-`));
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

function begin(): void {
  rmSync(`${folder}/mail`, { recursive: true, force: true });
  maildir = new TestMaildir(`${folder}/mail/bob`);
  names = Array.from({ length: MESSAGES }, (_, n) => maildir.deliver(`${n}`));
  // In the other order, and the first one of them with a decimal id.
  const lines = names.toReversed().map((name, n) =>
    `${n + 1} P${n === 0 ? "77" : `id${n}`} :${name}\n`
  );
  writeFileSync(`${maildir.path}/dovecot-uidlist`, `3 V5 N9\n${lines.join("")}`);
}

interface Kill {
  readonly call: string;
  /** Which of those that one thread makes, from 1. */
  readonly nth: number;
}

/** Imports under strace; the exit code, undefined if it was killed, and the calls it made. */
async function importUids(
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
    ...["import-uids", "bob", "--from", "dovecot", "--config", `${folder}/popkeep.toml`],
  ];
  const child = spawn("strace", words, { stdio: "ignore" });
  const [code, signal] = await once(child, "exit");
  return { code: signal === null ? code : undefined, trace: readFileSync(table, "utf8") };
}

/** Unique-ids and names as a server that has just started shows them. */
async function shown(): Promise<string[]> {
  const snapshot = await new Mailbox(maildir.path, { exactSizes: false }).refresh();
  return Array.from({ length: snapshot.count }, (_, index) => {
    const number = index + 1 as MessageNumber;
    return `${snapshot.uniqueIdOf(number)} ${snapshot.entryOf(number).uniqueName}`;
  });
}

const wanted = () => names.toReversed().map((name, n) => `${n === 0 ? "77" : `id${n}`} ${name}`);

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

test("the new list is on the disk before its name is, and the old server's is read alone", async () => {
  begin();
  const { code, trace } = await importUids();
  assert.equal(code, 0);
  assert.deepEqual(await shown(), wanted());
  const at = (what: RegExp) => trace.search(what);
  const steps = [
    /write(?:64)?\(\d+<[^>]*\/bob\/tmp\/popkeep-uidlist/,
    /f(?:data)?sync\(\d+<[^>]*\/bob\/tmp\/popkeep-uidlist/,
    /rename(?:at2?)?\(.*\/bob\/popkeep-uidlist"/,
    /fsync\(\d+<[^>]*\/bob>/,
    /exited with 0/,
  ];
  assert.deepEqual(steps.map(at).toSorted((one, other) => one - other), steps.map(at));
  assert.ok(steps.every((step) => at(step) >= 0), trace);
  const openings = trace.split("\n").filter((line) => /open.*dovecot-uidlist"/.test(line));
  assert.ok(openings.length > 0);
  assert.ok(
    openings.every((line) => /O_RDONLY/.test(line) && !/O_CREAT/.test(line)),
    openings.join(),
  );
});

test(`killed at any of its calls it has done nothing or all (POPKEEP_SEED=${SEED})`, async () => {
  begin();
  const all = killsOf((await importUids()).trace);
  assert.ok(all.length >= 10, JSON.stringify(all));
  const kills = ALL ? all : shuffled(all, randomFrom(SEED)).slice(0, 4 * TRIED);
  let killed = 0;
  for (const kill of kills) {
    if (!ALL && killed === TRIED) break;
    begin();
    const { code } = await importUids(kill);
    if (code === undefined) killed++;
    const isThere = existsSync(maildir.sidecar);
    if (code === 0) assert.ok(isThere, `done and lost: ${JSON.stringify(kill)}`);
    if (isThere) assert.deepEqual(await shown(), wanted(), JSON.stringify(kill));
    assert.equal((await importUids()).code, 0, `after ${JSON.stringify(kill)}`);
    assert.deepEqual(await shown(), wanted(), `after ${JSON.stringify(kill)}`);
    const left = readdirSync(maildir.path).filter((name) => name.startsWith("popkeep-"));
    assert.deepEqual(left, ["popkeep-uidlist"], `after ${JSON.stringify(kill)}`);
    assert.deepEqual(readdirSync(`${maildir.path}/tmp`), [], `after ${JSON.stringify(kill)}`);
  }
  assert.ok(killed >= (ALL ? all.length / 2 : 1), `${killed} of ${all.length} were killed`);
});
