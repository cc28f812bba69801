/** Connections that a load balancer hands on: whose they are is what its PROXY header says. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import tls from "node:tls";
import { Pop3Client } from "../support/pop3_client.ts";
import { addresses, binaryHeader, sslValue } from "../support/proxy_headers.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { SocketWire } from "../support/wire.ts";
import { logged } from "./server_log.ts";

/** Where the load balancer of these tests comes from; the address of no other client. */
const BALANCER = "127.0.0.9";

async function withServer(
  settings: string,
  body: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const server = await startServer({
    users: ["alice"],
    settings: `
      proxy_addresses = ["${BALANCER}"]
      tls_handshake_timeout = "1s"
      ${settings}
    `,
  });
  try {
    await body(server);
    assert.ok(!server.log.includes("fault in popkeep"), server.log);
  } finally {
    await server.stop();
  }
}

function textHeader(address: string): Buffer {
  return Buffer.from(`PROXY TCP4 ${address} 198.51.100.1 40000 995\r\n`);
}

function binary(address: string, behind: Uint8Array = Buffer.alloc(0)): Buffer {
  const rest = Buffer.concat([addresses(address, 40_000, "198.51.100.1", 995), behind]);
  return binaryHeader({ family: 0x11, rest });
}

/** What a client of TLS sends first, from a connection that leads nowhere. */
async function clientHello(): Promise<Buffer> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const client = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  client.on("error", () => {});
  const [socket] = await once(server, "connection") as [net.Socket];
  socket.on("error", () => {});
  const [hello] = await once(socket, "data") as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

const LOCAL = binaryHeader({ command: 0x20, family: 0, rest: Buffer.alloc(0) });

interface Way {
  readonly preface: Uint8Array;
  readonly tls?: boolean;
}

function connect(server: RunningServer, way: Way): Promise<Pop3Client> {
  return server.connect({ localAddress: BALANCER, ...way });
}

/** What a server says to a header until it closes. */
async function answerTo(server: RunningServer, octets: Uint8Array): Promise<string> {
  const port = server.plainPort;
  const wire = await SocketWire.connect({ port, localAddress: BALANCER, preface: octets });
  const said: Uint8Array[] = [];
  for (let part = await wire.read(); part !== undefined; part = await wire.read()) said.push(part);
  return Buffer.concat(said).toString();
}

const HEADERS = { "version 1": textHeader("192.0.2.7"), "version 2": binary("192.0.2.7") };

for (const [version, preface] of Object.entries(HEADERS)) {
  for (const tls of [false, true]) {
    test(`the client of a header of ${version} is the client${tls ? ", under TLS too" : ""}`, () =>
      withServer('login_type = "plaintext_login"', async (server) => {
        server.maildir("alice").deliver("Subject: x\r\n\r\nHello.\r\n");
        const client = await connect(server, { preface, tls });
        await client.login("alice", PASSWORD);
        assert.equal(await client.ok("STAT"), "1 22");
        await client.quit();
        await logged(server, {
          since: 0,
          message: "session ended",
          address: "192.0.2.7",
          proxy: BALANCER,
          user: "alice",
          port: tls ? server.tlsPort : server.plainPort,
        });
      }));
  }

  test(`a header of ${version} may come octet by octet, and with commands behind it`, () =>
    withServer('login_type = "plaintext_login"', async (server) => {
      const wire = await SocketWire.connect({ port: server.plainPort, localAddress: BALANCER });
      const commands = Buffer.from(`USER alice\r\nPASS ${PASSWORD}\r\nSTAT\r\n`);
      const all = Buffer.concat([preface, commands]);
      for (const octet of all.subarray(0, preface.length - 1)) {
        await wire.write(Uint8Array.of(octet));
        await sleep(1);
      }
      await wire.write(all.subarray(preface.length - 1));
      let said = "";
      while (said.split("\r\n").length < 5) said += Buffer.from((await wire.read())!).toString();
      assert.match(said, /^(?:\+OK [^\r]+\r\n){3}\+OK 0 0\r\n$/);
    }));

  test(`STLS goes on behind a header of ${version}`, () =>
    withServer("", async (server) => {
      const client = await connect(server, { preface });
      await client.stls();
      await client.login("alice", PASSWORD);
      await client.quit();
      await logged(server, {
        since: 0,
        message: "session ended",
        address: "192.0.2.7",
        user: "alice",
      });
    }));
}

test("the beginning of a TLS handshake may stand in one segment with the header", () =>
  withServer("", async (server) => {
    const hello = await clientHello();
    const wire = await SocketWire.connect({ port: server.tlsPort, localAddress: BALANCER });
    await wire.write(Buffer.concat([HEADERS["version 2"], hello]));
    const answer = await wire.read();
    assert.equal(answer?.[0], 22, "a handshake record comes back");
    wire.destroy();
  }));

test("TLS that the load balancer ended is TLS: passwords may cross, STLS is not offered", () =>
  withServer("", async (server) => {
    const client = await connect(server, { preface: binary("192.0.2.7", sslValue("TLSv1.3")) });
    const capabilities = await client.listing("CAPA");
    assert.ok(!capabilities.includes("STLS"));
    assert.ok(capabilities.includes("USER"));
    await client.err("STLS");
    await client.login("alice", PASSWORD);
    await client.quit();
    await logged(server, { since: 0, message: "session ended", user: "alice", tls: "TLSv1.3" });
  }));

