/** A worker that says nothing any more: ended, and replaced. */

import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Supervisor } from "../../../../src/net/workers/supervisor.ts";

const PROGRAM = fileURLToPath(new URL("answering_program.ts", import.meta.url));

/** Enough for a busy machine to start a process and let it answer. */
const ALIVE_LIMIT_MS = 5_000;

interface Crew {
  readonly supervisor: Supervisor;
  /** Numbers of workers that ended. */
  readonly gone: readonly number[];
}

async function withCrew(workers: number, run: (crew: Crew) => Promise<void>): Promise<void> {
  const words = "Deno" in globalThis ? ["run", "-A", "--no-check", PROGRAM] : [PROGRAM];
  const gone: number[] = [];
  const supervisor = new Supervisor({
    workers,
    command: [process.execPath, ...words],
    hands: [],
    task: () => null,
    asked: () => Promise.resolve(null),
    told: () => {},
    gone: (worker) => gone.push(worker),
    aliveLimitMs: ALIVE_LIMIT_MS,
  });
  try {
    await supervisor.start();
    await run({ supervisor, gone });
  } finally {
    await supervisor.stop(1_000);
  }
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 50_000;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error("It does not come about.");
    await sleep(20);
  }
}

test("a worker that says nothing any more is ended, who asked it hears so, and another one serves", () =>
  withCrew(2, async ({ supervisor, gone }) => {
    const frozen = supervisor.processOf(1)!;
    process.kill(frozen, "SIGSTOP");
    await assert.rejects(supervisor.ask(1, "anything"), /gone/);
    await until(() => gone.length > 0);
    assert.deepEqual(gone, [1]);
    await until(() => supervisor.serving.length === 2);
    assert.notEqual(supervisor.processOf(1), frozen);
    assert.deepEqual(await supervisor.ask(1, "anything"), { done: true });
  }));

test("workers that answer are left alone, however long", () =>
  withCrew(2, async ({ supervisor, gone }) => {
    await sleep(2.5 * ALIVE_LIMIT_MS);
    assert.deepEqual([gone, supervisor.serving], [[], [1, 2]]);
  }));
