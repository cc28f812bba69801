/** Mail that goes by its age, and deleted mail that comes back, with a real server, its commands, and other times. */

import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { popkeep } from "../support/command_line.ts";
import { at, noOtherTime } from "../support/other_time.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import {
  PASSWORD,
  type RunningServer,
  type ServerOptions,
  startServer,
} from "../support/server.ts";
import { logged, logRecords } from "./server_log.ts";

const DAY_MS = 86_400_000;

async function withServer(
  settings: string,
  work: (server: RunningServer) => Promise<void>,
  options: Partial<ServerOptions> = {},
): Promise<void> {
  const users = ["alice", "bob", [
    "carol",
    `{PLAIN}${PASSWORD}`,
    "userdb_retention_read=2d",
  ]] as const;
  const server = await startServer({
    users,
    settings: `login_type = "plaintext_login"\nshutdown_grace_period = "1s"\n${settings}`,
    ...options,
  });
  try {
    await work(server);
    assert.ok(!server.log.includes("fault in popkeep"), server.log);
  } finally {
    await server.stop();
  }
}

async function command(server: RunningServer, args: readonly string[], environment = {}) {
  return await popkeep([...args, "--config", `${server.folder}/popkeep.toml`], {
    folder: server.folder,
    environment,
  });
}

async function uidl(server: RunningServer, user = "alice"): Promise<string[]> {
  const client = await server.login(user);
  const listing = await client.listing("UIDL");
  await client.quit();
  return listing.map((line) => line.split(" ")[1]!);
}

/** Files among the deleted of a user. */
function deletedOf(server: RunningServer, user = "alice"): string[] {
  const folder = `${server.maildir(user).path}/popkeep-deleted`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile()).map(({ name }) => name);
}

for (const workers of [1, 2]) {
  const settings = `workers = ${workers}\ndeleted_item_retention = "14d"\nretention_read = "7d"\n`;

  test(`what a client deletes comes back under its unique-id while others are logged in; ${workers} workers`, () =>
    withServer(settings, async (server) => {
      const maildir = server.maildir("alice");
      for (const n of [1, 2, 3]) maildir.deliver(`Subject: ${n}\n\nbody ${n}\n`);
      const before = await uidl(server);
      const client = await server.login("alice");
      await client.ok("DELE 1");
      await client.ok("DELE 3");
      await client.quit();
      const line = await logged(server, { since: 0, message: "messages removed" });
      assert.equal(line["by"], "client");
      assert.equal(line["user"], "alice");
      assert.equal(line["address"], "127.0.0.1");
      assert.equal(line["messages"], 2);
      assert.equal(line["unique_ids"], `${before[0]} ${before[2]}`);
      assert.equal(deletedOf(server).length, 2);

      const open = await server.login("alice");
      maildir.deliver("Subject: 4\n\nbody 4\n");
      const shown = await command(server, ["mailbox", "deleted", "alice", "--since", "1h"]);
      assert.deepEqual(shown.stdout.split("\n").map((row) => row.split("\t")[0]), [
        before[0],
        before[2],
        "",
      ]);
      const done = await command(server, ["mailbox", "undelete", "alice", "--since", "1h"]);
      assert.equal(done.exitCode, 0, done.stderr);
      assert.equal((await open.listing("UIDL")).length, 1, "the open session lists what it did");
      await open.quit();
      const after = await uidl(server);
      assert.deepEqual(after.slice(0, 3), before);
      assert.ok(Number(after[3]) > Number(before[2]));
      assert.deepEqual(deletedOf(server), []);
    }));

  test(`old mail stays while a session has it open, and goes then; ${workers} workers`, {
    skip: noOtherTime,
  }, () =>
    withServer(settings, async (server) => {
      const maildir = server.maildir("alice");
      for (const n of [1, 2]) maildir.place(`160000000${n}.M1.h:2,S`, `Subject: ${n}\n\n${n}\n`);
      maildir.deliver("Subject: unread\n\nunread\n");
      const client = await server.login("alice");
      const expire = ["expire", "alice", "--json"];
      const later = at(Date.now() + 8 * DAY_MS);
      const dry = await command(server, [...expire, "--dry-run"], later);
      assert.equal(dry.exitCode, 0, dry.stderr);
      assert.deepEqual(
        JSON.parse(dry.stdout).map(({ messages }: { messages: number }) => messages),
        [2],
      );
      assert.equal(JSON.parse((await command(server, expire)).stdout)[0].messages, 0, "not today");
      const busy = JSON.parse((await command(server, expire, later)).stdout);
      assert.deepEqual([busy[0].removed, busy[0].inUse], [0, 2]);
      assert.match((await client.retrieve("RETR 1")).toString(), /^Subject: 1/);
      await client.quit();
      const gone = JSON.parse((await command(server, expire, later)).stdout);
      assert.deepEqual([gone[0].removed, gone[0].inUse], [2, 0]);
      assert.equal((await uidl(server)).length, 1);
      assert.equal(deletedOf(server).length, 2);
      const done = await command(server, ["mailbox", "undelete", "alice", "--all"]);
      assert.equal(done.exitCode, 0, done.stderr);
      assert.equal((await uidl(server)).length, 3);
    }));
}