test("without it secure_login keeps its word behind a load balancer", () =>
  withServer("", async (server) => {
    const preface = binary("192.0.2.7", sslValue("TLSv1.3", 0));
    const client = await connect(server, { preface });
    assert.ok((await client.listing("CAPA")).includes("STLS"));
    await client.err("USER alice");
    await client.quit();
  }));

test("a header without a client leaves the load balancer as the client", () =>
  withServer('login_type = "plaintext_login"', async (server) => {
    for (const preface of [LOCAL, Buffer.from("PROXY UNKNOWN\r\n")]) {
      const since = server.log.length;
      const client = await connect(server, { preface });
      await client.quit();
      await logged(server, { since, message: "session ended", address: BALANCER, reason: "quit" });
    }
  }));

test("from an address that is no load balancer's a header is a bad command, whoever it names", () =>
  withServer('login_type = "plaintext_login"', async (server) => {
    const since = server.log.length;
    const client = await server.connect();
    await client.err("PROXY TCP4 192.0.2.7 198.51.100.1 40000 995");
    await client.login("alice", PASSWORD);
    await client.quit();
    await logged(server, { since, message: "session ended", user: "alice", address: "127.0.0.1" });
  }));

test("a load balancer that sends no header, or a wrong one, gets no word, and the log says why", () =>
  withServer("", async (server) => {
    for (
      const [octets, reason] of [
        ["CAPA\r\n", "the connection does not begin with one"],
        ["PROXY TCP4 here there 1 2\r\n", "its addresses are none of its family"],
        ["PROXY TCP4 192.0.2.7 ", "it took too long"],
      ] as const
    ) {
      const since = server.log.length;
      assert.equal(await answerTo(server, Buffer.from(octets)), "");
      await logged(server, {
        since,
        message: "proxy header refused",
        address: BALANCER,
        port: server.plainPort,
        reason,
      });
    }
    const since = server.log.length;
    const wire = await SocketWire.connect({ port: server.plainPort, localAddress: BALANCER });
    await wire.write(Buffer.from("PROXY "));
    wire.halfClose();
    await logged(server, {
      since,
      message: "proxy header refused",
      reason: "the connection ended within it",
    });
    const alive = await connect(server, { preface: LOCAL });
    await alive.quit();
  }));

test("limits count the clients and not the load balancer", () =>
  withServer("max_connections_from_single_address = 2", async (server) => {
    const open = [];
    for (const address of ["192.0.2.7", "192.0.2.7", "192.0.2.8", "192.0.2.9"]) {
      open.push(await connect(server, { preface: textHeader(address) }));
    }
    const refused = new Pop3Client(
      await SocketWire.connect({
        port: server.plainPort,
        localAddress: BALANCER,
        preface: textHeader("192.0.2.7"),
      }),
    );
    assert.match((await refused.reply()).line, /^-ERR \[SYS\/TEMP\] too many connections/);
    for (const client of open) await client.quit();
    // An IPv4 client of an IPv6 load balancer is the same client.
    const mapped = Buffer.from("PROXY TCP6 ::ffff:192.0.2.7 2001:db8::1 1 2\r\n");
    const rest = addresses("0:0:0:0:0:ffff:c000:207", 1, "2001:db8:0:0:0:0:0:1", 2);
    for (const preface of [mapped, binaryHeader({ family: 0x21, rest })]) {
      const since = server.log.length;
      const client = await connect(server, { preface });
      await client.quit();
      await logged(server, { since, message: "session ended", address: "192.0.2.7" });
    }
    await logged(server, {
      since: 0,
      message: "session ended",
      reason: "limit",
      address: "192.0.2.7",
    });
  }));

test("connections that have not said whose they are have a limit too, and go when the server stops", () =>
  withServer('max_connections = 4\nshutdown_grace_period = "0s"', async (server) => {
    const port = server.plainPort;
    const silent = [];
    for (let count = 0; count < 4; count++) {
      silent.push(
        await SocketWire.connect({ port, localAddress: BALANCER, preface: Buffer.from("P") }),
      );
    }
    const fifth = await SocketWire.connect({ port, localAddress: BALANCER });
    assert.equal(await fifth.read(), undefined, "closed without a word");
    // Others are served meanwhile.
    await (await server.connect()).quit();
    assert.equal(await server.halt(), 0);
    for (const wire of silent) assert.equal(await wire.read(), undefined);
  }));

test("guesses are counted by the client's address, whoever hands them on", () =>
  withServer(
    'login_type = "plaintext_login"\nmax_failed_logins_from_single_address = 3\nfailed_login_delay = "0"',
    async (server) => {
      for (let guess = 0; guess < 4; guess++) {
        const client = await connect(server, { preface: textHeader("192.0.2.7") });
        await client.ok(`USER nobody${guess}`);
        await client.err("PASS guess");
        client.wire.destroy();
      }
      const blocked = await connect(server, { preface: textHeader("192.0.2.7") });
      await blocked.ok("USER alice");
      assert.equal((await blocked.err(`PASS ${PASSWORD}`)).code, "LOGIN-DELAY");
      const other = await connect(server, { preface: textHeader("192.0.2.8") });
      await other.login("alice", PASSWORD);
      await other.quit();
    },
  ));
