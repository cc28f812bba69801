/**
 * `popkeep import-uids` killed at each system call that it makes in the mailbox: the list is the one of before or
 * the whole new one, a login between shows no old unique-id for another message, and importing again does what is
 * left. Nothing of the old server's is ever opened for writing.
 *
 * POPKEEP_CRASH=all kills at every call; otherwise it is a few drawn ones, which POPKEEP_SEED repeats.
 */

import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { Mailbox } from "../../src/maildir/mailbox.ts";
import type { MessageNumber } from "../../src/maildrop/message_number.ts";
import { TestMaildir } from "../support/test_maildir.ts";
import { ALL_KILLS, CommandKills, type Kill, killsToTry, SEED } from "./command_kills.ts";

/** Kills that a test tries, of those that there are. */
const TRIED = 5;

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

let maildir: TestMaildir;
let names: string[];

const kills = new CommandKills("import", CALLS);
const { folder } = kills;

after(() => kills.remove());

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

const importUids = (kill?: Kill) =>
  kills.run({ words: ["import-uids", "bob", "--from", "dovecot"] }, kill);

/** Unique-ids and names as a server that has just started shows them. */
async function shown(): Promise<string[]> {
  const snapshot = await new Mailbox(maildir.path, { exactSizes: false }).refresh();
  return Array.from({ length: snapshot.count }, (_, index) => {
    const number = index + 1 as MessageNumber;
    return `${snapshot.uniqueIdOf(number)} ${snapshot.entryOf(number).uniqueName}`;
  });
}

const wanted = () => names.toReversed().map((name, n) => `${n === 0 ? "77" : `id${n}`} ${name}`);

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
  const all = kills.killsOf((await importUids()).trace);
  assert.ok(all.length >= 10, JSON.stringify(all));
  let killed = 0;
  for (const kill of killsToTry(all, TRIED)) {
    if (!ALL_KILLS && killed === TRIED) break;
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
  assert.ok(killed >= (ALL_KILLS ? all.length / 2 : 1), `${killed} of ${all.length} were killed`);
});
