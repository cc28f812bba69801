/** More connections than there may be: each is told so in one line with a response code, then closed. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Pop3Client } from "../support/pop3_client.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { SocketWire } from "../support/wire.ts";
import { logged } from "./server_log.ts";

/** A server of which the connections that tried whether it listens are over. */
async function startQuietServer(settings: string): Promise<RunningServer> {
  const server = await startServer({
    users: ["alice", "bob"],
    settings: `
      login_type = "plaintext_login"
      tls_handshake_timeout = "1s"
      ${settings}
    `,
  });
  for (const port of [server.plainPort, server.tlsPort]) {
    await logged(server, { since: 0, message: "session ended", port });
  }
  return server;
}

/** Connects and expects the refusal, and nothing after it. */
async function isRefused(server: RunningServer, tls: boolean): Promise<void> {
  const port = tls ? server.tlsPort : server.plainPort;
  const client = new Pop3Client(await SocketWire.connect({ port, tls }));
  const { line, code } = await client.reply();
  assert.match(line, /^-ERR \[SYS\/TEMP\] too many connections/);
  assert.equal(code, "SYS/TEMP");
  await client.closed();
}

for (const key of ["max_connections", "max_connections_from_single_address"]) {
  test(`${key} refuses who comes too much, in the clear and under TLS, until one has gone`, async () => {
    const server = await startQuietServer(`${key} = 2`);
    try {
      const since = server.log.length;
      const first = await server.connect();
      const second = await server.connect({ tls: true });
      await isRefused(server, false);
      await isRefused(server, true);
      await logged(server, { since, message: "session ended", reason: "limit" });
      await first.quit();
      await logged(server, { since, message: "session ended", reason: "quit" });
      const third = await server.connect({ tls: true });
      await isRefused(server, false);
      await third.quit();
      await second.quit();
    } finally {
      await server.stop();
    }
  });
}

test("a client beyond the limit that does not listen is not kept", async () => {
  const server = await startQuietServer("max_connections = 1");
  try {
    const first = await server.connect();
    const many = await Promise.all(
      Array.from({ length: 150 }, () => SocketWire.connect({ port: server.tlsPort })),
    );
    // None of them speaks TLS: some wait for a handshake until its time is over, the rest are dropped.
    for (const wire of many) {
      assert.equal(await wire.read(), undefined);
      wire.destroy();
    }
    assert.match(await first.ok("QUIT"), /./);
    await first.closed();
    const next = await server.connect();
    await next.quit();
  } finally {
    await server.stop();
  }
});

test("max_connections_per_user counts one user's sessions, and nobody else's", async () => {
  const server = await startQuietServer("max_connections_per_user = 2");
  try {
    const sessions = [await server.login("alice"), await server.login("alice", { tls: true })];
    const third = await server.connect();
    await third.ok("USER alice");
    const refusal = await third.err(`PASS ${PASSWORD}`);
    assert.equal(refusal.code, "SYS/TEMP");
    await third.login("bob", PASSWORD);
    await third.quit();
    for (const session of sessions) await session.quit();
    const again = await server.login("alice");
    await again.quit();
  } finally {
    await server.stop();
  }
});

test("bad commands and failed logins end a connection, and the log says which", async () => {
  const server = await startQuietServer(`
    max_bad_commands = 3
    max_failed_logins = 2
    max_command_size = "255"
  `);
  try {
    const since = server.log.length;
    const bad = await server.connect();
    await bad.err("");
    await bad.err(Buffer.alloc(400, "x"));
    assert.equal((await bad.err("XYZZY")).code, "SYS/PERM");
    await bad.closed();
    await logged(server, { since, message: "session ended", reason: "too_many_bad_commands" });

    const failed = await server.connect();
    for (const user of ["alice", "nobody"]) {
      await failed.ok(`USER ${user}`);
      assert.equal((await failed.err("PASS wrong")).code, "AUTH");
    }
    await failed.closed();
    await logged(server, { since, message: "session ended", reason: "too_many_failed_logins" });

    const browser = await server.connect();
    await browser.err("GET / HTTP/1.1");
    await browser.closed();
    await logged(server, { since, message: "session ended", reason: "other_protocol" });
  } finally {
    await server.stop();
  }
});