test("two processes remove old mail at once, each message once, and what is counted stays right", {
  skip: noOtherTime,
}, () =>
  withServer('deleted_item_retention = "14d"\nretention_read = "7d"\n', async (server) => {
    const maildir = server.maildir("alice");
    for (let n = 0; n < 200; n++) maildir.place(`16000${10_000 + n}.M1.h:2,S`, "Subject: n\n\nn\n");
    maildir.deliver("Subject: unread\n\nunread\n");
    await uidl(server);
    const octets = (folder: string) =>
      readdirSync(`${maildir.path}/${folder}`)
        .reduce((sum, name) => sum + statSync(`${maildir.path}/${folder}/${name}`).size, 0);
    const counted = () => {
      const lines = readFileSync(`${maildir.path}/maildirsize`, "utf8").trim().split("\n").slice(1)
        .map((line) => line.trim().split(/ +/).map(Number));
      return [0, 1].map((column) => lines.reduce((sum, line) => sum + line[column]!, 0));
    };
    const now = () => [octets("new") + octets("cur"), maildir.files().length];
    writeFileSync(`${maildir.path}/maildirsize`, `0S\n${now().join(" ")}\n`);
    const later = at(Date.now() + 8 * DAY_MS);
    const both = await Promise.all(
      [1, 2].map(() => command(server, ["expire", "alice", "--json"], later)),
    );
    const removed = both.map(({ stdout }) => {
      const [{ removed, failed, inUse }] = JSON.parse(stdout);
      assert.equal(failed, 0);
      return { removed, inUse };
    });
    const sum = removed.reduce((all, one) => all + one.removed, 0);
    assert.equal(deletedOf(server).length, sum);
    assert.equal(maildir.files().length, 201 - sum);
    assert.deepEqual(counted(), now());
    // One may have found the mailbox lent to the other, and left what that had not come to.
    if (sum < 200) assert.ok(removed.some(({ inUse }) => inUse > 0), JSON.stringify(removed));
    const done = await command(server, ["mailbox", "undelete", "alice", "--all"]);
    assert.equal(done.exitCode, 0, done.stderr);
    assert.equal(maildir.files().length, 201);
    assert.deepEqual(counted(), now());
  }));

test("what popkeep expire removes is in a line of its log, and what it would remove is not", {
  skip: noOtherTime,
}, () =>
  withServer('retention_read = "7d"\n', async (server) => {
    const maildir = server.maildir("alice");
    maildir.place("1600000001.M1.h:2,S", "Subject: 1\n\n1\n");
    const [id] = await uidl(server);
    const later = at(Date.now() + 8 * DAY_MS);
    const dry = await command(server, ["expire", "--all", "--dry-run"], later);
    assert.match(dry.stderr, /^popkeep: 1 message, \d+ octets, would go for good; .*\n$/);
    const { exitCode, stderr } = await command(server, ["expire", "--all"], later);
    assert.equal(exitCode, 0, stderr);
    const lines = stderr.split("\n").filter((line) => line.startsWith("{"));
    assert.equal(lines.length, 1, stderr);
    const { message, user, by, messages, unique_ids: ids, mailbox } = JSON.parse(lines[0]!);
    assert.deepEqual(
      [message, user, by, messages, ids, mailbox],
      ["messages removed", "alice", "retention", 1, id, maildir.path],
    );
  }));

