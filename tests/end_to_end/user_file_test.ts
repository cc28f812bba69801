/** What the user file says beyond names and passwords, by a real server and the command line beside it. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { popkeepCommand, type RunningServer, startServer, writeUsers } from "../support/server.ts";
import { TestMaildir } from "../support/test_maildir.ts";
import { logged } from "./server_log.ts";

let server: RunningServer;

const USERS: Parameters<typeof writeUsers>[1] = [
  "alice",
  // What `doveadm pw -s CRAM-MD5` and `-s SSHA` made of "demo".
  ["bob", "{CRAM-MD5}458da499ccc3c888e803711566013a1929ebb210d3e8147b68469ce4a25d3819"],
  ["carol", "{SSHA}rp3DNX2dmLTYy92qItw30NWQZIqD7RuK"],
  ["dora", "{PLAIN}demo", "userdb_mail=maildir:~/Elsewhere/%n"],
  ["emil", "{PLAIN}demo", "userdb_mail=mbox:~/mail"],
];

before(async () => {
  server = await startServer({
    users: USERS,
    settings: `
      login_type = "plaintext_login"
      folder_separator = "+"
      weak_password_schemes = ["cram-md5"]
      never_blocked_addresses = ["127.0.0.1"]
    `,
  });
});

after(() => server.stop());

/** `popkeep user ...` over the server's own settings; what it wrote to standard output. */
function user(...args: string[]): string {
  const [command, ...first] = popkeepCommand();
  const all = [...first, "user", ...args, "--config", `${server.folder}/popkeep.toml`];
  const { status, stdout, stderr } = spawnSync(command, all, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** Logs in by USER and PASS; how many messages there are, or the refusal's code. */
async function messagesOf(name: string, password: string): Promise<number | string> {
  const client = await server.connect();
  await client.ok(`USER ${name}`);
  const { status, code = "no code" } = await client.command(`PASS ${password}`);
  const found = status === "+OK" ? Number((await client.ok("STAT")).split(" ")[0]) : code;
  client.disconnect();
  return found;
}

/** The server sees a changed user file within a second or two; until then it answers by the old one. */
async function becomes(expected: number | string, name: string, password: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await messagesOf(name, password) === expected) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.fail(`${name} does not come to ${expected}`);
}

test("an app password logs in as soon as it is made, until it is removed", async () => {
  server.maildir("alice").deliver("Subject: one\n\n");
  const secret = user("app-password", "add", "alice", "phone").trim();
  await becomes(1, "alice", secret);
  assert.equal(await messagesOf("alice", secret.replaceAll("-", " ").toUpperCase()), 1);
  const client = await server.connect();
  await client.ok(`AUTH PLAIN ${Buffer.from(`\0alice\0${secret}`).toString("base64")}`);
  await client.quit();
  assert.equal(await messagesOf("alice", `${secret}x`), "AUTH");

  user("app-password", "remove", "alice", "phone");
  await becomes("AUTH", "alice", secret);
  assert.ok(!server.log.includes(secret), "no secret is in the log");
});

test("a weak scheme lets in where it is named and not where it is not", async () => {
  server.maildir("bob").deliver("Subject: one\n\n");
  assert.equal(await messagesOf("bob", "demo"), 1);
  assert.equal(await messagesOf("bob", "other"), "AUTH");
  assert.equal(await messagesOf("carol", "demo"), "AUTH");
});

test("the mail is where the user file says", async () => {
  new TestMaildir(`${server.homeOf("dora")}/Elsewhere/dora`).deliver("Subject: one\n\n");
  assert.equal(await messagesOf("dora", "demo"), 1);
});

test("mail in another format is refused for good, and the log names it", async () => {
  const since = server.log.length;
  assert.equal(await messagesOf("emil", "demo"), "SYS/PERM");
  const { error } = await logged(server, { since, message: "storage failed" });
  assert.match(String(error), /the format mbox, and only maildir is served/);
});

test("a folder is opened in the place of the mailbox, and one that is not there is refused", async () => {
  new TestMaildir(`${server.homeOf("alice")}/Maildir/.Work.2024`).deliver("Subject: two\n\n");
  assert.equal(await messagesOf("alice+work/2024", "secret"), 1);
  assert.equal(await messagesOf("alice+Nothing", "secret"), "SYS/PERM");
  assert.equal(await messagesOf("alice+../../bob", "secret"), "SYS/PERM");
});

test("when an app password was last used, and from where, is written when the server stops", async () => {
  const secret = user("app-password", "add", "alice", "laptop").trim();
  await becomes(1, "alice", secret);
  await server.halt();
  const [laptop] = JSON.parse(user("app-password", "list", "alice", "--json"));
  assert.equal(laptop.label, "laptop");
  assert.equal(laptop.from, "127.0.0.1");
  assert.ok(Date.parse(laptop.lastUsed) >= Date.parse(laptop.made));
});
