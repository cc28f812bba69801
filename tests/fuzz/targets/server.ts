/**
 * A whole server by its sockets, in the clear and under TLS: what it says keeps to the grammar, it closes when
 * the client is gone, nothing is removed without QUIT, and it still serves others.
 *
 * The first octet of an input says how the others are sent: the port, whether there is a handshake, in how many
 * pieces, and how the client leaves.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ReplyReader } from "../../support/reply_grammar.ts";
import { PASSWORD, type RunningServer, startServer } from "../../support/server.ts";
import { SocketWire } from "../../support/wire.ts";
import { readCorpus } from "../corpus.ts";
import type { FuzzTarget } from "../target.ts";

const TLS_PORT = 1;
const HANDSHAKE = 2;
const LEAVES_AT_ONCE = 4;
/** Pieces are what is above. */
const PIECES = 8;

const MESSAGES = 2;

/** A probe of whether others are served comes after so many inputs. */
const PROBE_EVERY = 20;

let started: Promise<RunningServer> | undefined;
let attempts = 0;

function server(): Promise<RunningServer> {
  return started ??= startServer({
    users: ["alice", "probe"],
    settings: [
      'login_type = "plaintext_login"',
      "max_bad_commands = 10000",
      "max_failed_logins = 1000",
      "max_connections_per_user = 1000",
      'tls_handshake_timeout = "1s"',
    ].join("\n"),
  });
}

/** What clients say in a session, sent in every way. */
const SEEDS = readCorpus("session").inputs.flatMap(({ octets }) =>
  [0, TLS_PORT | HANDSHAKE, LEAVES_AT_ONCE, 3 * PIECES].map((how) =>
    Buffer.concat([Buffer.of(how), octets])
  )
);

export const wholeServer: FuzzTarget = {
  name: "server",
  seeds: SEEDS,
  // Deno's server waits the whole handshake out for a client that is gone before it.
  executions: "Deno" in globalThis ? 80 : 300,
  maxOctets: 16_384,
  async attempt(input) {
    const running = await server();
    const maildir = running.maildir("alice");
    while (maildir.files().length < MESSAGES) maildir.deliver("Subject: a\n\n.\nsome text\n");
    const before = maildir.files();
    const octets = input.subarray(1);
    const saysQuit = /quit/i.test(Buffer.from(octets).toString("latin1"));
    // What QUIT removes is gone when it is answered, which a client that has left does not hear.
    const how = saysQuit ? (input[0] ?? 0) & ~LEAVES_AT_ONCE : input[0] ?? 0;
    await converse(running, how, octets);
    if (!saysQuit) assert.deepEqual(maildir.uniqueNames(), before.map(uniqueNameOf), "removed");
    if (++attempts % PROBE_EVERY === 0) await probe(running);
  },
  async end() {
    await (await started)?.stop();
    started = undefined;
  },
};

function uniqueNameOf(file: string): string {
  return file.slice("new/".length).replace(/:.*$/, "");
}

async function converse(running: RunningServer, how: number, octets: Uint8Array): Promise<void> {
  const isTlsPort = (how & TLS_PORT) !== 0;
  const port = isTlsPort ? running.tlsPort : running.plainPort;
  const tls = isTlsPort && (how & HANDSHAKE) !== 0;
  const wire = await SocketWire.connect({ port, tls });
  try {
    const pieces = 1 + Math.floor(how / PIECES) % 8;
    const step = Math.ceil(octets.length / pieces) || 1;
    for (let at = 0; at < octets.length; at += step) {
      // A client may be gone before it is heard out.
      if (at > 0 && (how & LEAVES_AT_ONCE) !== 0) return;
      await wire.write(octets.subarray(at, at + step));
    }
    if ((how & LEAVES_AT_ONCE) !== 0) return;
    wire.halfClose();
    await listen(wire, octets, !isTlsPort || tls);
  } finally {
    wire.destroy();
  }
}

/** Hears the server out; it must close by itself. */
async function listen(wire: SocketWire, octets: Uint8Array, speaksPop3: boolean): Promise<void> {
  const reader = new ReplyReader();
  const lines = Buffer.from(octets).toString("latin1").split("\n");
  for (const line of lines) reader.sent(Buffer.from(line.replace(/\r$/, ""), "latin1"));
  for (let said; (said = await wire.read()) !== undefined;) {
    // What comes after STLS is no POP3 until there is TLS.
    if (speaksPop3 && !reader.wantsTls) reader.push(said);
  }
}

async function probe(running: RunningServer): Promise<void> {
  assert.equal(running.child.exitCode, null, running.log);
  const client = await running.connect({ tls: true });
  await client.login("probe", PASSWORD);
  assert.equal(await client.ok("STAT"), "0 0");
  await client.quit();
  assert.ok(!running.log.includes("fault in popkeep"), running.log);
}
