/**
 * Mail clients that other people wrote, as child processes.
 *
 * *Knows*: where a client comes from, how to run it with a limit, where it puts its mail. *Does not know*:
 * any client's options, popkeep.
 * Invariant: with CI in the environment nothing is skipped; a client that is not there is a failure.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const INSTALL = fileURLToPath(new URL("../../scripts/install_test_clients.sh", import.meta.url));

/** A client that says nothing for this long hangs, ms. */
const PATIENCE_MS = 90_000;

/** A test with a real client, in a temporary folder that is gone afterwards. */
export function clientTest(
  commands: readonly string[],
  name: string,
  body: (folder: string) => Promise<void>,
): void {
  const missing = installed(commands);
  const skip = missing !== undefined && !process.env["CI"];
  if (skip) console.error(`SKIPPED: ${name}\n  ${missing}`);
  test(name, { timeout: 4 * PATIENCE_MS, ...(skip ? { skip: missing } : {}) }, async () => {
    assert.equal(missing, undefined);
    const folder = mkdtempSync(join(tmpdir(), "popkeep-client-"));
    try {
      await body(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** Why the commands are not all there, after an attempt to install them; undefined if they are. */
function installed(commands: readonly string[]): string | undefined {
  const absent = () => commands.filter((command) => !onPath(command));
  if (absent().length === 0) return undefined;
  const attempt = spawnSync("sh", [INSTALL], { encoding: "utf8" });
  if (absent().length === 0) return undefined;
  return `There is no ${
    absent().join(", ")
  }, and scripts/install_test_clients.sh could not help: ` +
    attempt.stderr.trim();
}

function onPath(command: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, command)));
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

/** Runs a client to its end. HOME is the folder, so that nobody's own settings are read or written. */
export function run(folder: string, command: string, ...arguments_: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, arguments_, {
      cwd: folder,
      env: {
        PATH: process.env["PATH"],
        HOME: folder,
        TMPDIR: folder,
        LC_ALL: "C.UTF-8",
        TERM: "xterm",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const stdout: Buffer[] = [];
    const output: Buffer[] = [];
    child.stdout.on("data", (chunk) => stdout.push(chunk) && output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const all = Buffer.concat(output).toString("utf8") + (signal === null ? "" : `\n${signal}`);
      resolve({ code, stdout: Buffer.concat(stdout).toString("utf8"), output: all });
    });
  });
}

/** Where clients deliver to: each message a file, numbered as they come. */
export class Inbox {
  readonly folder: string;
  /** A delivery command (MDA) that takes a message on its standard input. */
  readonly deliver: string;

  constructor(folder: string) {
    this.folder = mkdtempSync(join(folder, "inbox-"));
    this.deliver = join(folder, "deliver");
    const script = '#!/bin/sh\nn=$(ls "$1" | wc -l)\nexec cat > "$1/$((n + 1))"\n';
    writeFileSync(this.deliver, script, { mode: 0o755 });
  }

  /** Adds a message that the client has put somewhere else. */
  add(octets: Uint8Array): void {
    writeFileSync(join(this.folder, String(readdirSync(this.folder).length + 1)), octets);
  }

  /** The messages in the order that they were delivered. */
  messages(): Buffer[] {
    return readdirSync(this.folder).map(Number).sort((a, b) => a - b)
      .map((number) => readFileSync(join(this.folder, String(number))));
  }
}
