import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { BlockingCalls, type BlockingCallsOptions } from "../../../src/auth/blocking_calls.ts";

/** How long calls hang that are to hang: far longer than any limit here, and not for ever. */
const HANG = "hang 3000";

async function withCalls(
  options: Partial<BlockingCallsOptions>,
  work: (calls: BlockingCalls<string, string>, started: () => number) => Promise<void>,
): Promise<void> {
  let started = 0;
  const calls = new BlockingCalls<string, string>({
    purpose: "a test",
    startWorker: () => {
      started++;
      return new Worker(new URL("./stuck_worker.ts", import.meta.url));
    },
    threads: 1,
    queueLength: 10,
    callLimitMs: 60_000,
    idleLimitMs: 60_000,
    stuckThreads: 2,
    ...options,
  });
  try {
    await work(calls, () => started);
  } finally {
    await calls.close();
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 5));
}

test("jobs are answered in their order by one thread", async () => {
  await withCalls({}, async (calls, started) => {
    strictEqual(started(), 0);
    const answers = await Promise.all(["a", "b", "c"].map((job) => calls.call(job)));
    deepStrictEqual(answers, ["a done", "b done", "c done"]);
    strictEqual(started(), 1);
  });
});

test("the event loop goes on while a call blocks", async () => {
  await withCalls({}, async (calls) => {
    const blocking = calls.call("hang 500").then(() => "blocking");
    const timer = new Promise((done) => setTimeout(() => done("timer"), 20));
    strictEqual(await Promise.race([blocking, timer]), "timer");
    strictEqual(await blocking, "blocking");
  });
});

test("a call that hangs comes to nothing, and the next one has another thread", async () => {
  await withCalls({ callLimitMs: 1_000 }, async (calls, started) => {
    const [hung, next] = [calls.call(HANG), calls.call("next")];
    strictEqual(await hung, undefined);
    strictEqual(calls.stuck, 1);
    strictEqual(await next, "next done");
    strictEqual(started(), 2);
  });
});

test("a thread that came back after it was given up is not counted any more", async () => {
  await withCalls({ callLimitMs: 1_000 }, async (calls) => {
    strictEqual(await calls.call(HANG), undefined);
    strictEqual(calls.stuck, 1);
    await until(() => calls.stuck === 0);
    strictEqual(await calls.call("next"), "next done");
  });
});

test("when too many threads hang no more are started, until one has come back", async () => {
  await withCalls({ callLimitMs: 1_000, stuckThreads: 1 }, async (calls, started) => {
    strictEqual(await calls.call(HANG), undefined);
    strictEqual(await calls.call("next"), undefined);
    strictEqual(started(), 1);
    await until(() => calls.stuck === 0);
    strictEqual(await calls.call("next"), "next done");
  });
});

test("a thread that ends or fails costs its own job only", async () => {
  await withCalls({}, async (calls) => {
    for (const job of ["exit", "throw"]) {
      const [lost, next] = [calls.call(job), calls.call("next")];
      strictEqual(await lost, undefined);
      strictEqual(await next, "next done");
    }
  });
});

test("beyond the queue a job is turned away, but for one that gives something back", async () => {
  await withCalls({ queueLength: 1 }, async (calls) => {
    const first = calls.call("hang 300");
    const second = calls.call("second");
    strictEqual(await calls.call("third"), undefined);
    strictEqual(await calls.callAnyway("fourth"), "fourth done");
    deepStrictEqual(await Promise.all([first, second]), ["hang 300 done", "second done"]);
  });
});

test("an idle thread ends", async () => {
  await withCalls({ idleLimitMs: 10 }, async (calls) => {
    await calls.call("a");
    strictEqual(calls.threads, 1);
    await until(() => calls.threads === 0);
  });
});

test("closing does not wait for a call that hangs", async () => {
  await withCalls({}, async (calls) => {
    const [hung, waiting] = [calls.call("hang 20000"), calls.call("waiting")];
    await new Promise((done) => setTimeout(done, 300));
    await calls.close();
    deepStrictEqual(await Promise.all([hung, waiting]), [undefined, undefined]);
    strictEqual(await calls.call("later"), undefined);
  });
});

test("a call that hangs for an hour does not keep the process", () => {
  const program = fileURLToPath(new URL("./stuck_calls_program.ts", import.meta.url));
  const before = "deno" in process.versions ? ["run", "-A", "--no-check"] : [];
  const ended = spawnSync(process.execPath, [...before, program], {
    encoding: "utf8",
    timeout: 60_000,
  });
  ok(ended.stdout.includes("undefined"), ended.stdout + ended.stderr);
  strictEqual(ended.signal, null, "it ended by itself");
});
