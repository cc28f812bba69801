/** Statements that take a real server: sockets, TLS, Maildirs on disk, other sessions, restarts. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { rmSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { tidyMailbox } from "../../src/delivery/tidy_mailbox.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";

const USERS = [
  ...["locks", "whole", "equal", "carried", "order", "restart", "newest", "lost", "pipelined"],
  ...["broken", "exact", "shutdown", "plain", "ages"],
];

let shared: Promise<RunningServer> | undefined;

/** The server of all tests that need no settings of their own. */
function server(): Promise<RunningServer> {
  return shared ??= startServer({
    settings: 'login_type = "plaintext_login"\nmax_failed_logins = 100',
    users: [...USERS, ["jürgen", "{PLAIN}pässwörd"], ["zo\u00eb", `{PLAIN}${PASSWORD}`]],
  });
}

after(async () => await (await shared)?.stop());

/** Runs `use` with a server of its own. */
async function withServer(
  options: Parameters<typeof startServer>[0],
  use: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const own = await startServer(options);
  try {
    await use(own);
  } finally {
    await own.stop();
  }
}

test("E0005: read mail goes after one age and unread mail after another, as the settings say", async () => {
  const running = await server();
  const maildir = running.maildir("ages");
  maildir.place("1600000001.M1.h:2,S", "read\n");
  maildir.place("1600000002.M1.h", "unread\n", "new");
  const dayMs = 86_400_000;
  const passAfter = (days: number) =>
    tidyMailbox(
      { user: "ages", extra: {} },
      {
        inbox: maildir.path,
        folders: maildir.path,
        layout: "maildir++",
        utf8Names: false,
        root: "/",
      },
      {
        policy: {
          retentionReadMs: 7 * dayMs,
          retentionUnreadMs: 60 * dayMs,
          retentions: [],
          deletedItemRetentionMs: 0,
        },
        uncountedFolders: [],
        borrow: () =>
          Promise.resolve({
            stepMs: Infinity,
            isHeld: () => true,
            giveBack: () => Promise.resolve(),
          }),
        timeoutMs: 30_000,
        nowMs: Date.now() + days * dayMs,
      },
    );
  for (const [days, messages] of [[6, 2], [8, 1], [59, 1], [61, 0]] as const) {
    await passAfter(days);
    const client = await running.login("ages");
    assert.match(await client.ok("STAT"), new RegExp(`^${messages} `), `after ${days} days`);
    await client.quit();
  }
});

test("2.1.3, C0004, RFC2449-8.1.2-IN-USE: two sessions use one mailbox at once, each on its snapshot", async () => {
  const { maildir, first, second } = await twoSessions();
  await first.ok("DELE 1");
  assert.equal(await second.ok("STAT"), "2 4");
  await first.quit();
  assert.equal(maildir.files().length, 1);
  assert.equal(await second.ok("STAT"), "2 4");
  await second.err("RETR 1");
  assert.equal((await second.retrieve("RETR 2")).toString(), "b\r\n");
  await second.ok("DELE 1");
  await second.quit();
  assert.equal(maildir.files().length, 1);
});

async function twoSessions() {
  const running = await server();
  const maildir = running.maildir("locks");
  maildir.deliver("a\n");
  maildir.deliver("b\n");
  return { maildir, first: await running.login("locks"), second: await running.login("locks") };
}

test("C0011: the stored file is never rewritten", async () => {
  const running = await server();
  const maildir = running.maildir("whole");
  const content = Buffer.from("Subject: a\n\n.b\r\nc\0\xff no end", "latin1");
  const name = maildir.deliver(content);
  const client = await running.login("whole");
  await client.retrieve("RETR 1");
  await client.retrieve("TOP 1 1");
  assert.deepEqual(maildir.files(), [`new/${name}`]);
  await client.quit();
  assert.deepEqual(maildir.read(name), content);
});

test("C0009: equal messages have different unique-ids", async () => {
  const running = await server();
  const maildir = running.maildir("equal");
  for (let i = 0; i < 5; i++) maildir.deliver("Message-ID: <1@x>\n\nthe same\n");
  const client = await running.login("equal");
  const ids = (await client.listing("UIDL")).map((line) => line.split(" ")[1]!);
  assert.equal(new Set(ids).size, 5);
  await client.quit();
});

