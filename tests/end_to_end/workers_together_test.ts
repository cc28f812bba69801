/** What holds over all workers: limits, the counts of guesses, settings. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { Pop3Client } from "../support/pop3_client.ts";
import { PASSWORD, type RunningServer } from "../support/server.ts";
import { SocketWire } from "../support/wire.ts";
import { logged } from "./server_log.ts";
import {
  APP_PASSWORD,
  newAddress,
  onBoth,
  placed,
  processOf,
  until,
  withWorkers,
} from "./worker_processes.ts";

/** Logs in on a connection that is there: true if there was a place. */
async function getsIn(client: Pop3Client, user: string): Promise<boolean> {
  await client.ok(`USER ${user}`);
  const { status, code } = await client.command(`PASS ${PASSWORD}`);
  if (status === "-ERR") assert.equal(code, "SYS/TEMP");
  return status === "+OK";
}

test("a user's sessions are limited over all workers, however many come at once", () =>
  withWorkers("max_connections_per_user = 3", async (server) => {
    for (let round = 0; round < 5; round++) {
      const clients = await Promise.all(
        Array.from({ length: 40 }, () => server.connect({ localAddress: newAddress() })),
      );
      const inside = await Promise.all(clients.map((client) => getsIn(client, "alice")));
      const count = inside.filter((one) => one).length;
      assert.equal(count, 3, `round ${round}`);
      const other = await server.connect();
      assert.equal(await getsIn(other, "bob"), true, "others are not meant");
      await other.quit();
      const since = server.log.length;
      await Promise.all(clients.map((client) => client.quit()));
      await logged(server, { since, message: "session ended", user: "alice" });
      await until(() => server.log.slice(since).split('"user":"alice"').length >= 4);
    }
  }));

for (const key of ["max_connections", "max_connections_from_single_address"]) {
  test(`${key} holds over all workers, however many come at once`, () =>
    withWorkers(`${key} = 10\ntls_handshake_timeout = "1s"`, async (server) => {
      await until(() => server.log.split('"session ended"').length > 2);
      const greetings = await Promise.all(Array.from({ length: 60 }, async () => {
        const client = new Pop3Client(await SocketWire.connect({ port: server.plainPort }));
        return { client, reply: await client.replyOrEnd() };
      }));
      const admitted = greetings.filter(({ reply }) => reply?.status === "+OK");
      assert.equal(admitted.length, 10);
      for (const { client, reply } of greetings) {
        if (reply?.status === "+OK") continue;
        assert.equal(reply?.code, "SYS/TEMP");
        await client.closed();
      }
      const since = server.log.length;
      await admitted[0]!.client.quit();
      await logged(server, { since, message: "session ended", reason: "quit" });
      const next = await server.connect();
      await next.quit();
      for (const { client } of admitted.slice(1)) await client.quit();
    }));
}

test("the places of a worker that was killed are free at once, and those of others are not", () =>
  withWorkers("max_connections_per_user = 6", async (server) => {
    const sessions = await onBoth(server, "alice");
    while (sessions.length < 6) sessions.push(await placed(server, "alice"));
    const since = server.log.length;
    process.kill(processOf(server, 1), "SIGKILL");
    await logged(server, { since, message: "worker ended and is started again", worker: 1 });
    const left = sessions.filter(({ worker }) => worker === 2).length;
    for (let count = left; count < 6; count++) await placed(server, "alice");
    assert.equal(await getsIn(await server.connect(), "alice"), false);
  }));

const GUESSING = `
max_failed_logins = 1000
failed_login_delay = "0"
max_failed_logins_from_single_address = 12
failed_login_block_time = "1h"
`;

let guesses = 0;

/** The response code of a refusal, or "+OK". */
async function tries(client: Pop3Client, user: string, password = `guess ${guesses++}`) {
  await client.ok(`USER ${user}`);
  const { status, code } = await client.command(`PASS ${password}`);
  return status === "+OK" ? status : code;
}

function fromAddress(server: RunningServer, localAddress: string): Promise<Pop3Client> {
  return server.connect({ localAddress });
}

test("guesses over all workers at once are no more than one after the other", () =>
  withWorkers(GUESSING, async (server) => {
    const address = newAddress();
    const clients = await Promise.all(
      Array.from({ length: 60 }, () => fromAddress(server, address)),
    );
    const answers = await Promise.all(clients.map((client) => tries(client, "alice")));
    assert.equal(answers.filter((answer) => answer === "AUTH").length, 12);
    assert.equal(answers.filter((answer) => answer === "LOGIN-DELAY").length, 48);
    const rightful = await fromAddress(server, newAddress());
    assert.equal(await tries(rightful, "alice", PASSWORD), "+OK");
  }));

