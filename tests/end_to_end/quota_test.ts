/**
 * A mailbox with a quota, as its user and a mail system see it: mail comes by LMTP until it is full, a message warns
 * of that, and what the user deletes makes room at once.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { freePort } from "../support/free_port.ts";
import { LmtpClient } from "../support/lmtp_client.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { at, noOtherTime } from "../support/other_time.ts";
import { tracedDuring } from "../support/system_calls.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { TestMaildir } from "../support/test_maildir.ts";
import { logged } from "./server_log.ts";

const DAY_MS = 86_400_000;

let server: RunningServer;
let lmtp: LmtpClient;

before(async () => {
  const port = await freePort();
  server = await startServer({
    users: [
      "alice",
      "dora",
      ["bob", `{PLAIN}${PASSWORD}`, "userdb_quota_rule=*:messages=1"],
      ["carl", `{PLAIN}${PASSWORD}`, "userdb_quota_rule=*:storage=lots"],
    ],
    settings: `login_type = "plaintext_login"
lmtp_bindings = ["127.0.0.1:${port}"]
folder_separator = "+"
quota_storage_size = 10000
quota_warning_language = "de"`,
  });
  for (const user of ["alice", "bob", "carl", "dora"]) server.maildir(user);
  ({ client: lmtp } = await LmtpClient.greeted({ port }));
});

after(async () => {
  await lmtp.quit();
  await server.stop();
});

/** Delivers a message of so many octets, but for its envelope's lines. */
async function deliver(to: string, octets: number): Promise<string> {
  const header = "Subject: quota\r\n\r\n";
  const lines = Math.floor((octets - header.length) / 50);
  const [reply = ""] = await lmtp.deliver(
    [to],
    `${header}${`${"x".repeat(48)}\r\n`.repeat(lines)}`,
  );
  return reply;
}

function sum(user: string): [octets: number, messages: number] {
  const [, ...lines] = readFileSync(`${server.maildir(user).path}/maildirsize`, "utf8")
    .trimEnd().split("\n");
  const numbers = lines.map((line) => line.trim().split(/ +/).map(Number));
  return [
    numbers.reduce((all, [octets = 0]) => all + octets, 0),
    numbers.reduce((all, [, messages = 0]) => all + messages, 0),
  ];
}

/** What the client is told of all messages: its numbers and sizes. */
async function sizes(client: Pop3Client): Promise<number[]> {
  return (await client.listing("LIST")).map((line) => Number(line.split(" ")[1]));
}

test("E0003, E0004: mail comes in until the quota is full, the user is warned, and deleting makes room", async () => {
  for (let number = 0; number < 4; number++) assert.match(await deliver("alice", 2_200), /^250 /);
  const [octets, messages] = sum("alice");
  assert.equal(messages, 4);
  assert.match(await deliver("alice", 2_200), /^552 5\.2\.2 /);
  await server.untilLogged(
    /there is no room in the quota: 8,\d\d\d of 10,000 octets are used; the message has 2,\d\d\d/,
  );
  assert.deepEqual(sum("alice"), [octets, messages]);

  // Five messages: one of them is the warning, with an id as any.
  const client = await server.login("alice");
  const listed = await sizes(client);
  assert.equal(listed.length, 5);
  const ids = (await client.listing("UIDL")).map((line) => Number(line.split(" ")[1]));
  assert.deepEqual(ids, [...new Set(ids)].sort((one, other) => one - other));
  assert.equal(ids.length, 5);
  const warning = (await client.retrieve("RETR 5")).toString("latin1");
  assert.match(warning, /^Auto-Submitted: auto-generated\r$/m);
  assert.match(warning, /^Subject: Ihr Postfach ist zu 8\d % voll\r$/m);
  assert.equal(listed.slice(0, 4).reduce((all, size) => all + size, 0), octets);

  // The warning never counted, and does not when it goes.
  for (const number of [1, 5]) await client.ok(`DELE ${number}`);
  await client.quit();
  assert.deepEqual(sum("alice"), [octets - listed[0]!, 3]);
  assert.match(await deliver("alice", 2_200), /^250 /);
  assert.equal(sum("alice")[1], 4);
});

test("folders share the quota, and what is in Trash does not count", async () => {
  const { path } = server.maildir("alice");
  for (const folder of [".Work", ".Trash"]) new TestMaildir(`${path}/${folder}`);
  assert.match(await deliver("alice+Work", 2_200), /^552 5\.2\.2 /);
  const before = sum("alice");
  assert.match(await deliver("alice+Trash", 2_200), /^250 /);
  assert.deepEqual(sum("alice"), before);
  const trash = await server.login("alice+Trash");
  await trash.ok("DELE 1");
  await trash.quit();
  assert.deepEqual(sum("alice"), before);
  assert.match(await deliver("alice+Work", 500), /^250 /);
  const work = await server.login("alice+Work");
  await work.ok("DELE 1");
  await work.quit();
  assert.deepEqual(sum("alice"), before);
});

test("E0003: the user's own rule counts; one that is not understood keeps mail waiting, and nobody out", async () => {
  assert.match(await deliver("bob", 100), /^250 /);
  assert.match(await deliver("bob", 100), /^552 5\.2\.2 /);
  await lmtp.asked("MAIL FROM:<zoe@example.org>", /^250 /);
  await lmtp.asked("RCPT TO:<carl>", /^451 4\.3\.0 /);
  await lmtp.asked("RSET", /^250 /);
  await server.untilLogged(/the quota of carl cannot be told: quota_rule is not understood/);
  server.maildir("carl").deliver("Subject: before\n\nthe rule was changed\n");
  const client = await server.login("carl");
  await client.ok("DELE 1");
  await client.quit();
  assert.deepEqual(readdirSync(`${server.maildir("carl").path}/new`), []);
});

test("a session looks for the file once where it deletes, and never where it does not", async () => {
  const { path } = server.maildir("dora");
  for (let number = 0; number < 3; number++) server.maildir("dora").deliver(`${number}\n`);
  const looks = async (commands: readonly string[]) => {
    const options = ["-e", "trace=file"];
    const trace = await tracedDuring(server.child.pid!, options, async () => {
      const client = await server.login("dora");
      for (const command of commands) await client.ok(command);
      await client.quit();
    });
    return trace.split("\n").filter((line) => line.includes(`${path}/maildirsize`)).length;
  };
  assert.equal(await looks(["STAT"]), 0);
  assert.equal(await looks(["DELE 1", "DELE 2"]), 1);
  assert.deepEqual(readdirSync(path).filter((name) => name === "maildirsize"), []);
});

test(
  "E0004: who fills up by other programs is warned by the daily pass",
  { skip: noOtherTime },
  async () => {
    const due = new Date(Date.now() + DAY_MS);
    due.setUTCHours(2, 59, 55, 0);
    const daily = await startServer({
      users: ["alice", ["carl", `{PLAIN}${PASSWORD}`, "userdb_quota_rule=*:storage=lots"]],
      settings: "quota_storage_size = 1000",
      environment: at(due.getTime()),
    });
    try {
      const { path } = daily.maildir("alice");
      daily.maildir("alice").deliver("x".repeat(850));
      await logged(daily, { since: 0, message: "a user was warned of a quota", user: "alice" });
      await logged(daily, { since: 0, message: "daily pass ended" });
      assert.equal(
        readFileSync(`${path}/maildirsize`, "utf8").split("\n")[1]?.trim(),
        "850            1",
      );
      assert.equal(daily.maildir("alice").files().length, 2);
      assert.match(daily.log, /the quota of carl cannot be told/);
    } finally {
      await daily.stop();
    }
  },
);
