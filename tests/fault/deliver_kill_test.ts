/**
 * `popkeep deliver` killed at each system call that it makes in the mailbox: nobody ever sees a part of a
 * message or of a Maildir, what it said 0 for is there, and delivering again delivers.
 *
 * POPKEEP_CRASH=all kills at every call; otherwise it is a few drawn ones, which POPKEEP_SEED repeats.
 */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { after, test } from "node:test";
import { sizeHints, uniqueNameOf } from "../../src/maildir/file_name.ts";
import { ALL_KILLS, CommandKills, type Kill, killsToTry, SEED } from "./command_kills.ts";

/** Kills that a test tries, of those that there are. */
const TRIED = 5;

/** Longer than what is written at a time. */
const MESSAGE = `Subject: whole\n\n${"a line of a message\n".repeat(16_384)}the end\n`;
const DELIVERED = `Delivered-To: bob\n${MESSAGE}`;

/** Those by which something changes; how each runtime makes them differs. */
const CALLS = ["mkdir", "mkdirat", "openat", "write", "fsync", "close", "link", "linkat", "unlink"];

const kills = new CommandKills("deliver", CALLS);
const { folder, mailbox } = kills;

after(() => kills.remove());

/** Delivers the message. */
const deliver = (kill?: Kill) => kills.run({ words: ["deliver", "bob"], input: MESSAGE }, kill);

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
  const all = kills.killsOf((await deliver()).trace);
  assert.ok(all.length >= 10, JSON.stringify(all));
  let killed = 0;
  for (const kill of killsToTry(all, TRIED)) {
    if (!ALL_KILLS && killed === TRIED) break;
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
  assert.ok(killed >= (ALL_KILLS ? all.length / 2 : 1), `${killed} of ${all.length} were killed`);
});
