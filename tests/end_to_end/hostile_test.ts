/**
 * Many clients that mean harm at once, while others are served: nothing of them is left, limits hold to the
 * last place afterwards, and neither a process ends nor a session of anybody else. `make hostile` has ten
 * thousand of them and measures how long others wait.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import type { Socket } from "node:net";
import { test } from "node:test";
import { Pop3Client } from "../support/pop3_client.ts";
import { PASSWORD, popkeepCommand, RunningServer, startServer } from "../support/server.ts";
import { SocketWire } from "../support/wire.ts";
import { attack, BALANCER, KINDS } from "./hostile_clients.ts";
import { connectDeaf, readUntil } from "./raw_client.ts";
import { logged, logRecords } from "./server_log.ts";
import { until, workerProcesses } from "./worker_processes.ts";

/** Places in all; fewer than a hundred come at once, so that they are taken many times over. */
const PLACES = 60;

const SETTINGS = `
login_type = "plaintext_login"
max_connections_per_user = 200
proxy_addresses = ["${BALANCER}"]
tls_handshake_timeout = "1s"
failed_login_delay = "0"
`;

/** Who says nothing is sent away soon. */
const IMPATIENT = 'pre_authenticated_connection_timeout = "2s"';

async function withServer(
  settings: string,
  body: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const server = await startServer({
    users: ["alice", "victim"],
    settings: `${SETTINGS}${settings}`,
  });
  try {
    server.maildir("alice").deliver("Subject: one\n\nthe body\n");
    server.maildir("victim").deliver(`Subject: large\n\n${`${"x".repeat(62)}\n`.repeat(60_000)}`);
    await body(server);
    assert.ok(!server.log.includes("fault in popkeep"), server.log);
  } finally {
    await server.stop();
  }
}