test("serve looks after all mailboxes at its time of day", { skip: noOtherTime }, async () => {
  const due = new Date(Date.now() + 20 * DAY_MS);
  due.setUTCHours(2, 59, 55, 0);
  await withServer('deleted_item_retention = "14d"\nretention_read = "7d"\n', async (server) => {
    for (const user of ["alice", "bob"]) {
      server.maildir(user).place("1600000001.M1.h:2,S", "Subject: old\n\nold\n");
      server.maildir(user).deliver("Subject: unread\n\nunread\n");
      mkdirSync(`${server.maildir(user).path}/popkeep-deleted/2020-01-01`, { recursive: true });
      writeFileSync(
        `${
          server.maildir(user).path
        }/popkeep-deleted/2020-01-01/7,1577836800000,client,cur,,1.M1.h`,
        "long gone\n",
      );
    }
    // What a stranger plants is nobody's error.
    rmSync(`${server.maildir("bob").path}/popkeep-deleted`, { recursive: true });
    symlinkSync("/etc", `${server.maildir("bob").path}/popkeep-deleted`);
    const ended = await logged(server, { since: 0, message: "daily pass ended" });
    assert.equal(ended["mailboxes"], 3);
    assert.equal(ended["messages"], 1);
    assert.equal(ended["purged"], 1);
    assert.equal(server.maildir("alice").files().length, 1);
    assert.equal(server.maildir("bob").files().length, 2, "nothing is removed for good instead");
    assert.equal(deletedOf(server).length, 1);
    assert.equal((await uidl(server)).length, 1);
    assert.equal((await uidl(server, "bob")).length, 2);
    const removed = logRecords(server).filter(({ message }) => message === "messages removed");
    assert.deepEqual(removed.map(({ by, user }) => [by, user]), [["retention", "alice"]]);
  }, { environment: at(due.getTime()) });
});

test("CAPA says how long mail stays: for all before login, for the user after it", () =>
  withServer('retention_read = "7d"\nretention_unread = "60d"\n', async (server) => {
    const expire = async (client: Pop3Client) =>
      (await client.listing("CAPA")).find((line) => line.startsWith("EXPIRE"));
    const stranger = await server.connect();
    assert.equal(await expire(stranger), "EXPIRE 2 USER");
    stranger.disconnect();
    for (const [user, line] of [["alice", "EXPIRE 7"], ["carol", "EXPIRE 2"]] as const) {
      const client = await server.login(user);
      assert.equal(await expire(client), line);
      await client.quit();
    }
  }));

test("CAPA before login has the ages of the user file that a reload has just read", () =>
  withServer('retention_read = "60d"\nretention_unread = "60d"\n', async (server) => {
    const expire = async () => {
      const stranger = await server.connect();
      const line = (await stranger.listing("CAPA")).find((line) => line.startsWith("EXPIRE"));
      stranger.disconnect();
      return line;
    };
    assert.equal(await expire(), "EXPIRE 2 USER");
    const users = readFileSync(`${server.folder}/users`, "utf8");
    writeFileSync(
      `${server.folder}/users`,
      users.replace("retention_read=2d", "retention_read=9d"),
    );
    server.signal("SIGHUP");
    await server.untilLogged(/"reloaded"/);
    assert.equal(await expire(), "EXPIRE 9 USER");
    // Put in place whole, it is read by itself at the next look, and what is not in it any more counts no more.
    const next = `${server.folder}/users.next`;
    writeFileSync(next, users.replace("retention_read=2d", "retention_read=5d"));
    renameSync(next, `${server.folder}/users`);
    await sleep(1_100);
    assert.equal(await expire(), "EXPIRE 5 USER");
    writeFileSync(next, users.replace("userdb_retention_read=2d", ""));
    renameSync(next, `${server.folder}/users`);
    await sleep(1_100);
    assert.equal(await expire(), "EXPIRE 60");
  }));

test("without the settings, what a client deletes is gone, and no folder is made", () =>
  withServer("", async (server) => {
    server.maildir("alice").deliver("Subject: 1\n\nbody\n");
    const client = await server.login("alice");
    await client.ok("DELE 1");
    await client.quit();
    assert.deepEqual(server.maildir("alice").files(), []);
    assert.ok(!existsSync(`${server.maildir("alice").path}/popkeep-deleted`));
    const done = await command(server, ["mailbox", "undelete", "alice", "--all"]);
    assert.equal(done.exitCode, 0);
    const unclear = await command(server, ["mailbox", "undelete", "alice"]);
    assert.equal(unclear.exitCode, 64);
    const unknown = await command(server, ["mailbox", "undelete", "alice", "--id", "7"]);
    assert.equal(unknown.exitCode, 66);
    assert.equal((await command(server, ["mailbox", "deleted", "nobody"])).exitCode, 67);
    assert.equal((await command(server, ["expire"])).exitCode, 64);
  }));
