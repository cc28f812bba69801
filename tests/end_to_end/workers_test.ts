/** Several workers: who serves, what dies with one of them, and how they begin and end together. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Pop3Client } from "../support/pop3_client.ts";
import { popkeepCommand, type RunningServer } from "../support/server.ts";
import { logged, logRecords } from "./server_log.ts";
import {
  isRunning,
  newAddress,
  onBoth,
  type Placed,
  placed,
  processOf,
  until,
  withWorkers,
  workerProcesses,
} from "./worker_processes.ts";

/** How long all workers may take until they let nobody in, ms: less than they have for their sessions. */
const PATIENCE_MS = 30_000;

const GOODBYE = /^-ERR \[SYS\/TEMP\] .*shutting down/;

async function quitAll(sessions: readonly Placed[]): Promise<void> {
  for (const { client } of sessions) await client.quit();
}

/** Waits until nobody is let in. One worker may be told to stop, and tell its clients, before another. */
async function refusesAll(server: RunningServer): Promise<void> {
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      (await server.connect()).disconnect();
    } catch {
      return;
    }
    assert.ok(performance.now() < giveUpAtMs, "somebody new is still let in");
    await sleep(20);
  }
}

async function isServed(server: RunningServer): Promise<void> {
  const { client } = await placed(server, "carol");
  await client.quit();
}

test("both workers serve, and the log is one: no line is broken, no number of a session is twice", () =>
  withWorkers('protocol_log = true\nlog_per_file_size_quota = "4KiB"', async (server) => {
    server.maildir("alice").deliver("Subject: one\n\nthe body\n");
    const sessions = await onBoth(server, "alice");
    for (const { client } of sessions) assert.match(await client.ok("STAT"), /^1 /);
    await quitAll(sessions);
    await Promise.all(Array.from({ length: 100 }, async () => {
      await (await server.connect({ localAddress: newAddress() })).quit();
    }));
    assert.equal(await server.halt(), 0);

    const ended = logRecords(server).filter(({ message }) => message === "session ended");
    assert.ok(ended.length >= 102);
    assert.deepEqual(new Set(ended.map(({ worker }) => worker)), new Set([1, 2]));
    const numbers = ended.map(({ session }) => Number(session));
    assert.equal(new Set(numbers).size, numbers.length);
    assert.equal(Math.min(...numbers), 1);
    assert.equal(Math.max(...numbers), numbers.length);

    const files = readdirSync(`${server.folder}/log`).map((name) =>
      readFileSync(`${server.folder}/log/${name}`, "utf8")
    );
    for (const text of files) {
      assert.equal(text.lastIndexOf("#Software"), 0, "one header, at the beginning");
      assert.ok(text.length <= 4_096, "who counts octets counts those of all workers");
    }
    const lines = files.flatMap((text) => text.split("\n"));
    assert.equal(lines.filter((line) => line.includes(",STAT,")).length, sessions.length);
    const closed = lines.filter((line) => line.includes("CloseSession"));
    assert.equal(closed.length, ended.length, "also what was said last");
  }));

test("a worker that is killed costs its own sessions only, and another one takes its place", () =>
  withWorkers("max_connections_from_single_address = 1", async (server) => {
    const sessions = await onBoth(server, "alice");
    const victim = sessions[0]!.worker;
    const since = server.log.length;
    process.kill(processOf(server, victim), "SIGKILL");
    await logged(server, {
      since,
      message: "worker ended and is started again",
      worker: victim,
      signal: "SIGKILL",
    });
    for (const { client, worker } of sessions) {
      if (worker === victim) await client.closed();
      else assert.match(await client.ok("STAT"), /^0 /);
    }
    // Who was cut off comes back at once, though each address may come once only.
    for (const { worker, address } of sessions) {
      if (worker !== victim) continue;
      const again = await server.login("alice", { localAddress: address });
      await again.quit();
    }
    await logged(server, { since, message: "worker serves", worker: victim });
    await quitAll(sessions.filter(({ worker }) => worker !== victim));
    await quitAll(await onBoth(server, "bob"));
    assert.equal(await server.halt(), 0);
  }));

