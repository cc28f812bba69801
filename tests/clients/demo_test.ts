/** `make run` as somebody meets it who has just cloned the project: what it prints works when typed. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import net from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { demoMessages } from "../support/demo_mail.ts";
import { clientTest, run } from "../support/real_client.ts";

const DEMO = fileURLToPath(new URL("../../scripts/demo.ts", import.meta.url));

interface Demo {
  readonly child: ChildProcess;
  readonly said: string;
}

/** Starts the demo and waits until it has said how to stop it, or until it has ended. */
function startDemo(environment: Record<string, string>): Promise<Demo> {
  const before = "Deno" in globalThis ? ["run", "-A", "--no-check", DEMO] : [DEMO];
  const child = spawn(process.execPath, before, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve) => {
    let said = "";
    const hear = (chunk: unknown) => {
      said += String(chunk);
      if (/Ctrl-C stops/.test(said)) resolve({ child, said });
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("close", () => resolve({ child, said }));
  });
}

async function listenAnywhere(): Promise<{ port: number; close(): Promise<void> }> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  return { port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

clientTest(
  ["curl"],
  "the demo prints curl commands that work, and leaves nothing behind",
  async (folder) => {
    const [plain, tls] = [await listenAnywhere(), await listenAnywhere()];
    await Promise.all([plain.close(), tls.close()]);
    const { child, said } = await startDemo({
      POPKEEP_DEMO_PORT: String(plain.port),
      POPKEEP_DEMO_TLS_PORT: String(tls.port),
    });
    try {
      const commands = said.split("\n").filter((line) => line.startsWith("  curl "));
      assert.equal(commands.length, 4, said);
      const outputs: string[] = [];
      for (const command of commands) {
        const ended = await run(folder, "sh", "-c", `exec ${command.trim()} --silent --show-error`);
        assert.equal(ended.code, 0, `${command}\n${ended.output}\n${said}`);
        outputs.push(ended.stdout);
      }
      const first = (user: "alice" | "bob" | "carol") =>
        demoMessages(user)[0]!.canonical.toString();
      assert.equal(outputs[0]!.trim().split("\r\n").length, demoMessages("alice").length);
      assert.deepEqual(outputs.slice(1), [first("alice"), first("bob"), first("carol")]);
      const copy = /^ {2}The copy +(.+)$/m.exec(said)?.[1];
      assert.ok(copy !== undefined && existsSync(copy));
      const gone = once(child, "exit");
      // Not child.kill: Deno then says that the signal ended the child, whatever its exit code was.
      process.kill(child.pid!, "SIGINT");
      assert.deepEqual(await gone, [0, null]);
      assert.ok(!existsSync(copy), `${copy} is still there`);
    } finally {
      child.kill("SIGTERM");
    }
  },
);

clientTest([], "the demo says which port is in use and how to choose another", async () => {
  const taken = await listenAnywhere();
  const { child, said } = await startDemo({ POPKEEP_DEMO_PORT: String(taken.port) });
  if (child.exitCode === null) await once(child, "exit");
  await taken.close();
  assert.equal(child.exitCode, 1, said);
  assert.match(
    said,
    new RegExp(`^Port ${taken.port} of 127\\.0\\.0\\.1 is in use\\. .*POPKEEP_DEMO_PORT=`),
  );
  assert.equal(said.trim().split("\n").length, 1);
});