test("an address stays refused whoever of the workers dies, and over a restart", () =>
  withWorkers(GUESSING, async (server) => {
    const address = newAddress();
    const guesser = await fromAddress(server, address);
    for (let at = 0; at < 12; at++) assert.equal(await tries(guesser, "alice"), "AUTH");
    for (const worker of [1, 2]) {
      const since = server.log.length;
      process.kill(processOf(server, worker), "SIGKILL");
      await logged(server, { since, message: "worker serves", worker });
      for (let at = 0; at < 4; at++) {
        const again = await fromAddress(server, address);
        assert.equal(await tries(again, "bob", PASSWORD), "LOGIN-DELAY");
      }
    }
    assert.equal(await server.halt(), 0);
    const kept = JSON.parse(readFileSync(`${server.folder}/state/failed_logins.json`, "utf8"));
    assert.equal(kept.blocked_addresses.length, 1);
  }));

test("what a killed worker had begun keeps nobody of the address in line for ever", () =>
  withWorkers(`${GUESSING}\nmax_failed_logins_per_user = 1000`, async (server) => {
    const address = newAddress();
    for (let at = 0; at < 11; at++) {
      assert.equal(await tries(await fromAddress(server, address), "alice"), "AUTH");
    }
    // One more may be under way; those who come at once stand in line when their worker dies.
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => fromAddress(server, address)),
    );
    for (const client of clients) {
      await client.send(["USER alice", `PASS guess ${guesses++}`]);
    }
    for (const worker of [1, 2]) process.kill(processOf(server, worker), "SIGKILL");
    const since = server.log.length;
    await logged(server, { since: 0, message: "worker ended and is started again", worker: 2 });
    await until(() => server.log.slice(since).split('"worker serves"').length > 2);
    const answer = await tries(await fromAddress(server, address), "alice");
    assert.match(String(answer), /^(AUTH|LOGIN-DELAY)$/);
  }));

test("a user who polls is let through without asking, and not once somebody fails from there", () =>
  withWorkers(GUESSING, async (server) => {
    const address = newAddress();
    // Often enough that both workers have noted it.
    for (let at = 0; at < 20; at++) {
      const client = await fromAddress(server, address);
      assert.equal(await tries(client, "alice", PASSWORD), "+OK");
      await client.quit();
    }
    const guesser = await fromAddress(server, address);
    for (let at = 0; at < 12; at++) assert.equal(await tries(guesser, "alice"), "AUTH");
    for (let at = 0; at < 8; at++) {
      const again = await fromAddress(server, address);
      assert.equal(await tries(again, "alice", PASSWORD), "LOGIN-DELAY", "in any worker");
    }
  }));

test("the use of an app password is written down, whichever worker saw it", () =>
  withWorkers("", async (server) => {
    const address = newAddress();
    const client = await fromAddress(server, address);
    assert.equal(await tries(client, "carol", APP_PASSWORD.secret), "+OK");
    await client.quit();
    assert.equal(await server.halt(), 0);
    const { uses } = JSON.parse(
      readFileSync(`${server.folder}/state/app_passwords_used.json`, "utf8"),
    );
    assert.deepEqual(uses.map((use: unknown[]) => use.slice(0, 3)), [["carol", "phone", address]]);
  }));

async function banners(server: RunningServer): Promise<string[]> {
  const greetings = await Promise.all(Array.from({ length: 40 }, async () => {
    const client = new Pop3Client(
      await SocketWire.connect({ port: server.plainPort, localAddress: newAddress() }),
    );
    const { line } = await client.reply();
    await client.quit();
    return line;
  }));
  return [...new Set(greetings)];
}

function changeSettings(server: RunningServer, from: string, to: string): void {
  const file = `${server.folder}/popkeep.toml`;
  writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
}

test("a reload reaches all workers, also one that is started later; one in vain reaches none", () =>
  withWorkers('banner = "before"', async (server) => {
    const sessions = await onBoth(server, "alice");
    changeSettings(server, '"before"', '"after"');
    let since = server.log.length;
    server.signal("SIGHUP");
    await logged(server, { since, message: "reloaded" });
    assert.deepEqual(await banners(server), ["+OK after"]);
    for (const { client } of sessions) await client.ok("STAT");

    changeSettings(server, '"after"', '"in vain"');
    const inVain = 'client_certificate_authorities = "users"';
    changeSettings(server, "workers = 2", `workers = 2\n${inVain}`);
    since = server.log.length;
    server.signal("SIGHUP");
    const refused = await logged(server, { since, message: "not reloaded; the old settings hold" });
    assert.match(String(refused["reason"]), /client_certificate_authorities/);
    assert.deepEqual(await banners(server), ["+OK after"]);

    // Who is started now gets what is in force, not what the file says.
    for (const worker of [1, 2]) {
      since = server.log.length;
      process.kill(processOf(server, worker), "SIGKILL");
      await logged(server, { since, message: "worker serves", worker });
    }
    assert.deepEqual(await banners(server), ["+OK after"]);
  }));

test("another number of workers is told to take a restart", () =>
  withWorkers("", async (server) => {
    changeSettings(server, "workers = 2", 'workers = "auto"');
    const since = server.log.length;
    server.signal("SIGHUP");
    await logged(server, {
      since,
      message: "the number of workers changes with a restart",
      workers: "auto",
    });
    await logged(server, { since, message: "reloaded" });
  }));
