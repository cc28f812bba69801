/** Which names open which mailbox, by a real server: default domain, folders, master users, delegates. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { logged } from "./server_log.ts";

let server: RunningServer;

before(async () => {
  server = await startServer({
    users: [
      "alice@example.com",
      "bob@example.com",
      "root@example.com",
      ["dora@example.com", `{PLAIN}${PASSWORD}`, "popkeep_delegates=bob@example.com"],
      ["emil@example.com", `{PLAIN}${PASSWORD}`, "nologin"],
    ],
    settings: `
      login_type = "plaintext_login"
      default_domain = "example.com"
      folder_separator = "+"
      delegates = true
      ntlm_domain = "EXAMPLE"
      master_users = ["root@example.com"]
      master_user_separator = "*"
    `,
  });
  for (const [user, count] of [["alice", 1], ["bob", 2], ["dora", 3], ["emil", 4]] as const) {
    const maildir = server.maildir(`${user}@example.com`);
    for (let at = 0; at < count; at++) maildir.deliver(`Subject: ${at}\n\n`);
  }
});

after(() => server.stop());

/** How many messages are there after a login, or why there was none. */
async function opened(user: string, actAs?: string): Promise<number | string> {
  const client = await server.connect();
  let reply;
  if (actAs === undefined) {
    await client.ok(`USER ${user}`);
    reply = await client.command(`PASS ${PASSWORD}`);
  } else {
    const credentials = Buffer.from(`${actAs}\0${user}\0${PASSWORD}`).toString("base64");
    reply = await client.command(`AUTH PLAIN ${credentials}`);
  }
  const found = reply.status === "+OK"
    ? Number((await client.ok("STAT")).split(" ")[0])
    : reply.code ?? "no code";
  await client.quit();
  return found;
}

test("a name without a domain is one of the default domain", async () => {
  assert.equal(await opened("alice"), 1);
  assert.equal(await opened("alice@example.com"), 1);
  assert.equal(await opened("EXAMPLE\\alice"), 1);
  assert.equal(await opened("Alice"), 1);
  assert.equal(await opened("ALICE@Example.Com"), 1);
  assert.equal(await opened("alice@example.org"), "AUTH");
});

test("a folder is the maildrop of who asks for it by name", async () => {
  const { path } = server.maildir("bob@example.com");
  for (const part of ["new", "cur", "tmp"]) mkdirSync(`${path}/.Work/${part}`, { recursive: true });
  writeFileSync(`${path}/.Work/new/1700000000.a`, "Subject: work\n\n");
  assert.equal(await opened("bob+Work"), 1);
  assert.equal(await opened("bob+Work@example.com"), 1);
  assert.equal(await opened("bob"), 2);
  assert.equal(await opened("bob+Nothing"), "SYS/PERM");
  assert.equal(await opened("bob+../Maildir"), "SYS/PERM");
});

test("a master user opens any mailbox, and the log has both names", async () => {
  const since = server.log.length;
  assert.equal(await opened("alice*root"), 1);
  const entry = await logged(server, { since, message: "logged in for another user" });
  assert.equal(entry["user"], "alice@example.com");
  assert.equal(entry["acted_by"], "root@example.com");
  assert.equal(await opened("root", "dora@example.com"), 3);
  assert.equal(await opened("emil*root"), 4);
  assert.equal(await opened("alice*bob"), "AUTH");
  assert.equal(await opened("alice", "dora@example.com"), "AUTH");
});

test("a delegate opens the mailbox that names it, by Exchange's form too", async () => {
  const since = server.log.length;
  assert.equal(await opened("EXAMPLE/bob/dora"), 3);
  const ended = { message: "session ended", user: "dora@example.com", mechanism: "USER" };
  assert.equal((await logged(server, { since, ...ended }))["acted_by"], "bob@example.com");
  assert.equal(await opened("EXAMPLE\\bob\\dora"), 3);
  assert.equal(await opened("bob", "dora"), 3);
  assert.equal(await opened("EXAMPLE/alice/dora"), "AUTH");
  assert.equal(await opened("EXAMPLE/bob/alice"), "AUTH");
});

test("a closed account is told to who knows its password, and to nobody else", async () => {
  assert.equal(await opened("emil"), "SYS/PERM");
});
