/** The two inactivity timers ([MS-STANXPOP3] V0002, V0003): what resets them, and what they end. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { SocketWire } from "../support/wire.ts";
import { connectDeaf, readToEnd } from "./raw_client.ts";
import { logged } from "./server_log.ts";

const TIMED_OUT = /^-ERR idle too long/;

/** Larger than what the buffers of a loopback connection hold. */
const LARGE_OCTETS = 48 * 1_048_576;

/** At this speed the large message takes twice as long as the timer after login. */
const SLOW_OCTETS_PER_MS = LARGE_OCTETS / 6_000;

let server: RunningServer;

before(async () => {
  server = await startServer({
    users: ["alice", "large"],
    settings: `
      login_type = "plaintext_login"
      pre_authenticated_connection_timeout = "1s"
      authenticated_connection_timeout = "3s"
    `,
  });
  server.maildir("alice").deliver("Subject: one\n\nthe body\n");
  server.maildir("large").deliver(Buffer.alloc(LARGE_OCTETS, `${"x".repeat(62)}\r\n`));
});

after(() => server.stop());

test("a client that says nothing before login is told so, and then the connection closes", async () => {
  const since = server.log.length;
  const client = await server.connect();
  const reply = await client.reply();
  assert.match(reply.line, TIMED_OUT);
  await client.closed();
  await logged(server, { since, message: "session ended", reason: "timeout" });
});

test("the same holds under TLS", async () => {
  const client = await server.connect({ tls: true });
  assert.match((await client.reply()).line, TIMED_OUT);
  await client.closed();
});

test("a line that drips in is no command, so it holds nothing up", async () => {
  const wire = await SocketWire.connect({ port: server.plainPort });
  const said = readToEnd(wire);
  let open = true;
  said.then(() => open = false);
  // Ends by the server's doing; a server that counts octets as activity would never do it.
  for (let octets = 0; open && octets < 200; octets++) {
    await wire.write(Buffer.from("N"));
    await sleep(100);
  }
  wire.destroy();
  assert.match((await said).split("\r\n")[1] ?? "", TIMED_OUT);
});

test("after login there is more time, and commands give it anew", async () => {
  const client = await server.login("alice");
  const startedMs = performance.now();
  // Longer than the timer before login and the one after it.
  while (performance.now() - startedMs < 5_000) {
    await client.ok("NOOP");
    await sleep(250);
  }
  await client.quit();
});

test("a session that runs out of time removes nothing that it marked", async () => {
  const since = server.log.length;
  const client = await server.login("alice");
  await client.ok("DELE 1");
  assert.match((await client.reply()).line, TIMED_OUT);
  await client.closed();
  const record = await logged(server, { since, message: "session ended", reason: "timeout" });
  assert.deepEqual(
    [record["marked"], record["removed"], record["remaining"], record["dropped_marks"]],
    [1, 0, 1, 1],
  );
  const again = await server.login("alice");
  assert.match(await again.ok("STAT"), /^1 /);
  await again.quit();
});

test("a client that reads slowly is not idle", async () => {
  const socket = await connectDeaf(server.plainPort);
  socket.write(`USER large\r\nPASS ${PASSWORD}\r\nRETR 1\r\nQUIT\r\n`);
  let octets = 0;
  let end = "";
  const ended = once(socket, "end");
  socket.on("data", (chunk: Buffer) => {
    octets += chunk.length;
    end = (end + chunk.toString("latin1")).slice(-100);
    socket.pause();
    setTimeout(() => socket.resume(), chunk.length / SLOW_OCTETS_PER_MS);
  });
  socket.resume();
  await ended;
  socket.destroy();
  assert.ok(octets > LARGE_OCTETS, `${octets} octets came`);
  assert.match(end, /\r\n\.\r\n\+OK [^\r\n]*\r\n$/);
});

test("a client that reads no more is ended, and nothing passes for the whole message", async () => {
  const since = server.log.length;
  const socket = await connectDeaf(server.plainPort);
  socket.write(`USER large\r\nPASS ${PASSWORD}\r\nRETR 1\r\n`);
  await logged(server, { since, message: "session ended", reason: "timeout", user: "large" });
  let text = "";
  socket.on("data", (chunk: Buffer) => text = (text + chunk.toString("latin1")).slice(-100));
  socket.resume();
  await once(socket, "close");
  assert.ok(!text.includes("-ERR"), "no line of ours within the message");
  assert.ok(!text.endsWith("\r\n.\r\n"), "no terminator");
});
