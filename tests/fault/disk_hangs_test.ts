/**
 * A filesystem that hangs: who has mail there is told so in time, nobody else notices, and when it answers
 * again all is as it was.
 */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { logged, logRecords } from "../end_to_end/server_log.ts";
import { HangingFilesystem, noHangingFilesystem } from "../support/hanging_filesystem.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { TestMaildir } from "../support/test_maildir.ts";

/** Mailboxes on the filesystem that hangs: more than there are threads in any of the runtimes but Deno. */
const STRANDED = Array.from({ length: 40 }, (_, index) => `stranded${index}`);

/** Users of a filesystem that answers. */
const OTHERS = ["bob", "carol", "dave"];

const MESSAGES = 5;

let disk: HangingFilesystem;
let server: RunningServer;
const maildirs = new Map<string, TestMaildir>();

const skip = noHangingFilesystem;

before(async () => {
  if (skip !== false) return;
  disk = await HangingFilesystem.mount();
  server = await startServer({
    users: [
      ...STRANDED.map((user) => stranded(user)),
      ...OTHERS,
    ],
    settings: 'login_type = "plaintext_login"\nstorage_timeout = "1s"',
  });
  for (const user of STRANDED) maildirs.set(user, new TestMaildir(`${disk.path}/${user}`));
  for (const user of OTHERS) maildirs.set(user, server.maildir(user));
  for (const user of [...STRANDED, ...OTHERS]) {
    for (let n = 1; n <= MESSAGES; n++) deliver(user, n);
  }
});

after(async () => {
  if (skip !== false) return;
  disk.answer();
  await server.stop();
  await disk.remove();
});

function stranded(user: string): readonly [string, string, string] {
  return [user, `{PLAIN}${PASSWORD}`, `userdb_mail=maildir:${disk.path}/${user}`];
}

function deliver(user: string, n: number): void {
  maildirs.get(user)!.deliver(`Subject: ${n} of ${user}\n\n${"a line of text\n".repeat(200)}`);
}

/** A session of somebody who waits for no disk that hangs: everything that sessions do. */
async function fullSession(user: string): Promise<void> {
  deliver(user, 0);
  const client = await server.login(user);
  const listed = await client.listing("LIST");
  assert.equal((await client.listing("UIDL")).length, listed.length);
  for (let n = 1; n <= listed.length; n++) {
    assert.match(
      String(await client.retrieve(`RETR ${n}`)),
      new RegExp(`^Subject: \\d of ${user}`),
    );
  }
  await client.ok("DELE 1");
  await client.quit();
  assert.equal(maildirs.get(user)!.files().length, listed.length - 1);
}

/** A login that must be refused for now; a client that gets no answer fails by its own limit. */
async function refusedLogin(user: string): Promise<void> {
  const client = await server.connect();
  await client.ok(`USER ${user}`);
  assert.equal((await client.err(`PASS ${PASSWORD}`)).code, "SYS/TEMP");
  await client.quit();
}

async function idsOf(user: string): Promise<string[]> {
  const client = await server.login(user);
  const ids = (await client.listing("UIDL")).map((line) => line.split(" ")[1]!);
  await client.quit();
  return ids;
}

/** How many files of the filesystem the server has open. */
function openThere(): number {
  const folder = `/proc/${server.child.pid}/fd`;
  return readdirSync(folder).filter((name) => {
    try {
      return readlinkSync(`${folder}/${name}`).startsWith(disk.path);
    } catch {
      // Closed meanwhile.
      return false;
    }
  }).length;
}

const silences = () =>
  logRecords(server).filter(({ message }) => message === "filesystem does not answer");

