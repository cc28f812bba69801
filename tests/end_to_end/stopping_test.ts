/** What clients hear when the server is told to stop, and what becomes of their marks. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { connectDeaf } from "./raw_client.ts";
import { logged } from "./server_log.ts";

const GOODBYE = /^-ERR \[SYS\/TEMP\] .*shutting down/;

async function start(gracePeriod: string): Promise<RunningServer> {
  const server = await startServer({
    users: ["alice"],
    settings: `login_type = "plaintext_login"\nshutdown_grace_period = "${gracePeriod}"`,
  });
  server.maildir("alice").deliver("Subject: one\n\nthe body\n");
  return server;
}

function exited(server: RunningServer): Promise<unknown[]> {
  return once(server.child, "exit");
}

function messagesOf(server: RunningServer): number {
  return server.maildir("alice").files().length;
}

test("SIGTERM sends away who is not logged in, and lets the others QUIT", async () => {
  const server = await start("1m");
  try {
    const waiting = await server.connect();
    const waitingUnderTls = await server.connect({ tls: true });
    const session = await server.login("alice");
    await session.ok("DELE 1");
    const end = exited(server);
    server.signal("SIGTERM");
    assert.match((await waiting.reply()).line, GOODBYE);
    await waiting.closed();
    assert.match((await waitingUnderTls.reply()).line, GOODBYE);
    await waitingUnderTls.closed();
    await assert.rejects(server.connect(), "nobody new is let in");
    assert.match(await session.ok("STAT"), /^0 0/);
    await session.quit();
    assert.deepEqual(await end, [0, null]);
    assert.equal(messagesOf(server), 0);
  } finally {
    await server.stop();
  }
});

test("a session that does not QUIT in time is told, and nothing of it is removed", async () => {
  const server = await start("1s");
  try {
    const session = await server.login("alice");
    await session.ok("DELE 1");
    const end = exited(server);
    server.signal("SIGTERM");
    assert.match((await session.reply()).line, GOODBYE);
    await session.closed();
    assert.deepEqual(await end, [0, null]);
    assert.equal(messagesOf(server), 1);
    const record = await logged(server, { since: 0, message: "session ended", user: "alice" });
    assert.deepEqual([record["reason"], record["dropped_marks"]], ["shutdown", 1]);
  } finally {
    await server.stop();
  }
});

test("a second signal gives no more time", async () => {
  const server = await start("1h");
  try {
    const session = await server.login("alice");
    const end = exited(server);
    server.signal("SIGTERM");
    await logged(server, { since: 0, message: "stopping" });
    assert.match(await session.ok("STAT"), /^1 /);
    server.signal("SIGINT");
    assert.match((await session.reply()).line, GOODBYE);
    await session.closed();
    assert.deepEqual(await end, [0, null]);
  } finally {
    await server.stop();
  }
});

test("without a time to give, sessions end at once", async () => {
  const server = await start("0");
  try {
    const session = await server.login("alice");
    const waiting = await server.connect({ tls: true });
    const end = exited(server);
    server.signal("SIGINT");
    for (const client of [session, waiting]) {
      assert.match((await client.reply()).line, GOODBYE);
      await client.closed();
    }
    assert.deepEqual(await end, [0, null]);
  } finally {
    await server.stop();
  }
});

test("in the middle of a message there is no goodbye that would pass for a part of it", async () => {
  const server = await start("1s");
  try {
    server.maildir("alice").deliver(Buffer.alloc(48 * 1_048_576, `${"x".repeat(62)}\r\n`));
    const socket = await connectDeaf(server.plainPort);
    socket.write(`USER alice\r\nPASS ${PASSWORD}\r\nDELE 1\r\nRETR 2\r\n`);
    let text = "";
    const inTheMessage = new Promise<void>((resolve) => {
      socket.on("data", (chunk: Buffer) => {
        text = (text + chunk.toString("latin1")).slice(-200);
        if (text.includes("xxx")) resolve();
      });
    });
    socket.resume();
    await inTheMessage;
    socket.pause();
    const end = exited(server);
    server.signal("SIGTERM");
    assert.deepEqual(await end, [0, null]);
    socket.resume();
    await once(socket, "close");
    assert.ok(!text.includes("-ERR"), text);
    assert.ok(!text.endsWith("\r\n.\r\n"), text);
    assert.equal(messagesOf(server), 2);
  } finally {
    await server.stop();
  }
});

test("clients that hang in a handshake or do not close their end do not keep the server", async () => {
  const server = await start("1h");
  try {
    const sockets = await Promise.all([server.tlsPort, server.plainPort].map((port) => {
      const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      socket.on("error", () => {});
      return once(socket, "connect").then(() => socket);
    }));
    const end = exited(server);
    server.signal("SIGTERM");
    assert.deepEqual(await end, [0, null]);
    for (const socket of sockets) socket.destroy();
  } finally {
    await server.stop();
  }
});
