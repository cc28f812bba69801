/**
 * The first deliveries to a user. Two make one Maildir, and the machine loses power when the second has said
 * that its message is there: the names that lead to it must be on the disk, also those that the first one made
 * and has not written through yet. And a disk may hang meanwhile.
 *
 * *Knows*: strace, which holds a delivery before it writes through. *Does not know* how Maildirs are made.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { popkeepCommand } from "../support/command_line.ts";

/** How long the first one is held, µs: longer than the test may take. */
const HELD_US = 600_000_000;

/** How long it may take until it is there, ms. */
const PATIENCE_MS = 60_000;

test("a Maildir that another delivery made, and did not write through, is written through", () =>
  withFolder("10m", async (folder) => {
    const domain = `${folder}/mail/example.com`;
    const mailbox = `${domain}/bob`;
    const first = deliver(folder, [...heldAt(mailbox), "-o", `${folder}/first`]);
    try {
      await until(() => existsSync(`${mailbox}/new`) && existsSync(`${mailbox}/tmp`));
      const second = deliver(folder, ["-y", "-e", "trace=fsync", "-o", `${folder}/second`]);
      assert.deepEqual(await once(second, "exit"), [0, null]);
      assert.equal(readdirSync(`${mailbox}/new`).length, 1, "the first one is held");
      const synced = readFileSync(`${folder}/second`, "utf8");
      for (const path of [`${mailbox}/new`, mailbox, domain, `${folder}/mail`]) {
        assert.ok(synced.includes(`<${path}>`), `${path} is not written through:\n${synced}`);
      }
      assert.ok(!synced.includes(`<${folder}>`), "what is above was there before any mail");
    } finally {
      end(first);
    }
  }));

test("a folder above the Maildir that does not answer is waited for as long as the settings say", () =>
  withFolder("1s", async (folder) => {
    const trace = `${folder}/held`;
    const held = deliver(folder, [...heldAt(`${folder}/mail/example.com`), "-o", trace]);
    let said = "";
    held.stderr!.on("data", (chunk) => said += chunk);
    try {
      // strace itself does not always end when what it holds does.
      await until(() => existsSync(trace) && readFileSync(trace, "utf8").includes("exited with"));
      assert.match(readFileSync(trace, "utf8"), /exited with 75/);
      await until(() => said.includes("\n"));
      assert.match(said, /example\.com" does not answer: waited 1 s to /);
    } finally {
      end(held);
    }
  }));

async function withFolder(
  storageTimeout: string,
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = realpathSync(mkdtempSync(`${tmpdir()}/popkeep-first-`));
  mkdirSync(`${folder}/mail`);
  writeFileSync(`${folder}/users`, "bob@example.com:{PLAIN}x\n");
  writeFileSync(
    `${folder}/popkeep.toml`,
    `unencrypted_or_tls_bindings = ["127.0.0.1:1"]
ssl_bindings = []
user = "root"
user_file = "users"
maildir = "${folder}/mail/{domain}/{local}"
storage_timeout = "${storageTimeout}"
`,
  );
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Options of strace that hold who has a folder written through. */
function heldAt(path: string): string[] {
  return ["-P", path, "-e", `inject=fsync:delay_enter=${HELD_US}`];
}

/** Ends a delivery with what it started: strace, and popkeep under it. */
function end({ pid, exitCode }: ChildProcess): void {
  if (exitCode === null) process.kill(-pid!, "SIGKILL");
}

/** Starts a delivery under strace, in a group of its own. */
function deliver(folder: string, options: readonly string[]): ChildProcess {
  const words = [
    ...["-f", ...options],
    ...popkeepCommand(),
    ...["deliver", "--config", `${folder}/popkeep.toml`, "--", "bob@example.com"],
  ];
  const child = spawn("strace", words, { stdio: ["pipe", "ignore", "pipe"], detached: true });
  child.stdin!.on("error", () => {});
  child.stdin!.end("Subject: one\n\nbody\n");
  return child;
}

async function until(isSo: () => boolean): Promise<void> {
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    assert.ok(performance.now() < giveUpAtMs, "it does not come that far");
    await sleep(10);
  }
}
