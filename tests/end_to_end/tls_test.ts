/** TLS as clients meet it: from the first octet, after STLS, with the certificate that they ask for. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";
import type tls from "node:tls";
import type { Pop3Client } from "../support/pop3_client.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { SocketWire } from "../support/wire.ts";
import { readToEnd, readUntil } from "./raw_client.ts";
import { logged } from "./server_log.ts";

const MESSAGE = "Subject: one\n\nthe body\n";

let server: RunningServer;

before(async () => {
  server = await startServer({
    users: ["alice"],
    settings: `tls_handshake_timeout = "1s"`,
    certificates: ["mail.example.org", "*.wild.example.org"],
  });
  server.maildir("alice").deliver(MESSAGE);
});

after(() => server.stop());

function tlsSocket(client: Pop3Client): tls.TLSSocket {
  return (client.wire as SocketWire).socket as tls.TLSSocket;
}

function commonName(client: Pop3Client): string {
  return String(tlsSocket(client).getPeerCertificate().subject.CN);
}

test("a whole session runs under implicit TLS", async () => {
  const since = server.log.length;
  const client = await server.login("alice", { tls: true });
  assert.equal(String(await client.retrieve("RETR 1")), MESSAGE.replaceAll("\n", "\r\n"));
  await client.quit();
  await logged(server, {
    since,
    message: "session ended",
    port: server.tlsPort,
    reason: "quit",
    user: "alice",
  });
});

test("a whole session runs after STLS", async () => {
  const since = server.log.length;
  const client = await server.connect();
  await client.stls();
  await client.login("alice", PASSWORD);
  assert.equal(String(await client.retrieve("RETR 1")), MESSAGE.replaceAll("\n", "\r\n"));
  await client.quit();
  const record = await logged(server, {
    since,
    message: "session ended",
    port: server.plainPort,
    user: "alice",
  });
  assert.match(String(record["tls"]), /^TLSv1\.[23]$/);
});

test("the protocol spoken under TLS is pop3, where the client asks", async () => {
  const client = await server.connect({ tls: true, alpnProtocols: ["pop3"] });
  assert.equal(tlsSocket(client).alpnProtocol, "pop3");
  await client.quit();
});

test("a client that wants to speak something else than pop3 gets no connection", async () => {
  await assert.rejects(server.connect({ tls: true, alpnProtocols: ["h2", "http/1.1"] }));
});

const NAMES: readonly [asked: string, got: string][] = [
  ["mail.example.org", "mail.example.org"],
  ["MAIL.example.ORG", "mail.example.org"],
  ["a.wild.example.org", "*.wild.example.org"],
  ["a.b.wild.example.org", "localhost"],
  ["nobody.example.net", "localhost"],
  ["localhost", "localhost"],
];

for (const [asked, got] of NAMES) {
  test(`a client that asks for ${asked} is shown the certificate of ${got}`, async () => {
    const client = await server.connect({ tls: true, servername: asked });
    assert.equal(commonName(client), got);
    await client.quit();
  });
}

test("STLS shows the certificate that was asked for, too", async () => {
  const client = await server.connect({ servername: "mail.example.org" });
  await client.stls();
  assert.equal(commonName(client), "mail.example.org");
  await client.quit();
});

test("what stands behind STLS in the clear is never used, and the connection closes", async () => {
  const since = server.log.length;
  const wire = await SocketWire.connect({ port: server.plainPort });
  await readUntil(wire, "\r\n");
  await wire.write(Buffer.from("STLS\r\nUSER alice\r\n"));
  assert.equal(await readToEnd(wire), "+OK begin TLS negotiation\r\n");
  wire.destroy();
  await logged(server, { since, message: "session ended", reason: "stls_injection" });
});

test("what comes in the clear after STLS was answered fails as a handshake", async () => {
  const since = server.log.length;
  const wire = await SocketWire.connect({ port: server.plainPort });
  await readUntil(wire, "\r\n");
  await wire.write(Buffer.from("STLS\r\n"));
  await readUntil(wire, "\r\n");
  await wire.write(Buffer.from(`USER alice\r\nPASS ${PASSWORD}\r\nSTAT\r\n`));
  const said = await readToEnd(wire);
  wire.destroy();
  assert.ok(!said.includes("+OK"), "a TLS alert at most");
  await logged(server, {
    since,
    message: "session ended",
    reason: "tls_failed",
    port: server.plainPort,
  });
});

test("a client that speaks in the clear to the TLS port is told nothing in the clear", async () => {
  const since = server.log.length;
  const wire = await SocketWire.connect({ port: server.tlsPort });
  await wire.write(Buffer.from("CAPA\r\nQUIT\r\n"));
  const said = await readToEnd(wire);
  wire.destroy();
  assert.ok(!said.includes("+OK") && !said.includes("-ERR"));
  await logged(server, {
    since,
    message: "session ended",
    reason: "tls_failed",
    port: server.tlsPort,
  });
});

for (const port of ["tlsPort", "plainPort"] as const) {
  test(`a handshake that never comes ends after its time (${port})`, async () => {
    const since = server.log.length;
    const wire = await SocketWire.connect({ port: server[port] });
    if (port === "plainPort") {
      await readUntil(wire, "\r\n");
      await wire.write(Buffer.from("STLS\r\n"));
      await readUntil(wire, "\r\n");
    }
    assert.equal(await readToEnd(wire), "");
    wire.destroy();
    await logged(server, {
      since,
      message: "session ended",
      reason: "tls_failed",
      detail: "timeout",
      port: server[port],
    });
  });
}

/** What openssl says of a handshake in one version of TLS, with all of its own rules against old ones off. */
async function handshake(version: string): Promise<string> {
  const address = `127.0.0.1:${server.tlsPort}`;
  const openssl = spawn(
    "openssl",
    ["s_client", "-connect", address, `-${version}`, "-cipher", "ALL:@SECLEVEL=0", "-brief"],
    { stdio: ["pipe", "pipe", "pipe"], timeout: 30_000 },
  );
  openssl.stdin.end("QUIT\r\n");
  let said = "";
  for (const stream of [openssl.stdout, openssl.stderr]) stream.on("data", (text) => said += text);
  await new Promise((resolve) => openssl.on("close", resolve));
  return said;
}

for (const version of ["tls1", "tls1_1"]) {
  test(`a client that speaks nothing newer than ${version} gets no connection`, async () => {
    // Not every library tells the client why.
    assert.doesNotMatch(await handshake(version), /CONNECTION ESTABLISHED/);
  });
}

for (const version of ["tls1_2", "tls1_3"]) {
  test(`a client that speaks ${version} gets a connection`, async () => {
    assert.match(await handshake(version), /CONNECTION ESTABLISHED/);
  });
}

test("the server goes on after all of that", async () => {
  const client = await server.login("alice", { tls: true });
  assert.match(await client.ok("STAT"), /^1 /);
  await client.quit();
  assert.ok(!server.log.includes("fault in popkeep"), server.log);
});