test("C0009, TENSION-CARRIED-IDS, RFC1939-7-UIDL-1: a carried-over unique-id is shown as it was, new ones are decimal and above", async () => {
  const running = await server();
  const maildir = running.maildir("carried");
  const old = [maildir.deliver("old\n"), maildir.deliver("older\n")];
  const carried = ["+zXjxk*mZ.3f", `${"u".repeat(69)}~`];
  const lines = old.map((name, i) => `+ ${17_000 + i} 4 - ${carried[i]} ${name}\n`);
  writeFileSync(maildir.sidecar, `popkeep-uidlist 1\nnext 17002\n${lines.join("")}`);
  maildir.deliver("new\n");
  const client = await running.login("carried");
  const listing = await client.listing("UIDL");
  assert.deepEqual(listing.slice(0, 2), carried.map((id, i) => `${i + 1} ${id}`));
  assert.match(listing[2]!, /^3 [1-9][0-9]{15,}$/);
  await client.quit();
  const again = await running.login("carried");
  assert.deepEqual(await again.listing("UIDL"), listing);
  await again.quit();
});

test("C0007, RFC1939-7-UIDL-3: unique-ids last across a restart of the server", async () => {
  const options = { settings: 'login_type = "plaintext_login"', users: ["restart"] };
  await withServer(options, async (before) => {
    for (let i = 0; i < 3; i++) before.maildir("restart").deliver(`message ${i}\n`);
    const listing = await (await before.login("restart")).listing("UIDL");
    await before.halt("SIGKILL");
    await withServer({ ...options, folder: before.folder }, async (afterwards) => {
      before.maildir("restart").deliver("a new one\n");
      const now = await (await afterwards.login("restart")).listing("UIDL");
      assert.deepEqual(now.slice(0, 3), listing);
      assert.ok(idOf(now[3]!) > idOf(now[2]!));
    });
  });
});

function idOf(line: string): bigint {
  return BigInt(line.split(" ")[1]!);
}

test("C0008, RFC1939-7-UIDL-4: no unique-id is given again though the newest message and the list of ids are gone", async () => {
  const running = await server();
  const maildir = running.maildir("lost");
  let highest = 0n;
  for (let round = 0; round < 4; round++) {
    maildir.deliver(`round ${round}\n`);
    const client = await running.login("lost");
    const [line] = await client.listing("UIDL");
    assert.ok(idOf(line!) > highest, `${line} is not above ${highest}`);
    highest = idOf(line!);
    await client.ok("DELE 1");
    await client.quit();
    if (round % 2 === 1) rmSync(maildir.sidecar);
  }
});

test("RFC1939-4-UNAVAILABLE, RFC3206-4-SYS-PERM: a mailbox that is no folder refuses the login, and the session goes on", async () => {
  const running = await server();
  const maildir = running.maildir("broken");
  maildir.delete();
  writeFileSync(maildir.path, "not a folder");
  const client = await running.connect();
  await client.ok("USER broken");
  assert.equal((await client.err(`PASS ${PASSWORD}`)).code, "SYS/PERM");
  await client.err("STAT");
  await client.login("plain", PASSWORD);
  await client.quit();
});

test("TENSION-ORDER, RFC1939-4-NUMBERS: descending order turns the numbers round, and their unique-ids with them", async () => {
  const options = {
    settings: 'login_type = "plaintext_login"\nmessage_retrieval_sort_order = "descending"',
    users: ["order"],
  };
  await withServer(options, async (own) => {
    for (const text of ["a", "bb", "ccc"]) own.maildir("order").deliver(text);
    const client = await own.login("order");
    assert.deepEqual(await client.listing("LIST"), ["1 3", "2 2", "3 1"]);
    const ids = (await client.listing("UIDL")).map(idOf);
    assert.ok(ids[0]! > ids[1]! && ids[1]! > ids[2]!);
    await client.quit();
  });
});

test("E0001, RFC5034-4-PLAIN: both ports that the settings name serve the mailbox", async () => {
  const running = await server();
  for (const tls of [false, true]) {
    const client = await running.connect({ tls });
    await client.ok(`AUTH PLAIN ${Buffer.from(`\0plain\0${PASSWORD}`).toString("base64")}`);
    await client.ok("STAT");
    await client.quit();
  }
});

test("RFC2449-6.6-PIPELINING, TENSION-PIPELINING: a thousand commands at once are answered one by one, in order", async () => {
  const running = await server();
  const maildir = running.maildir("pipelined");
  for (let i = 0; i < 20; i++) maildir.deliver(`Subject: ${i}\n\n${"line\n".repeat(i)}`);
  const client = await running.login("pipelined");
  const commands = Array.from({ length: 1000 }, (_, i) => `${i % 2 ? "TOP" : "LIST"} ${1 + i % 20}`)
    .map((line) => line.startsWith("TOP") ? `${line} 0` : line);
  await client.send(commands);
  for (const [i, command] of commands.entries()) {
    const { line, body } = await client.reply();
    const number = 1 + i % 20;
    if (command.startsWith("LIST")) assert.match(line, new RegExp(`^\\+OK ${number} `));
    else assert.equal(Buffer.from(body!).toString(), `Subject: ${number - 1}\r\n\r\n`);
  }
  await client.quit();
});