/** Sockets that the server's processes have open. */
function openSockets(server: RunningServer): number {
  const folders = [server.child.pid, ...workerProcesses(server)].map((pid) => `/proc/${pid}/fd`);
  return folders.flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`))
    .filter(isSocket).length;
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith("socket:");
  } catch {
    return false; // closed meanwhile
  }
}

/** As many as there are places get in, and not one more. */
async function allPlacesAreFree(server: RunningServer, taken: number): Promise<void> {
  const clients: Pop3Client[] = [];
  for (let place = taken; place < PLACES; place++) clients.push(await server.connect());
  const refused = new Pop3Client(await SocketWire.connect({ port: server.plainPort }));
  assert.equal((await refused.reply()).code, "SYS/TEMP");
  await refused.closed();
  for (const client of clients) await client.quit();
}

for (const workers of [1, 2]) {
  test(`nothing is left of a thousand hostile clients, and others are served (workers = ${workers})`, () =>
    withServer(
      `workers = ${workers}\nmax_connections = ${PLACES}\n${IMPATIENT}`,
      async (server) => {
        if (workers > 1) await server.untilLogged(/"message":"ready"/);
        const bystander = await server.login("alice");
        await server.untilLogged(/"message":"session ended"[^]*"message":"session ended"/);
        const before = openSockets(server);
        let over = false;
        const attacks = Promise.all(KINDS.map((kind) => attack(server, kind))).then(() =>
          over = true
        );
        while (!over) {
          assert.equal(await bystander.ok("STAT"), "1 23");
          assert.equal(
            String(await bystander.retrieve("RETR 1")),
            "Subject: one\r\n\r\nthe body\r\n",
          );
        }
        await attacks;
        await until(() => openSockets(server) === before);
        await allPlacesAreFree(server, 1);
        const preface = Buffer.from("PROXY TCP4 192.0.2.9 127.0.0.1 1 2\r\n");
        await (await server.connect({ localAddress: BALANCER, preface })).quit();
        await bystander.ok("DELE 1");
        await bystander.quit();
        await logged(server, { since: 0, message: "session ended", user: "alice", removed: 1 });
        assert.deepEqual(server.maildir("alice").files(), []);
        assert.equal(server.maildir("victim").files().length, 1);
        const records = logRecords(server);
        const removing = records.filter(({ removed }) => Number(removed) > 0);
        assert.equal(removing.length, 1, "alice's own");
        assert.ok(!records.some(({ message }) => message === "worker ended and is started again"));
      },
    ));
}

/** The same server once more, as one that may have so many files open. */
async function withOpenFiles(
  openFiles: number,
  body: (server: RunningServer) => Promise<void>,
): Promise<void> {
  await withServer(
    `max_connections = 10000\nmax_connections_from_single_address = 10000`,
    async (server) => {
      await server.halt();
      const serve = [...popkeepCommand(), "serve", "--config", `${server.folder}/popkeep.toml`];
      const child = spawn("sh", ["-c", `ulimit -n ${openFiles}; exec "$@"`, "sh", ...serve], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      const ports = [server.plainPort, server.tlsPort] as const;
      const limited = new RunningServer(server.folder, ports, child);
      try {
        await limited.untilLogged(/"message":"ready"/);
        await body(limited);
      } finally {
        await limited.halt("SIGKILL");
      }
    },
  );
}

test("clients who would take all files that may be open leave some for mail", () =>
  withOpenFiles(400, async (server) => {
    const bystander = await server.login("alice");
    const idle: Socket[] = [];
    // Each when the one before is greeted or closed: of too many at once some would be closed before they count.
    for (let count = 0; count < 500; count++) {
      const socket = await connectDeaf(server.plainPort);
      idle.push(socket);
      await new Promise((resolve) => socket.once("data", resolve).once("close", resolve).resume());
    }
    const kept = () => idle.filter(({ destroyed }) => !destroyed).length;
    await until(() => kept() <= 200);
    assert.ok(openSockets(server) > 150, "it is not more careful than that");
    assert.match(String(await bystander.retrieve("RETR 1")), /the body/);
    server.maildir("alice").deliver("Subject: two\n\nbody\n");
    for (const socket of idle) socket.destroy();
    await until(() => openSockets(server) < 20);
    const next = await server.login("alice");
    assert.match(await next.ok("STAT"), /^2 /);
    await next.quit();
    await bystander.quit();
  }));

const PIPELINED = 100_000;

test(`${PIPELINED} commands in one write are answered one by one, while others are served`, () =>
  withServer("", async (server) => {
    const wire = await SocketWire.connect({ port: server.plainPort, timeoutMs: 60_000 });
    await readUntil(wire, "\r\n");
    await wire.write(Buffer.from(`USER victim\r\nPASS ${PASSWORD}\r\n`));
    await readUntil(wire, "1 message");
    let said = 0;
    const reading = (async () => {
      const whole = PIPELINED * "+OK\r\n".length;
      while (said < whole) said += (await wire.read())!.length;
      return said - whole;
    })();
    await wire.write(Buffer.from("NOOP\r\n".repeat(PIPELINED)));
    const bystander = await server.login("alice");
    await bystander.retrieve("RETR 1");
    await bystander.quit();
    assert.equal(await reading, 0, "octets too many");
    await wire.write(Buffer.from("QUIT\r\n"));
    assert.match(await readUntil(wire, "signing off"), /^\+OK [^\r\n]*signing off/);
    wire.destroy();
  }));

test("a client that wants to renegotiate TLS gets no second handshake, and costs only its own session", () =>
  withServer("", async (server) => {
    const bystander = await server.login("alice", { tls: true });
    const place = `127.0.0.1:${server.tlsPort}`;
    const client = spawn("openssl", ["s_client", "-connect", place, "-tls1_2", "-crlf"], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [client.stdout, client.stderr]) {
      stream.on("data", (octets) => said += octets);
    }
    const closed = once(client, "close");
    await until(() => said.includes("+OK"));
    client.stdin.write("R\n"); // to openssl: renegotiate
    await until(() => /RENEGOTIATING[^]*no renegotiation/.test(said));
    client.stdin.end();
    await closed;
    assert.ok(!/RENEGOTIATING[^]*verify return/.test(said), said);
    assert.match(await bystander.ok("STAT"), /^1 /);
    await bystander.quit();
  }));