test("a worker that is told to end by itself says goodbye, and another one takes its place", () =>
  withWorkers('shutdown_grace_period = "1m"', async (server) => {
    const sessions = await onBoth(server, "alice");
    const { worker, client } = sessions[0]!;
    const since = server.log.length;
    process.kill(processOf(server, worker), "SIGTERM");
    assert.match(await client.ok("STAT"), /^0 /);
    await quitAll(sessions);
    await logged(server, {
      since,
      message: "worker ended and is started again",
      worker,
      exit_code: 0,
    });
    await logged(server, { since, message: "worker serves", worker });
    await quitAll(await onBoth(server, "bob"));
  }));

test("SIGTERM stops all workers: sessions may QUIT, others are told", () =>
  withWorkers('shutdown_grace_period = "1m"', async (server) => {
    const sessions = await onBoth(server, "alice");
    const waiting = await server.connect();
    const end = once(server.child, "exit");
    server.signal("SIGTERM");
    assert.match((await waiting.reply()).line, GOODBYE);
    await waiting.closed();
    await refusesAll(server);
    for (const { client } of sessions) await client.ok("STAT");
    await quitAll(sessions);
    assert.deepEqual(await end, [0, null]);
    assert.ok(!server.log.includes("is started again"), server.log);
  }));

test("a second signal gives no worker more time", () =>
  withWorkers('shutdown_grace_period = "1h"', async (server) => {
    const sessions = await onBoth(server, "alice");
    const end = once(server.child, "exit");
    server.signal("SIGTERM");
    await logged(server, { since: 0, message: "stopping" });
    for (const { client } of sessions) await client.ok("STAT");
    server.signal("SIGTERM");
    for (const { client } of sessions) assert.match((await client.reply()).line, GOODBYE);
    assert.deepEqual(await end, [0, null]);
  }));

test("SIGTERM to all processes at once, as a service manager sends it, is one stop", () =>
  withWorkers('shutdown_grace_period = "1m"', async (server) => {
    const sessions = await onBoth(server, "alice");
    const end = once(server.child, "exit");
    for (const worker of workerProcesses(server)) process.kill(worker, "SIGTERM");
    server.signal("SIGTERM");
    await logged(server, { since: 0, message: "stopping" });
    for (const { client } of sessions) assert.match(await client.ok("STAT"), /^0 /);
    await quitAll(sessions);
    assert.deepEqual(await end, [0, null]);
  }));

test("where the supervisor is killed the workers stop, and the ports are free", () =>
  withWorkers('shutdown_grace_period = "1m"', async (server) => {
    const sessions = await onBoth(server, "alice");
    const waiting = await server.connect();
    const since = server.log.length;
    await server.halt("SIGKILL");
    assert.match((await waiting.reply()).line, GOODBYE);
    for (const worker of [1, 2]) {
      await logged(server, { since, message: "the supervisor is gone", worker });
    }
    // Sessions get their time, and nobody new does.
    await refusesAll(server);
    await quitAll(sessions);
    await until(() => workerProcesses(server).every((process) => !isRunning(process)));
    const again = net.createServer().listen(server.plainPort, "127.0.0.1");
    await once(again, "listening");
    again.close();
  }));

test("a worker that cannot begin again is tried again, and the others serve meanwhile", () =>
  withWorkers("", async (server) => {
    const users = readFileSync(`${server.folder}/key.pem`);
    rmSync(`${server.folder}/key.pem`);
    const since = server.log.length;
    process.kill(processOf(server, 1), "SIGKILL");
    await logged(server, { since, message: "a worker cannot serve", worker: 1 });
    await isServed(server);
    writeFileSync(`${server.folder}/key.pem`, users, { mode: 0o600 });
    await logged(server, { since, message: "worker serves", worker: 1 });
    await quitAll(await onBoth(server, "alice"));
  }));

interface Ended {
  readonly exitCode: number;
  readonly stderr: string;
}

