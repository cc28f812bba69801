/** What one client can make the server hold: bounded, whatever it sends and however little it reads. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { SocketWire } from "../support/wire.ts";
import { connectDeaf, readUntil } from "./raw_client.ts";

const MIB = 1_048_576;
const LARGE_OCTETS = 96 * MIB;

/**
 * What the server may grow by while a client is sent LARGE_OCTETS, or sends as much. Far more than it holds on
 * purpose, since a collector of garbage takes its time, and less than what it would hold by mistake.
 */
const GROWTH_OCTETS = 64 * MIB;

/**
 * A line so long that what would be kept of it is told from what V8 lets lie before it collects, which is up
 * to some 70 MiB however long the line: no more than half of it may be there.
 */
const LINE_OCTETS = 192 * MIB;

let server: RunningServer;

before(async () => {
  server = await startServer({
    users: ["alice", "large"],
    settings: `login_type = "plaintext_login"`,
  });
  server.maildir("alice").deliver("Subject: one\n\nthe body\n");
  server.maildir("large").deliver(Buffer.alloc(LARGE_OCTETS, `${"x".repeat(62)}\r\n`));
  // What a first session allocates once and for all is not what is measured.
  await anotherSessionWorks();
});

after(() => server.stop());

async function anotherSessionWorks(): Promise<void> {
  const client = await server.login("alice");
  assert.match(await client.ok("STAT"), /^1 /);
  assert.match(String(await client.retrieve("RETR 1")), /^Subject: one\r\n/);
  await client.quit();
}

/** Resident memory of the server, octets. */
function residentOctets(): number {
  const status = readFileSync(`/proc/${server.child.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1_024;
}

/** Fails if the server grows by `limit` octets or more while `doing` goes on. */
async function boundsMemory(doing: () => Promise<void>, limit = GROWTH_OCTETS): Promise<void> {
  const before = residentOctets();
  let most = before;
  const watch = setInterval(() => most = Math.max(most, residentOctets()), 50);
  try {
    await doing();
  } finally {
    clearInterval(watch);
  }
  most = Math.max(most, residentOctets());
  const grown = ((most - before) / MIB).toFixed(1);
  assert.ok(most - before < limit, `the server grew by ${grown} MiB`);
}

/** Writes until all is written, or until nothing has moved for a second; true if all was. */
async function writeAsTaken(socket: net.Socket, octets: Buffer, times: number): Promise<boolean> {
  for (let written = 0; written < times; written++) {
    if (socket.write(octets)) continue;
    const taken = await Promise.race([
      once(socket, "drain").then(() => true),
      sleep(1_000).then(() => false),
    ]);
    if (!taken) return false;
  }
  return true;
}

test("a client that asks for a large message and never reads stops nobody else", async () => {
  const socket = await connectDeaf(server.plainPort);
  await boundsMemory(async () => {
    socket.write(`USER large\r\nPASS ${PASSWORD}\r\nRETR 1\r\n`);
    for (let session = 0; session < 10; session++) {
      await anotherSessionWorks();
      await sleep(50);
    }
  });
  socket.destroy();
});

const DEAF_TLS = fileURLToPath(new URL("../support/deaf_tls_client.py", import.meta.url));

/**
 * While a client with TLS that never reads sends commands, LARGE_OCTETS of them or `octets`. It is of another make
 * than ours: Deno's sockets read on under TLS where they are paused.
 */
async function withDeafTls(
  { port, octets = LARGE_OCTETS, first = [] }: {
    readonly port: number;
    readonly octets?: number;
    readonly first?: readonly string[];
  },
  work: (said: string) => Promise<void>,
): Promise<void> {
  const client = spawn("python3", [DEAF_TLS, String(port), String(octets), ...first], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(client, "close");
  try {
    await boundsMemory(async () => {
      const [said] = await Promise.race([once(client.stdout, "data"), ended]);
      await work(String(said));
    });
  } finally {
    client.stdin.end();
    await ended;
  }
}

test("the same holds under TLS", () =>
  withDeafTls({
    port: server.tlsPort,
    octets: 0,
    first: ["USER large", `PASS ${PASSWORD}`, "RETR 1"],
  }, async () => {
    for (let session = 0; session < 10; session++) {
      await anotherSessionWorks();
      await sleep(50);
    }
  }));

test("a client that sends commands and never reads is not read either", async () => {
  const socket = await connectDeaf(server.plainPort);
  socket.write(`USER alice\r\nPASS ${PASSWORD}\r\n`);
  await boundsMemory(async () => {
    const commands = Buffer.from("CAPA\r\n".repeat(10_000));
    const all = await writeAsTaken(socket, commands, LARGE_OCTETS / commands.length);
    assert.equal(all, false, "the server took everything");
    await anotherSessionWorks();
  });
  socket.destroy();
});

for (
  const [port, first, name] of [
    ["tlsPort", [], "under implicit TLS it is not read either"],
    [
      "plainPort",
      ["stls"],
      "a client that sent ahead before STLS is not read without bound under TLS",
    ],
  ] as const
) {
  test(name, () =>
    withDeafTls({ port: server[port], first }, async (said) => {
      assert.equal(said, "stopped\n", "the server took everything");
      await anotherSessionWorks();
    }));
}

test(`a line of ${LINE_OCTETS / MIB} MiB is answered once, is not kept, and ends at its end`, async () => {
  const client = await server.login("alice");
  const { socket } = client.wire as SocketWire;
  const part = Buffer.alloc(MIB, "x");
  await boundsMemory(async () => {
    for (let sent = 0; sent < LINE_OCTETS; sent += MIB) {
      assert.ok(await writeAsTaken(socket, part, 1), "the server stopped reading");
      // Else what Deno has read and thrown away gathers faster than its collector comes round.
      await sleep(10);
    }
  }, LINE_OCTETS / 2);
  // To the grammar check it is one line like any other, sent now.
  await client.err("");
  assert.match(await client.ok("STAT"), /^1 /);
  await client.quit();
});

for (const tls of [false, true]) {
  test(`a long pipeline of commands is answered in order and lets others in between${tls ? ", under TLS" : ""}`, async () => {
    const port = tls ? server.tlsPort : server.plainPort;
    const wire = await SocketWire.connect({ port, tls });
    await readUntil(wire, "\r\n");
    await wire.write(Buffer.from(`USER alice\r\nPASS ${PASSWORD}\r\n`));
    await readUntil(wire, "1 message");
    const rounds = 3_000;
    const reading = readUntil(wire, "signing off");
    await wire.write(Buffer.from(`${"STAT\r\nRETR 1\r\nNOOP\r\n".repeat(rounds)}QUIT\r\n`));
    await anotherSessionWorks();
    const said = await reading;
    wire.destroy();
    const [first = ""] = said.match(/\+OK 1 \d+\r\n\+OK \d+ octets\r\n[^]*?\r\n\.\r\n\+OK\r\n/) ??
      [];
    assert.notEqual(first, "");
    assert.equal(said.split(first).length - 1, rounds);
  });
}