test("RFC2595-4-FORGET: a command behind STLS in the same write is not carried out under TLS", async () => {
  const running = await server();
  const client = await running.connect();
  await client.wire.write(Buffer.from("STLS\r\nUSER plain\r\n"));
  const said: Uint8Array[] = [];
  for (let octets; (octets = await client.wire.read()) !== undefined;) said.push(octets);
  // No handshake, no answer to USER: the server closes.
  assert.match(Buffer.concat(said).toString(), /^\+OK [^\r\n]*\r\n$/);
});

test("RFC6856-2.2-USER: a name and a password in UTF-8 log in, by USER and by PLAIN, without UTF8", async () => {
  const running = await server();
  const client = await running.connect();
  await client.login("jürgen", "pässwörd");
  await client.quit();
  const other = await running.connect();
  await other.ok(`AUTH PLAIN ${Buffer.from("\0jürgen\0pässwörd").toString("base64")}`);
  await other.quit();
});

test("RFC5034-4-SASLPREP, RFC6856-2.2-SASLPREP: a name that SASLprep would make equal is another name", async () => {
  const running = await server();
  const decomposed = "zoe\u0308";
  const client = await running.connect();
  await client.ok(`USER ${decomposed}`);
  assert.equal((await client.err(`PASS ${PASSWORD}`)).code, "AUTH");
  const plain = Buffer.from(`\0${decomposed}\0${PASSWORD}`).toString("base64");
  assert.equal((await client.err(`AUTH PLAIN ${plain}`)).code, "AUTH");
  await client.login("zo\u00eb", PASSWORD);
  await client.quit();
});

test("RFC6856-2.1-SIZE, RFC1939-11-SIZE, 2.1.5: exact sizes are the octets that RETR sends", async () => {
  const options = {
    settings: 'login_type = "plaintext_login"\nenable_exact_rfc822_size = true',
    users: ["exact"],
  };
  await withServer(options, async (own) => {
    const contents = ["", "\n", "a", "a\nb\n", "a\r\nb\r\n", "..\n.", "\r", "ü\n\0\n", "x\r\r\n\n"];
    for (const content of contents) own.maildir("exact").deliver(content);
    for (let login = 0; login < 2; login++) {
      const client = await own.login("exact");
      const sizes = (await client.listing("LIST")).map((line) => Number(line.split(" ")[1]));
      let sum = 0;
      for (const [i, size] of sizes.entries()) {
        assert.equal((await client.retrieve(`RETR ${i + 1}`)).length, size, `message ${i + 1}`);
        sum += size;
      }
      assert.equal(sizes.length, contents.length);
      assert.equal(await client.ok("STAT"), `${sizes.length} ${sum}`);
      await client.quit();
    }
  });
});

test("RFC1939-6-QUIT-3: a server that is told to stop removes nothing that was marked without QUIT", async () => {
  const options = {
    settings: 'login_type = "plaintext_login"\nshutdown_grace_period = "0s"',
    users: ["shutdown"],
  };
  await withServer(options, async (own) => {
    const maildir = own.maildir("shutdown");
    maildir.deliver("a\n");
    const client = await own.login("shutdown");
    await client.ok("DELE 1");
    const stopped = own.halt("SIGTERM");
    const farewell = await client.reply();
    assert.equal(farewell.code, "SYS/TEMP");
    await client.closed();
    await stopped;
    assert.equal(maildir.files().length, 1);
  });
});

test("V0002: any command resets the timer", async () => {
  const limitMs = 2_000;
  const options = {
    settings: 'login_type = "plaintext_login"\nauthenticated_connection_timeout = "2s"',
    users: ["plain"],
  };
  await withServer(options, async (own) => {
    // A machine that stands still for longer than the limit proves nothing, so such a try is repeated.
    for (let tries = 0; tries < 5; tries++) {
      const client = await own.login("plain");
      const commands = ["NOOP", "STAT", "XYZZY", "LIST 7", "NOOP", "NOOP"];
      let longestMs = 0;
      let closed = false;
      for (const command of commands) {
        const sinceMs = performance.now();
        await sleep(limitMs / 4);
        await client.send([command]);
        closed = await client.replyOrEnd().then((reply) => reply === undefined, () => true);
        longestMs = Math.max(longestMs, performance.now() - sinceMs);
        if (closed) break;
      }
      client.disconnect();
      if (longestMs >= limitMs) continue;
      return assert.equal(closed, false, "the session was ended though commands came in time");
    }
    assert.fail("this machine stood still for two seconds in each of five tries");
  });
});
