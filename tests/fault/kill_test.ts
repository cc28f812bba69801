/**
 * kill -9 at random moments of logins, retrievals and deletions: no message is lost, nothing unmarked is
 * removed, no unique-id is given twice and none changes.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pop3Client } from "../support/pop3_client.ts";
import { type RunningServer, startServer } from "../support/server.ts";
import { randomFrom } from "./chance.ts";
import { MailboxModel } from "./mailbox_model.ts";

/** One run of all suites makes 200: these from sources under each of two runtimes, the rest on the executable. */
const KILLS = Number(
  process.env["POPKEEP_KILLS"] ?? (process.env["POPKEEP_EXECUTABLE"] ? 120 : 40),
);

/** A run can be repeated with the seed that it printed. */
const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

const CLIENTS = 3;

const SETTINGS = `login_type = "plaintext_login"`;

/** A kill falls within this time after the server listens, ms: the first login, and then dozens of them. */
const LIFE_MS = 400;

test(`${KILLS} kills lose no message and repeat no unique-id (POPKEEP_SEED=${SEED})`, async () => {
  const random = randomFrom(SEED);
  const model = new MailboxModel();
  let server = await startServer({ users: ["alice"], settings: SETTINGS });
  let sessions = 0;
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      deliver(server, model, `k${kill}`, Math.floor(random() * 8));
      const stop = { now: false };
      let finished = () => {};
      const aSession = new Promise<void>((resolve) => finished = resolve);
      const clients = Array.from({ length: CLIENTS }, async () => {
        while (!stop.now) {
          await oneSession(server, model, random).then(() => sessions++, onlyIf(stop));
          finished();
        }
      });
      // Every other server lives at least until a session has come to its end, however slow the machine.
      if (kill % 2 === 0) await Promise.race([aSession, Promise.all(clients)]);
      await sleep(random() * LIFE_MS / 2);
      deliver(server, model, `m${kill}`, Math.floor(random() * 4));
      await sleep(random() * LIFE_MS / 2);
      stop.now = true;
      await server.halt("SIGKILL");
      await Promise.all(clients);
      model.check(tokensOnDisk(server));
      server = await startServer({ folder: server.folder, settings: SETTINGS });
    }
    await oneSession(server, model, () => 1);
    model.check(tokensOnDisk(server));
    assert.ok(sessions >= KILLS / 2, "too few sessions came to their end between two kills");
    assert.ok(model.idsShown > KILLS, "too few messages were seen to prove anything");
  } finally {
    await server.stop();
  }
});

/** Lets a client's failure pass when the server was being killed, and no failed check at any time. */
function onlyIf(stop: { now: boolean }): (error: unknown) => void {
  return (error) => {
    const broken = /ECONN|EPIPE|closed|ended|timed out/i.test(String(error));
    if (!stop.now || !broken) throw error;
  };
}

function deliver(server: RunningServer, model: MailboxModel, name: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const token = `${name}-${i}`;
    model.delivered(token);
    server.maildir("alice").deliver(`Subject: ${token}\n\n${"line of text\n".repeat(20)}`);
  }
}

function tokensOnDisk(server: RunningServer): Set<string> {
  const maildir = server.maildir("alice");
  const tokens = maildir.uniqueNames().map((name) => {
    return /^Subject: (\S+)\n/.exec(maildir.read(name).toString("latin1"))?.[1] ?? "damaged";
  });
  return new Set(tokens);
}

/** Logs in, fetches what it does not know, marks some, and mostly says QUIT. */
async function oneSession(
  server: RunningServer,
  model: MailboxModel,
  random: () => number,
): Promise<void> {
  const client = await server.login("alice");
  try {
    const marked: string[] = [];
    for (const [number, id] of await uniqueIds(client)) {
      const reply = await client.command(`RETR ${number}`);
      // Another client may have removed it since the login.
      if (reply.status === "-ERR") continue;
      const token = /^Subject: (\S+)\r\n/.exec(Buffer.from(reply.body ?? []).toString("latin1"))
        ?.[1];
      assert.ok(token !== undefined, `message ${number} came without its token`);
      model.shown(id, token);
      if (random() < 0.3) {
        await client.ok(`DELE ${number}`);
        marked.push(token);
      }
    }
    if (random() < 0.2) return;
    model.quitSent(marked);
    await client.ok("QUIT");
    model.quitAnswered(marked);
  } finally {
    client.disconnect();
  }
}

async function uniqueIds(client: Pop3Client): Promise<[string, string][]> {
  const lines = await client.listing("UIDL");
  return lines.map((line) => line.split(" ") as [string, string]);
}
