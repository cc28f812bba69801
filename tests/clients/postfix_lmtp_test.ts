/**
 * Postfix hands mail over by LMTP, as docs/delivery.md has it, by a socket and by an address: a thousand messages
 * each, while workers are killed. What Postfix was told is delivered is there, whole; it gives back what is for
 * nobody, and nothing else.
 */

import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { logged } from "../end_to_end/server_log.ts";
import { isRunning, processOf } from "../end_to_end/worker_processes.ts";
import { freePort } from "../support/free_port.ts";
import { PostfixServer } from "../support/postfix_server.ts";
import { clientTest, run } from "../support/real_client.ts";
import { idOf } from "../support/root_start.ts";
import { type RunningServer, startServer } from "../support/server.ts";

const USERS = ["alice", "bob", "carol", "dave", "erin"].map((user) => `${user}@example.com`);

/** Messages for each of them, octets of each, and workers that are killed meanwhile. */
const MESSAGES = "Deno" in globalThis ? 40 : 200;
const OCTETS = 5_000;
const KILLS = 3;

/** How long it may take until all mail is delivered, ms. */
const PATIENCE_MS = 300_000;

const COMMANDS = ["postfix", "smtp-source"];

if (process.getuid?.() === 0) {
  for (const way of ["socket", "address"] as const) {
    clientTest(
      COMMANDS,
      `no mail is lost that Postfix hands over by LMTP, by ${way}`,
      (folder) => withPostfix(folder, way, accepted),
    );
  }
  clientTest(
    COMMANDS,
    "Postfix gives back by LMTP what is for nobody, and nothing else",
    (folder) => withPostfix(folder, "socket", givenBack),
  );
} else test("Postfix hands mail over by LMTP", { skip: "takes root, as Postfix does" }, () => {});

async function withPostfix(
  folder: string,
  way: "socket" | "address",
  body: (postfix: PostfixServer, server: RunningServer) => Promise<void>,
): Promise<void> {
  // Postfix is in its group, and nobody else comes near.
  mkdirSync(`${folder}/lmtp`);
  chownSync(`${folder}/lmtp`, 0, idOf("postfix", "-g"));
  chmodSync(`${folder}/lmtp`, 0o2750);
  const port = await freePort();
  const server = await startServer({
    users: USERS,
    settings: `workers = 2
folder_separator = "+"
max_receive_size = "64KiB"
lmtp_bindings = ["unix:${folder}/lmtp/popkeep", "127.0.0.1:${port}"]`,
  });
  try {
    for (const user of USERS) mkdirSync(server.homeOf(user), { recursive: true });
    await logged(server, { since: 0, message: "ready" });
    const lmtp = way === "socket" ? `unix:${folder}/lmtp/popkeep` : `inet:127.0.0.1:${port}`;
    const postfix = await PostfixServer.start(folder, { lmtp });
    try {
      await body(postfix, server);
    } finally {
      await postfix.stop();
    }
  } finally {
    await server.stop();
  }
}

/** Sends messages through Postfix; it has accepted all of them. */
async function send(postfix: PostfixServer, ...options: readonly string[]): Promise<void> {
  const to = `127.0.0.1:${postfix.port}`;
  const { code, output } = await run(postfix.folder, "smtp-source", ...options, to);
  assert.equal(code, 0, output);
}

async function untilSent(postfix: PostfixServer): Promise<void> {
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  while (postfix.queued > 0) {
    assert.ok(performance.now() < giveUpAtMs, postfix.log);
    await sleep(50);
  }
}

function messagesOf(server: RunningServer, user: string): string[] {
  const path = `${server.homeOf(user)}/Maildir/new`;
  return readdirSync(path).sort().map((name) => readFileSync(`${path}/${name}`, "latin1"));
}

