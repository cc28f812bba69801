/** SIGHUP: what is new holds for new connections, who is connected stays, and bad settings change nothing. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type tls from "node:tls";
import {
  PASSWORD,
  type RunningServer,
  startServer,
  writeCertificate,
  writeUsers,
} from "../support/server.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { SocketWire } from "../support/wire.ts";
import { logged } from "./server_log.ts";

const SETTINGS = `login_type = "plaintext_login"`;

async function withServer(run: (server: RunningServer) => Promise<void>): Promise<void> {
  const server = await startServer({ users: ["alice"], settings: SETTINGS });
  try {
    server.maildir("alice").deliver("Subject: one\n\nthe body\n");
    await run(server);
    assert.ok(!server.log.includes("fault in popkeep"), server.log);
  } finally {
    await server.stop();
  }
}

function changeSettings(server: RunningServer, change: (text: string) => string): void {
  const file = `${server.folder}/popkeep.toml`;
  writeFileSync(file, change(readFileSync(file, "utf8")));
}

/** Reloads and waits until the server has said that it did. */
async function reload(server: RunningServer): Promise<void> {
  const since = server.log.length;
  server.signal("SIGHUP");
  await logged(server, { since, message: "reloaded" });
}

/** Reloads and waits until the server has said that it did not. */
async function reloadInVain(server: RunningServer): Promise<void> {
  const since = server.log.length;
  server.signal("SIGHUP");
  await logged(server, {
    since,
    message: "not reloaded; the old settings hold",
    level: "error",
  });
}

async function fingerprint(server: RunningServer): Promise<string> {
  const client = await server.connect({ tls: true });
  const socket = (client.wire as SocketWire).socket as tls.TLSSocket;
  const { fingerprint256 } = socket.getPeerCertificate();
  await client.quit();
  return fingerprint256;
}

test("new settings hold for new connections, and sessions go on as they began", () =>
  withServer(async (server) => {
    const session = await server.login("alice");
    const waiting = await server.connect();
    changeSettings(server, (text) => text.replace(SETTINGS, 'banner = "renewed"'));
    await reload(server);

    const client = new Pop3Client(await SocketWire.connect({ port: server.plainPort }));
    assert.equal((await client.reply()).line, "+OK renewed");
    await client.err("USER alice");
    await client.quit();

    assert.match(await session.ok("STAT"), /^1 /);
    await session.quit();
    await waiting.login("alice", PASSWORD);
    await waiting.quit();
  }));

test("new certificates are shown to new connections, and sessions under the old ones go on", () =>
  withServer(async (server) => {
    const before = await fingerprint(server);
    const session = await server.login("alice", { tls: true });
    const beforeStls = await server.connect();
    await writeCertificate(server.folder);
    assert.equal(await fingerprint(server), before, "nothing changes without a reload");
    await reload(server);
    assert.notEqual(await fingerprint(server), before);
    await session.ok("STAT");
    await session.quit();
    await beforeStls.stls();
    await beforeStls.login("alice", PASSWORD);
    await beforeStls.quit();
  }));

test("users are read again, also for clients that were connected before", () =>
  withServer(async (server) => {
    const waiting = await server.connect();
    writeUsers(server.folder, ["bob"]);
    await reload(server);
    await waiting.ok("USER alice");
    assert.equal((await waiting.err(`PASS ${PASSWORD}`)).code, "AUTH");
    await waiting.login("bob", PASSWORD);
    await waiting.quit();
  }));

test("a binding that is gone takes no connection any more, and a new one does", () =>
  withServer(async (server) => {
    const session = await server.login("alice");
    const since = server.log.length;
    changeSettings(server, (text) => text.replace(`127.0.0.1:${server.plainPort}`, "127.0.0.1:0"));
    await reload(server);
    const { port } = await logged(server, { since, message: "listening", security: "plain" });
    await logged(server, { since, message: "no longer listening", port: server.plainPort });
    await assert.rejects(server.connect());
    const client = await server.connect({ port: Number(port) });
    await client.quit();
    assert.match(await session.ok("STAT"), /^1 /);
    await session.quit();
  }));

test("a port can change between all addresses and one", () =>
  withServer(async (server) => {
    const one = `127.0.0.1:${server.plainPort}`;
    const all = `0.0.0.0:${server.plainPort}`;
    changeSettings(server, (text) => text.replace(one, all));
    await reload(server);
    await (await server.connect()).quit();
    changeSettings(server, (text) => text.replace(all, one));
    await reload(server);
    await (await server.connect()).quit();
  }));

test("the log level changes", () =>
  withServer(async (server) => {
    changeSettings(server, (text) => text.replace(SETTINGS, `${SETTINGS}\nlog_level = "debug"`));
    await reload(server);
    const since = server.log.length;
    await (await server.login("alice")).quit();
    await logged(server, { since, message: "logged in", user: "alice", level: "debug" });
  }));

const BAD: readonly [string, (server: RunningServer) => void][] = [
  [
    "a settings file with a fault",
    (server) => changeSettings(server, (text) => `bannr = 1\n${text}`),
  ],
  ["a settings file that is no TOML", (server) => changeSettings(server, () => "][")],
  [
    "a certificate that is none",
    (server) => writeFileSync(`${server.folder}/certificate.pem`, "x"),
  ],
  [
    "a binding that is not ours",
    (server) =>
      changeSettings(
        server,
        (text) => text.replace(`127.0.0.1:${server.plainPort}`, "192.0.2.1:1110"),
      ),
  ],
];

for (const [what, spoil] of BAD) {
  test(`${what} changes nothing`, () =>
    withServer(async (server) => {
      const session = await server.login("alice");
      const good = readFileSync(`${server.folder}/popkeep.toml`, "utf8");
      const certificate = readFileSync(`${server.folder}/certificate.pem`, "utf8");
      spoil(server);
      await reloadInVain(server);
      const client = await server.login("alice", { tls: true });
      await client.quit();
      await (await server.connect()).quit();
      assert.match(await session.ok("STAT"), /^1 /);
      await session.quit();
      // And it is not stuck: good settings are taken again.
      writeFileSync(`${server.folder}/popkeep.toml`, good);
      writeFileSync(`${server.folder}/certificate.pem`, certificate);
      await reload(server);
    }));
}
