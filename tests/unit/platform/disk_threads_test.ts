/**
 * Bun asks for the number of its threads when the first one is needed, which among sources is while modules
 * are loaded, so what we say counts in executables only: that is what is tried here.
 */

import { deepStrictEqual } from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("disk_threads_program.ts", import.meta.url));
const isDeno = "Deno" in globalThis;

/** Enough to occupy all threads that Bun has by itself. */
const SILENT_FILES = availableParallelism() + 4;

const folder = mkdtempSync(`${tmpdir()}/popkeep-disk-threads-`);
after(() => rmSync(folder, { recursive: true }));
const files = Array.from({ length: SILENT_FILES }, (_, at) => `${folder}/silent-${at}`);
execFileSync("mkfifo", files);

function programWords(): readonly [string, ...string[]] {
  if (isDeno) return [process.execPath, "run", "-A", "--no-check", PROGRAM];
  const executable = `${folder}/program`;
  const how = ["--compile", "--bytecode", "--format=esm", `--outfile=${executable}`];
  execFileSync(process.execPath, ["build", ...how, PROGRAM], { stdio: "pipe" });
  return [executable];
}

const [command, ...first] = programWords();

/** What the program says while the files do not answer; undefined if it says nothing in `timeoutMs`. */
function saidBeside(threads: number, timeoutMs: number, environment: Record<string, string> = {}) {
  const { stdout, signal } = spawnSync(command, [...first, String(threads), ...files], {
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  return signal === null ? stdout.trim() : undefined;
}

test("files that do not answer, more than there are processors, hold up no other", () => {
  deepStrictEqual(saidBeside(SILENT_FILES + 1, 60_000), "answered");
});

// Deno's number is its own.
if (!isDeno) {
  test("who says himself how many threads there are is not overruled", () => {
    deepStrictEqual(saidBeside(SILENT_FILES + 1, 3_000, { UV_THREADPOOL_SIZE: "2" }), undefined);
  });
}
