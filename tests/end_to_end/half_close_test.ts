/** Connections that end half, or without a goodbye: what was asked is answered, what is held is given back. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { SocketWire } from "../support/wire.ts";
import { connectDeaf, readToEnd } from "./raw_client.ts";
import { logged } from "./server_log.ts";

const LOGIN = `USER alice\r\nPASS ${PASSWORD}\r\n`;

let server: RunningServer;

before(async () => {
  server = await startServer({
    users: ["alice", "large"],
    settings: `
      login_type = "plaintext_login"
      max_connections_per_user = 1
    `,
  });
  server.maildir("alice").deliver("Subject: one\n\nthe body\n");
  server.maildir("large").deliver(Buffer.alloc(32 * 1_048_576, `${"x".repeat(62)}\r\n`));
});

after(() => server.stop());

for (const tls of [false, true]) {
  const over = tls ? "TLS" : "TCP";

  test(`commands that came before the client's end closed are answered, over ${over}`, async () => {
    const since = server.log.length;
    const wire = await SocketWire.connect({ port: tls ? server.tlsPort : server.plainPort, tls });
    await wire.write(Buffer.from(`${LOGIN}STAT\r\nRETR 1\r\nQUIT\r\n`));
    wire.halfClose();
    const said = await readToEnd(wire);
    wire.destroy();
    assert.match(said, /\r\n\+OK 1 \d+\r\n\+OK \d+ octets\r\n[^]*\r\n\.\r\n\+OK [^\r\n]*\r\n$/);
    await logged(server, { since, message: "session ended", reason: "quit", user: "alice" });
  });

  test(`without QUIT nothing is removed when the client's end closes, over ${over}`, async () => {
    const since = server.log.length;
    const wire = await SocketWire.connect({ port: tls ? server.tlsPort : server.plainPort, tls });
    await wire.write(Buffer.from(`${LOGIN}DELE 1\r\nNOOP\r\nQUI`));
    wire.halfClose();
    const said = await readToEnd(wire);
    wire.destroy();
    assert.equal(said.split("\r\n").length - 1, 5, `a greeting and four answers: ${said}`);
    const record = await logged(server, {
      since,
      message: "session ended",
      reason: "disconnected",
      user: "alice",
    });
    assert.deepEqual([record["dropped_marks"], record["removed"]], [1, 0]);
    assert.equal(server.maildir("alice").files().length, 1);
  });
}

test("a client that vanishes in the middle of a message gives back its place", async () => {
  const since = server.log.length;
  const socket = await connectDeaf(server.plainPort);
  socket.write(`USER large\r\nPASS ${PASSWORD}\r\nDELE 1\r\nRSET\r\nRETR 1\r\n`);
  socket.resume();
  await once(socket, "data");
  socket.destroy();
  await logged(server, { since, message: "session ended", reason: "disconnected", user: "large" });
  // There is one place.
  const again = await server.login("large");
  assert.match(await again.ok("STAT"), /^1 /);
  await again.quit();
});

test("a client that vanishes while it logs in gives back its place", async () => {
  const since = server.log.length;
  const wire = await SocketWire.connect({ port: server.plainPort });
  await wire.write(Buffer.from(LOGIN));
  wire.destroy();
  await logged(server, { since, message: "session ended", reason: "disconnected" });
  const again = await server.login("alice");
  await again.quit();
});

test("none of that was a fault", () => {
  assert.ok(!server.log.includes("fault in popkeep"), server.log);
});
