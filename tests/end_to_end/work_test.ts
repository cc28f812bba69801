/**
 * What sessions cost in system calls: a slow-down by design fails here, a busy machine does not.
 *
 * The bounds are what is there now with little room; who needs more says in docs/performance.md what for.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type RunningServer, startServer } from "../support/server.ts";
import { type CallCounts, systemCallsDuring } from "../support/system_calls.ts";
import { noWarmFiles } from "../support/warm.ts";

const MESSAGES = 20;
const SESSIONS = 20;

/** Whose mailboxes nobody has looked into yet. */
const STRANGERS = ["bob", "carol", "dave", "erin", "frank"];

let server: RunningServer;

before(async () => {
  server = await startServer({
    users: ["alice", ...STRANGERS],
    settings: 'login_type = "plaintext_login"',
  });
  for (const user of ["alice", ...STRANGERS]) {
    for (let n = 1; n <= MESSAGES; n++) {
      server.maildir(user).deliver(`Subject: ${n}\n\n${"a line of text\n".repeat(2_000)}`);
    }
  }
  // The first look gives ids; one a good while later finds the folders quiet, and all in memory.
  for (let looks = 0; looks < 25; looks++) {
    await pollOnce();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

after(() => server.stop());

async function pollOnce(user = "alice"): Promise<void> {
  const client = await server.login(user);
  await client.ok("STAT");
  assert.equal((await client.listing("UIDL")).length, MESSAGES);
  assert.equal((await client.listing("LIST")).length, MESSAGES);
  await client.quit();
}

/** Calls a session that have one of these names. */
function perSession(counts: CallCounts, ...names: string[]): number {
  return names.reduce((sum, name) => sum + (counts.get(name) ?? 0), 0) / SESSIONS;
}

const LISTING = ["getdents64", "getdents"];
const SYNCING = ["fsync", "fdatasync", "sync_file_range"];
const CHANGING = [
  "rename",
  "renameat",
  "renameat2",
  "unlink",
  "unlinkat",
  "link",
  "linkat",
  "mkdir",
];
const SENDING = ["sendto", "sendmsg", "write", "writev", "pwritev2"];

test("a poll of an unchanged mailbox looks three times and reads, lists and writes nothing", {
  skip: noWarmFiles,
}, async () => {
  const counts = await systemCallsDuring(server.child.pid!, async () => {
    for (let sessions = 0; sessions < SESSIONS; sessions++) await pollOnce();
  });
  const said = JSON.stringify([...counts]);
  assert.equal(perSession(counts, ...LISTING, ...SYNCING, ...CHANGING), 0, said);
  assert.equal(perSession(counts, "preadv2", "pread64"), 0, said);
  // new/, cur/ and the list of unique-ids; the user file now and then.
  assert.ok(perSession(counts, "openat2") <= 3, said);
  assert.ok(perSession(counts, "stat", "lstat", "newfstatat", "openat") <= 2, said);
  // A greeting and six replies, of which those to UIDL and LIST are one write each, and two lines of log.
  assert.ok(perSession(counts, ...SENDING) <= 10, said);
});

test("a first poll looks once at each file, syncs twice and moves nothing", {
  skip: noWarmFiles,
}, async () => {
  const counts = await systemCallsDuring(server.child.pid!, async () => {
    for (const user of STRANGERS) await pollOnce(user);
  });
  const said = JSON.stringify([...counts]);
  const each = (...names: string[]) => perSession(counts, ...names) * SESSIONS / STRANGERS.length;
  // The file of unique-ids and its folder; nothing is made elsewhere and moved.
  assert.ok(each(...SYNCING) <= 2, said);
  assert.ok(each("unlink", "unlinkat") <= 1, said);
  assert.equal(each(...CHANGING.filter((name) => !name.startsWith("unlink"))), 0, said);
  // new/ and cur/, each read to its end.
  assert.ok(each(...LISTING) <= 4, said);
  // Those, the lock, the file and its folder; now and then the user file.
  assert.ok(each("openat") <= 6, said);
  // Besides the messages: what a poll looks at, the folders, who owns the mailbox, who holds the lock.
  assert.ok(each("openat2", "stat", "lstat", "newfstatat") <= MESSAGES + 16, said);
  assert.ok(each("preadv2", "pread64", "read") <= 2, said);
});

test("a message that is at hand costs four calls for its file and two to be sent", {
  skip: noWarmFiles,
}, async () => {
  const client = await server.login("alice");
  for (let n = 1; n <= MESSAGES; n++) await client.retrieve(`RETR ${n}`);
  const counts = await systemCallsDuring(server.child.pid!, async () => {
    for (let times = 0; times < SESSIONS; times++) {
      for (let n = 1; n <= MESSAGES; n++) await client.retrieve(`RETR ${n}`);
    }
  });
  await client.quit();
  const said = JSON.stringify([...counts]);
  const each = (...names: string[]) => perSession(counts, ...names) / MESSAGES;
  assert.ok(each("openat2") <= 1.1 && each("preadv2") <= 1.1 && each("statx") <= 1.1, said);
  assert.ok(each("openat", "read", "pread64", "stat", "fstat", "newfstatat") <= 0.5, said);
  // 30 kB fit into a batch; a client that reads late makes the socket take it in two.
  assert.ok(each(...SENDING) <= 2.2, said);
});

test("replies to commands that came together go out together", async () => {
  const client = await server.login("alice");
  const commands = Array.from({ length: 100 }, () => "NOOP");
  await client.send(commands);
  for (const _ of commands) await client.reply();
  const counts = await systemCallsDuring(server.child.pid!, async () => {
    for (let times = 0; times < SESSIONS; times++) {
      await client.send(commands);
      for (const _ of commands) assert.equal((await client.reply()).line, "+OK");
    }
  });
  await client.quit();
  assert.ok(perSession(counts, ...SENDING) <= 4, JSON.stringify([...counts]));
});
