/** Old mail in a mailbox that a session has open stays, with real servers and `popkeep expire`. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { kill } from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { borrowMailbox } from "../../src/net/loans/borrowing.ts";
import { popkeep } from "../support/command_line.ts";
import { at, noOtherTime } from "../support/other_time.ts";
import { type RunningServer, type ServerOptions, startServer } from "../support/server.ts";
import { logged, logRecords } from "./server_log.ts";
import { processOf, until } from "./worker_processes.ts";

const DAY_MS = 86_400_000;
const skip = noOtherTime;

const SETTINGS = `
login_type = "plaintext_login"
state_folder = "state"
retention_read = "7d"
`;

function start(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const { settings = "", ...others } = options;
  return startServer({
    users: ["alice", "bob"],
    settings: `${SETTINGS}${settings.includes("grace") ? "" : 'shutdown_grace_period = "1s"'}
${settings}`,
    ...others,
  });
}

async function withServer(
  options: Partial<ServerOptions>,
  work: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const server = await start(options);
  try {
    await logged(server, { since: 0, message: "ready" });
    await work(server);
  } finally {
    await server.stop();
  }
}

/** Delivers old mail to alice. */
function placeOld(server: RunningServer): void {
  for (const n of [1, 2, 3]) {
    server.maildir("alice").place(`160000000${n}.M1.h:2,S`, `Subject: ${n}\n\n${n}\n`);
  }
}

/** Has alice's old mail go, in eight days. */
async function expire(server: RunningServer) {
  return await popkeep(
    ["expire", "alice", "--json", "--config", `${server.folder}/popkeep.toml`],
    { folder: server.folder, environment: at(Date.now() + 8 * DAY_MS) },
  );
}

/** Has it go, and returns how many messages went and how many are in use. */
async function expired(server: RunningServer): Promise<[number, number]> {
  const { stdout, stderr, exitCode } = await expire(server);
  assert.equal(exitCode, 0, stderr);
  const [{ removed, inUse }] = JSON.parse(stdout);
  return [removed, inUse];
}

test(
  "two servers with one state folder: mail stays in what sessions of either have open",
  { skip },
  () =>
    withServer({}, async (first) => {
      placeOld(first);
      const second = await start({ folder: first.folder });
      try {
        await logged(second, { since: 0, message: "ready" });
        const client = await second.login("alice");
        assert.deepEqual(await expired(first), [0, 3]);
        await client.quit();
      } finally {
        await second.halt("SIGKILL");
      }
    }),
);

test(
  "a server that stops: mail of the sessions that it leaves time stays",
  { skip },
  () =>
    withServer({ settings: 'shutdown_grace_period = "60s"' }, async (server) => {
      placeOld(server);
      const client = await server.login("alice");
      server.signal("SIGTERM");
      await server.untilLogged(/stopping/);
      assert.deepEqual(await expired(server), [0, 3]);
      await client.quit();
      // Another signal would end it where it has already put its own handling of them away.
      if (server.child.exitCode === null) await once(server.child, "exit");
      assert.equal(server.child.exitCode, 0);
      assert.ok(!existsSync(`${server.folder}/state/popkeep.sock`));
    }),
);

test("a worker that begins while a mailbox is lent has its sessions wait", () =>
  withServer({ settings: "workers = 2" }, async (server) => {
    placeOld(server);
    const { path } = server.maildir("alice");
    const loan = await borrowMailbox(`${server.folder}/state/popkeep.sock`, path);
    assert.ok(loan !== undefined);
    for (const worker of [1, 2]) {
      const process = processOf(server, worker);
      kill(process, "SIGKILL");
      await until(() => processOf(server, worker) !== process);
    }
    let isIn = false;
    const login = server.login("alice").then((client) => {
      isIn = true;
      return client;
    });
    await sleep(500);
    assert.equal(isIn, false);
    await loan.giveBack();
    const client = await login;
    assert.equal((await client.listing("LIST")).length, 3);
    await client.quit();
  }));

test("a state folder too long for a socket: nobody can be asked, and old mail stays", {
  skip,
}, async () => {
  const due = new Date(Date.now() + 20 * DAY_MS);
  due.setUTCHours(2, 59, 55, 0);
  const state = `state-${"long".repeat(25)}`;
  const settings = SETTINGS.replace('"state"', `"${state}"`);
  const server = await startServer({
    users: ["alice", "bob"],
    settings: `${settings}shutdown_grace_period = "1s"`,
    environment: at(due.getTime()),
  });
  try {
    placeOld(server);
    const told = await logged(server, {
      since: 0,
      message: "nobody can ask which mailboxes are open",
    });
    assert.equal(told.level, "warning");
    const client = await server.login("alice");
    const { exitCode, stderr } = await expire(server);
    assert.equal(exitCode, 74);
    assert.match(stderr, /a shorter state_folder is needed/);
    const ended = await logged(server, { since: 0, message: "daily pass ended" });
    assert.deepEqual([ended["messages"], ended["in_use"]], [0, 0]);
    const stays = "old mail stays, since nobody can ask which mailboxes are open";
    assert.ok(logRecords(server).some(({ message }) => message === stays));
    assert.equal(server.maildir("alice").files().length, 3);
    await client.quit();
  } finally {
    await server.stop();
  }
});
