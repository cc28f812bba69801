/**
 * Any octets at any time, sent to a real server in pieces: each line gets one answer that keeps to the
 * grammar, nothing gets out of step, nothing is removed without QUIT, and the server lives.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { after, test } from "node:test";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { testProperty } from "../support/property.ts";

let started: Promise<RunningServer> | undefined;

function server(): Promise<RunningServer> {
  return started ??= startServer({
    settings: [
      'login_type = "plaintext_login"',
      "max_bad_commands = 10000",
      "max_failed_logins = 1000",
      "max_connections_per_user = 1000",
    ].join("\n"),
    users: ["alice"],
  });
}

after(async () => await (await started)?.stop());

/** Without LF, which would end the line, and CR at the end, which would be a part of its end. */
const octets = fc.uint8Array({ maxLength: 60 }).map((drawn) =>
  Buffer.from(drawn.filter((octet) => octet !== 10 && octet !== 13))
);
const words = fc.constantFrom(
  ...["USER alice", `PASS ${PASSWORD}`, "AUTH PLAIN", "AUTH PLAIN =", "AUTH", "*", "=", "CAPA"],
  ...["RETR 1", "TOP 1 0", "LIST", "UIDL", "STAT", "DELE 1", "RSET", "NOOP", "LANG de", "UTF8", ""],
).map((text) => Buffer.from(text));
const tooLong = fc.integer({ min: 500, max: 20_000 }).map((length) =>
  Buffer.alloc(length, "DELE 1 ")
);
const mangled = fc.tuple(words, octets, words).map((parts) => Buffer.concat(parts));
const line = fc.oneof(
  { weight: 6, arbitrary: words },
  { weight: 2, arbitrary: octets },
  { weight: 2, arbitrary: mangled },
  { weight: 1, arbitrary: tooLong },
);

testProperty(
  "any octets in any pieces get one answer a line, and the server lives",
  fc.asyncProperty(
    fc.array(line, { maxLength: 25 }),
    fc.array(fc.nat(), { maxLength: 6 }),
    fc.boolean(),
    async (lines, cuts, loggedIn) => {
      const running = await server();
      const maildir = running.maildir("alice");
      if (maildir.files().length === 0) maildir.deliver("Subject: a\n\n.\nsome text\n");
      const client = loggedIn ? await running.login("alice") : await running.connect();
      await client.send(lines, cuts);
      for (const _ of lines) assert.match((await client.reply()).line, /^(\+OK|-ERR|\+ )/);
      // "*" ends an exchange, if one is open, and is no command otherwise.
      assert.equal((await client.command("*")).status, "-ERR");
      assert.equal((await client.command("CAPA")).status, "+OK");
      client.disconnect();
      assert.equal(maildir.files().length, 1);
    },
  ),
  150,
);

test("after all of that the server still serves the mailbox", async () => {
  const running = await server();
  assert.equal(running.child.exitCode, null);
  const client = await running.login("alice");
  assert.equal(await client.ok("STAT"), "1 24");
  await client.quit();
});
