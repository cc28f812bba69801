/** A message that cannot be read to its end: never a terminator, and no session but its own ends. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { readdirSync, truncateSync } from "node:fs";
import { after, before, test } from "node:test";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { connectDeaf } from "./raw_client.ts";
import { logged } from "./server_log.ts";

let server: RunningServer;

before(async () => {
  server = await startServer({ users: ["alice"], settings: `login_type = "plaintext_login"` });
  const maildir = server.maildir("alice");
  maildir.deliver(Buffer.alloc(48 * 1_048_576, `${"x".repeat(62)}\r\n`));
  maildir.deliver("Subject: two\n\nthe body\n");
});

after(() => server.stop());

test("a message that is cut while it is sent ends its connection without a terminator", async () => {
  const since = server.log.length;
  const other = await server.login("alice");
  const socket = await connectDeaf(server.plainPort);
  socket.write(`USER alice\r\nPASS ${PASSWORD}\r\nDELE 2\r\nRETR 1\r\nQUIT\r\n`);
  let text = "";
  socket.on("data", (chunk: Buffer) => text = (text + chunk.toString("latin1")).slice(-200));
  socket.resume();
  while (!text.includes("xxxx")) await once(socket, "data");
  socket.pause();
  const folder = `${server.maildir("alice").path}/new`;
  truncateSync(`${folder}/${readdirSync(folder).sort()[0]}`, 1_000);
  socket.resume();
  await once(socket, "close");
  assert.ok(!text.endsWith("\r\n.\r\n"), "no part of a message passes for the whole");
  assert.ok(!text.includes("-ERR") && !text.includes("+OK"), "and nothing follows it");
  await logged(server, { since, message: "storage failed", level: "warning" });
  const record = await logged(server, {
    since,
    message: "session ended",
    reason: "storage_failed",
  });
  assert.deepEqual([record["removed"], record["dropped_marks"]], [0, 1]);
  assert.match(String(await other.retrieve("RETR 2")), /^Subject: two\r\n/);
  await other.quit();
  assert.ok(!server.log.includes("fault in popkeep"), server.log);
});