test(
  "who has mail on a filesystem that hangs is told so, others notice nothing, and then all is well",
  {
    skip,
  },
  async () => {
    const [reading = "", quitting = "", ...polling] = STRANDED;
    const before = new Map<string, string[]>();
    for (const user of STRANDED) before.set(user, await idsOf(user));
    for (const user of OTHERS) await fullSession(user);
    const readers: Pop3Client[] = [await server.login(reading), await server.login(reading)];
    const quitter = await server.login(quitting);
    await quitter.ok("DELE 1");
    await quitter.ok("DELE 2");
    deliver(polling[0]!, 9);

    disk.hang();
    // All at once: what waits for the disk, and what must not wait for that.
    const told = [
      ...polling.map(refusedLogin),
      ...readers.map(async (client, index) => {
        assert.equal((await client.err(`RETR ${index + 1}`)).code, "SYS/TEMP");
        await client.ok("NOOP");
      }),
      (async () => {
        assert.match((await quitter.err("QUIT")).line, /^-ERR/);
        await quitter.closed();
      })(),
    ];
    for (let rounds = 0; rounds < 5; rounds++) await Promise.all(OTHERS.map(fullSession));
    await Promise.all(told);
    // Nobody waits again for what others have waited for.
    await Promise.all([...polling, reading, quitting].map(refusedLogin));
    for (const user of OTHERS) await fullSession(user);
    assert.equal(silences().length, 1, server.log);

    const since = server.log.length;
    disk.answer();
    await logged(server, { since, message: "filesystem answers again" });
    for (const client of readers) {
      assert.match(String(await client.retrieve("RETR 3")), /^Subject: 3 of /);
      await client.quit();
    }
    for (const user of STRANDED) {
      const left = await idsOf(user);
      const known = before.get(user)!;
      const marked = user === quitting ? known.slice(0, 2) : [];
      const kept = known.filter((id) => !marked.includes(id));
      // What was marked may be there still, or not: its owner was not told that it is gone.
      assert.deepEqual(left.filter((id) => kept.includes(id)), kept, `${user}'s ids`);
      assert.deepEqual(
        left.filter((id) => !known.includes(id)).length,
        user === polling[0] ? 1 : 0,
      );
      assert.ok(!existsSync(`${disk.behind}/${user}/popkeep-uidlist.lock`), `${user}'s lock`);
    }
    for (let tries = 0; openThere() > 0 && tries < 100; tries++) await sleep(50);
    assert.equal(openThere(), 0, "what was opened late was closed");
    assert.ok(!server.log.includes("fault in popkeep"), server.log);
  },
);

test("a first list of unique-ids that is written while the filesystem hangs gives each id once", {
  skip,
}, async () => {
  const user = STRANDED[5]!;
  const path = `${disk.behind}/${user}`;
  deliver(user, 7);
  const idsBefore = await idsOf(user);
  for (let times = 0; times < 10; times++) {
    deliver(user, 8);
    // At another moment of the login each time.
    const login = server.connect().then(async (client) => {
      await client.ok(`USER ${user}`);
      const reply = await client.command(`PASS ${PASSWORD}`);
      if (reply.status === "-ERR") assert.equal(reply.code, "SYS/TEMP");
      await client.quit();
    });
    await sleep(times * 2);
    disk.hang();
    await login;
    await fullSession(OTHERS[0]!);
    disk.answer();
  }
  const ids = await untilServed(user);
  assert.equal(ids.length, idsBefore.length + 10);
  assert.deepEqual(ids.slice(0, idsBefore.length), idsBefore);
  assert.equal(new Set(ids).size, ids.length);
  const lines = readFileSync(`${path}/popkeep-uidlist`, "latin1").split("\n");
  const given = lines.filter((line) => line.startsWith("+ ")).map((line) => line.split(" ")[1]);
  assert.equal(new Set(given).size, given.length, "ids in the list");
});

/** The ids, once the mailbox answers. */
async function untilServed(user: string): Promise<string[]> {
  for (let tries = 0;; tries++) {
    try {
      return await idsOf(user);
    } catch (error) {
      if (tries === 20) throw error;
      await sleep(250);
    }
  }
}

test("a server whose disk hangs stops when it is told to", { skip }, async () => {
  const folder = server.folder;
  disk.hang();
  await Promise.all(STRANDED.slice(0, 10).map(refusedLogin));
  assert.equal(await server.halt("SIGTERM"), 0);
  disk.answer();
  server = await startServer({
    folder,
    settings: 'login_type = "plaintext_login"\nstorage_timeout = "1s"',
  });
  assert.ok((await idsOf(STRANDED[7]!)).length >= MESSAGES);
});
