/** What the log says of sessions, under names that docs/log.md promises, and what it never says. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { SocketWire } from "../support/wire.ts";
import { readUntil } from "./raw_client.ts";
import { logged, logRecords } from "./server_log.ts";

let server: RunningServer;

function protocolLog(server: RunningServer): string {
  const folder = `${server.folder}/log`;
  const text = readdirSync(folder).map((file) => readFileSync(`${folder}/${file}`, "utf8")).join(
    "",
  );
  assert.ok(text.includes("USER"), "there is a protocol log");
  return text;
}

before(async () => {
  server = await startServer({
    users: ["alice"],
    settings: `
      login_type = "plaintext_login"
      log_level = "trace"
      protocol_log = true
    `,
  });
});

after(() => server.stop());

test("the end of a session is one line with all its counts", async () => {
  const since = server.log.length;
  for (const subject of ["one", "two", "three"]) {
    server.maildir("alice").deliver(`Subject: ${subject}\n\nbody\n`);
  }
  const client = await server.login("alice", { tls: true });
  await client.retrieve("RETR 1");
  await client.retrieve("RETR 2");
  await client.retrieve("TOP 3 0");
  await client.ok("DELE 1");
  await client.quit();
  const { time, session, duration_ms, tls, ...rest } = await logged(server, {
    since,
    message: "session ended",
    user: "alice",
  });
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.match(String(tls), /^TLSv1\.[23]$/);
  assert.ok(Number.isInteger(session) && Number.isInteger(duration_ms));
  assert.deepEqual(rest, {
    level: "info",
    room: "session",
    message: "session ended",
    address: "127.0.0.1",
    port: server.tlsPort,
    user: "alice",
    mechanism: "USER",
    reason: "quit",
    messages: 3,
    retrieved: 2,
    retrieved_octets: 2 * "Subject: one\r\n\r\nbody\r\n".length,
    topped: 1,
    topped_octets: "Subject: three\r\n\r\n".length,
    marked: 1,
    marked_octets: "Subject: one\n\nbody\n".length,
    removed: 1,
    remaining: 2,
    dropped_marks: 0,
  });
});

test("a failed login is one line, and what the client sent in it cannot break out", async () => {
  const since = server.log.length;
  const client = await server.connect();
  await client.ok('USER eve"=\\\u001b[31m');
  await client.err("PASS guess");
  await client.quit();
  const record = await logged(server, { since, message: "login failed" });
  assert.equal(record["user"], 'eve"=\\\\u001b[31m');
  assert.deepEqual(
    [record["address"], record["mechanism"], record["level"]],
    ["127.0.0.1", "USER", "warning"],
  );
  assert.match(String(record["reason"]), /wrong user name or password/);
  assert.ok(!server.log.includes("\u001b"), "no control octet is in the log");
});

test("no secret is in the log or the protocol log, whichever way it came", async () => {
  const secrets = ["hunter2-1", "hunter2-2", "hunter2-3", "hunter2-4", "hunter2-5", "hunter2-6"];
  const encoded = secrets.map((secret) => Buffer.from(`\0alice\0${secret}`).toString("base64"));
  const since = server.log.length;
  const wire = await SocketWire.connect({ port: server.plainPort });
  await readUntil(wire, "\r\n");
  await wire.write(Buffer.from(
    [
      `USER alice`,
      `PASS ${secrets[0]}`,
      `AUTH PLAIN ${encoded[1]}`,
      `AUTH PLAIN`,
      `${encoded[2]}`,
      // Out of turn, misspelt, and where no argument belongs.
      `${secrets[3]}`,
      `PAS ${secrets[4]}`,
      `USER alice ${secrets[5]}`,
      `QUIT`,
      ``,
    ].join("\r\n"),
  ));
  await readUntil(wire, "+OK signing off");
  wire.destroy();
  const alice = await server.login("alice");
  await alice.quit();
  await logged(server, { since, message: "session ended", user: "alice" });
  await server.halt();
  const everything = server.log + protocolLog(server);
  for (const secret of [...secrets, ...encoded, PASSWORD]) {
    assert.ok(!everything.includes(secret), `${secret} is in a log`);
  }
  for (const record of logRecords(server)) assert.equal(typeof record["message"], "string");
});