async function accepted(postfix: PostfixServer, server: RunningServer): Promise<void> {
  const stop = { now: false };
  const killing = killWorkers(server, stop);
  const what = ["-s", "4", "-m", String(MESSAGES), "-l", String(OCTETS), "-f", "zoe@example.org"];
  for (const user of USERS) await send(postfix, ...what, "-t", user);
  await untilSent(postfix);
  stop.now = true;
  const killed = await killing;
  assert.ok(killed > 0, "no worker was killed");
  const sent = [...postfix.log.matchAll(/status=sent \(250 2\.0\.0 saved as ([^)]+)\)/g)];
  assert.equal(sent.length, MESSAGES * USERS.length);
  const names = new Set<string>();
  let copies = 0;
  for (const user of USERS) {
    const messages = messagesOf(server, user);
    const ids = messages.map((text) => /^Message-Id: (.*)$/m.exec(text)?.[1]);
    assert.equal(new Set(ids).size, MESSAGES, user);
    const bodies = new Set(messages.map((text) => text.slice(text.indexOf("\n\n"))));
    assert.equal(bodies.size, 1, "all are one text, and whole");
    assert.ok([...bodies][0]!.length >= OCTETS - 1_000);
    for (const text of messages) {
      assert.ok(
        text.startsWith(`Return-Path: <zoe@example.org>\nDelivered-To: ${user}\nReceived: `),
      );
    }
    copies += messages.length - MESSAGES;
    for (const name of readdirSync(`${server.homeOf(user)}/Maildir/new`)) names.add(name);
  }
  // What Postfix was told of each is what there is.
  for (const [, name] of sent) assert.ok(names.has(name!), name!);
  // A worker that was killed before it said so has its messages come once more: some to one, from each client.
  assert.ok(copies <= killed * 20, `${copies} messages twice`);
}

/** Kills workers while mail comes, one after the other, until there have been enough; how many it were. */
async function killWorkers(
  server: RunningServer,
  stop: { readonly now: boolean },
): Promise<number> {
  let killed = 0;
  for (let since = 0; killed < KILLS && !stop.now;) {
    await sleep(20);
    if (!server.log.slice(since).includes("message delivered")) continue;
    await sleep(Math.random() * 300);
    const alive = [1, 2].map((worker) => processOf(server, worker)).filter(isRunning);
    const one = alive[Math.floor(Math.random() * alive.length)];
    if (one === undefined) continue;
    since = server.log.length;
    process.kill(one, "SIGKILL");
    killed++;
  }
  return killed;
}

async function givenBack(postfix: PostfixServer, server: RunningServer): Promise<void> {
  for (const sender of ["-x@example.org", '"a<b"@example.org', "user.@example.org", "<>"]) {
    await send(postfix, "-f", sender, "-t", "alice+Lists@example.com");
  }
  // The null sender gets nothing back, so that the mail need not go anywhere else.
  await send(postfix, "-f", "<>", "-t", "nobody@example.com");
  await send(postfix, "-f", "<>", "-l", "100000", "-t", "bob@example.com");
  await untilSent(postfix);
  const heads = messagesOf(server, "alice@example.com").map((text) =>
    text.slice(0, text.indexOf("Received: "))
  );
  assert.deepEqual(heads.sort(), [
    "Delivered-To: alice+Lists@example.com\n",
    'Return-Path: <"user."@example.org>\nDelivered-To: alice+Lists@example.com\n',
    "Return-Path: <-x@example.org>\nDelivered-To: alice+Lists@example.com\n",
    "Return-Path: <>\nDelivered-To: alice+Lists@example.com\n",
  ]);
  const bounced = [...postfix.log.matchAll(/to=<([^>]*)>.* dsn=([\d.]+), status=bounced/g)];
  assert.deepEqual(bounced.map(([, to, dsn]) => `${to} ${dsn}`).sort(), [
    "bob@example.com 5.3.4",
    "nobody@example.com 5.1.1",
  ]);
  assert.doesNotMatch(postfix.log, /status=deferred/);
}
