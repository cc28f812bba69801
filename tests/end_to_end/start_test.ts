/** Starting: all bindings or none, and an exit code and a sentence that say why not. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import { test } from "node:test";
import { popkeepCommand, type RunningServer, startServer } from "../support/server.ts";
import { logged, logRecords } from "./server_log.ts";

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `popkeep serve` with settings that it cannot start with. */
async function failsToServe(settings: string): Promise<Ended> {
  const folder = mkdtempSync(`${os.tmpdir()}/popkeep-start-`);
  try {
    // Where tests run as root, so does the server. On a line of its own, lines of faults would not be theirs.
    writeFileSync(`${folder}/popkeep.toml`, `${settings}\nuser = "root"\n`);
    writeFileSync(`${folder}/users`, "");
    const [command, ...before] = popkeepCommand();
    const child = spawn(command, [...before, "serve", "--config", `${folder}/popkeep.toml`], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => output.stdout += chunk);
    child.stderr.on("data", (chunk) => output.stderr += chunk);
    const [exitCode] = await once(child, "close");
    return { exitCode, ...output };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function takenPort(): Promise<net.Server> {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

test("a port that is taken ends the start with 69 and a sentence, and nothing is left listening", async () => {
  const taken = await takenPort();
  const free = await takenPort();
  const { port } = taken.address() as net.AddressInfo;
  const { port: freePort } = free.address() as net.AddressInfo;
  free.close();
  await once(free, "close");
  const { exitCode, stderr } = await failsToServe(
    `unencrypted_or_tls_bindings = ["127.0.0.1:${freePort}", "127.0.0.1:${port}"]\nssl_bindings = []`,
  );
  taken.close();
  assert.equal(exitCode, 69);
  assert.match(
    stderr,
    new RegExp(`popkeep: Cannot listen on 127\\.0\\.0\\.1:${port}: another program`),
  );
  assert.ok(!stderr.includes('"ready"'), stderr);
});

test("an address that is not this machine's ends the start with 69", async () => {
  const { exitCode, stderr } = await failsToServe(
    'unencrypted_or_tls_bindings = ["192.0.2.1:1110"]\nssl_bindings = []',
  );
  assert.equal(exitCode, 69);
  assert.match(stderr, /Cannot listen on 192\.0\.2\.1:1110: this machine has no such address/);
});

test("settings with faults end the start with 78 and all faults", async () => {
  const { exitCode, stdout, stderr } = await failsToServe('bannr = "x"\nmax_connections = 0');
  assert.equal(exitCode, 78);
  assert.equal(stdout, "");
  assert.match(stderr, /popkeep\.toml:1: bannr: .*\n.*popkeep\.toml:2: max_connections: /);
});

test("port 0 takes any port, which the log names, and IPv6 is served beside IPv4", async () => {
  const server: RunningServer = await startServer({ users: ["alice"] });
  try {
    const file = `${server.folder}/popkeep.toml`;
    const since = server.log.length;
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace(
        `["127.0.0.1:${server.plainPort}"]`,
        '["127.0.0.1:0", "[::1]:0"]',
      ),
    );
    server.signal("SIGHUP");
    const v6 = await logged(server, { since, message: "listening", address: "::1" });
    const client = await server.connect({ host: "::1", port: Number(v6["port"]) });
    await client.stls();
    await client.quit();
    await logged(server, { since, message: "session ended", address: "::1", reason: "quit" });
  } finally {
    await server.stop();
  }
});

test("the log names what is listened on, and how", async () => {
  const server: RunningServer = await startServer({ users: ["alice"] });
  try {
    const { plainPort, tlsPort } = server;
    const listening = { since: 0, message: "listening", address: "127.0.0.1" };
    await logged(server, { ...listening, port: plainPort, security: "plain" });
    await logged(server, { ...listening, port: tlsPort, security: "implicit-tls" });
    await logged(server, { since: 0, message: "ready" });
    assert.equal(logRecords(server).filter(({ message }) => message === "listening").length, 2);
  } finally {
    await server.stop();
  }
});