async function popkeep(...words: readonly string[]): Promise<Ended> {
  const [command, ...before] = popkeepCommand();
  const child = spawn(command, [...before, ...words], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => stderr += chunk);
  const [exitCode] = await once(child, "close");
  return { exitCode, stderr };
}

/** What `popkeep serve` says on its way out, the log left out. */
async function failsToServe(settings: string, workers: number): Promise<Ended> {
  const folder = mkdtempSync(`${os.tmpdir()}/popkeep-workers-`);
  try {
    writeFileSync(`${folder}/popkeep.toml`, `workers = ${workers}\nuser = "root"\n${settings}`);
    writeFileSync(`${folder}/users`, "");
    writeFileSync(`${folder}/none.pem`, "no certificate\n");
    const { exitCode, stderr } = await popkeep("serve", "--config", `${folder}/popkeep.toml`);
    const said = stderr.split("\n").filter((line) => !line.startsWith("{")).join("\n");
    return { exitCode, stderr: said.replaceAll(folder, "") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("what keeps one process from starting keeps workers from it, in the same words", async () => {
  const taken = net.createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as net.AddressInfo;
  const plain = `unencrypted_or_tls_bindings = ["127.0.0.1:0"]\nssl_bindings = []\n`;
  const cases: readonly [settings: string, exitCode: number][] = [
    [plain.replace(":0", `:${port}`), 69],
    [plain.replace("127.0.0.1:0", "192.0.2.1:110"), 69],
    [`${plain}never_blocked_addresses = ["nobody"]`, 78],
    [
      `${plain}[[certificates]]\ncertificate_file = "none.pem"\nkey_file = "none.pem"`,
      78,
    ],
    [`${plain}client_certificate_authorities = "none.pem"`, 78],
  ];
  for (const [settings, exitCode] of cases) {
    const alone = await failsToServe(settings, 1);
    assert.equal(alone.exitCode, exitCode, alone.stderr);
    assert.deepEqual(await failsToServe(settings, 2), alone);
  }
  taken.close();
});

test("a second server does not get a share of the ports", () =>
  withWorkers("", async (server) => {
    const { exitCode, stderr } = await failsToServe(
      `unencrypted_or_tls_bindings = ["127.0.0.1:${server.plainPort}"]\nssl_bindings = []`,
      2,
    );
    assert.equal(exitCode, 69, stderr);
    await isServed(server);
  }));

test("any port is the same port in all workers, and keeps it over a reload and a death", () =>
  withWorkers("", async (server) => {
    const file = `${server.folder}/popkeep.toml`;
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(`127.0.0.1:${server.plainPort}`, "127.0.0.1:0"));
    const since = server.log.length;
    server.signal("SIGHUP");
    await logged(server, { since, message: "reloaded" });
    // What was logged of the first port may come late.
    const anew = () => listening(server, since).filter((port) => port !== server.plainPort);
    await until(() => anew().length === 2);
    const [port] = anew();
    assert.deepEqual(anew(), [port, port]);
    const dead = server.log.length;
    server.signal("SIGHUP");
    await logged(server, { since: dead, message: "reloaded" });
    process.kill(processOf(server, 1), "SIGKILL");
    await logged(server, { since: dead, message: "worker serves", worker: 1 });
    await logged(server, { since: dead, message: "listening", port, worker: 1 });
    const client = await Pop3Client.connect({ port: Number(port) });
    await client.quit();
    await refusesAll(server); // on the port of before
  }));

/** The ports that workers said they listen on since then. */
function listening(server: RunningServer, since: number): unknown[] {
  const old = server.log.slice(0, since).split("\n").length - 1;
  return logRecords(server).slice(old)
    .filter(({ message, security }) => message === "listening" && security === "plain")
    .map(({ port }) => port);
}

test("nobody starts a worker by hand", async () => {
  const { exitCode, stderr } = await popkeep("worker");
  assert.equal(exitCode, 64);
  assert.match(stderr, /^popkeep: workers are started by/);
});
