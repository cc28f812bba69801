import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { HashPool, type HashPoolOptions } from "../../../src/auth/hash_pool.ts";
import { workerLocation } from "../../../src/platform/worker_location.ts";

const octets = (text: string) => new TextEncoder().encode(text);

/** A pool whose threads do what the stored password says; see odd_worker.ts. */
async function withOddPool(
  options: HashPoolOptions,
  work: (pool: HashPool, started: () => number) => Promise<void>,
): Promise<void> {
  let started = 0;
  const pool = new HashPool({
    workers: 1,
    startWorker: () => {
      started++;
      return new Worker(new URL("./odd_worker.ts", import.meta.url));
    },
    ...options,
  });
  try {
    await work(pool, () => started);
  } finally {
    await pool.close();
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 5));
}

test("real threads tell right from wrong, several at once", async () => {
  const pool = new HashPool({ workers: 2 });
  const salt = "c29tZXNhbHQ";
  const stored =
    `{ARGON2ID}$argon2id$v=19$m=64,t=2,p=1$${salt}$3ECvWswPysECH0kTIdh0bcXw2bBDBI7/hTzyj8iYjAw`;
  try {
    deepStrictEqual(
      await Promise.all(
        ["demo", "Demo", "demo", "x"].map((password) => pool.check(stored, octets(password))),
      ),
      ["right", "wrong", "right", "wrong"],
    );
    strictEqual(await pool.check("{BLF-CRYPT}broken", octets("demo")), "wrong");
    ok(pool.workers <= 2);
  } finally {
    await pool.close();
  }
});

test("threads that compute hashes let those who serve sessions go first", async () => {
  const nicenesses = () =>
    readdirSync("/proc/self/task").flatMap((thread) => {
      try {
        const stat = readFileSync(`/proc/self/task/${thread}/stat`, "latin1");
        const niceness = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
        return [{ thread, niceness }];
      } catch {
        // It has ended meanwhile: one of another test, or of the runtime.
        return [];
      }
    });
  const before = nicenesses();
  const usual = before.find(({ thread }) => Number(thread) === process.pid)!.niceness;
  const pool = new HashPool({ workers: 1 });
  try {
    strictEqual(await pool.check("{BLF-CRYPT}broken", octets("demo")), "wrong");
    const known = new Set(before.map(({ thread }) => thread));
    const later = nicenesses().filter(({ thread }) => !known.has(thread));
    ok(later.some(({ niceness }) => niceness > usual), JSON.stringify(later));
    strictEqual(
      nicenesses().find(({ thread }) => Number(thread) === process.pid)!.niceness,
      usual,
      "the thread that serves",
    );
  } finally {
    await pool.close();
  }
});

test("no thread is started before there is something to do", async () => {
  await withOddPool({ workers: 4 }, async (pool, started) => {
    strictEqual(started(), 0);
    strictEqual(await pool.check("a", octets("a")), "right");
    strictEqual(started(), 1);
  });
});

test("a hash that is one digest starts no thread, right or wrong", async () => {
  const sha256 = "{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=";
  const ssha = `{SSHA}${
    Buffer.from("7ccd7b2d5d1d7ebd6ec0e3a4d5fc1a3d5a0c7f2a00", "hex").toString("base64")
  }`;
  await withOddPool({}, async (pool, started) => {
    strictEqual(await pool.check("{PLAIN}secret", octets("secret")), "right");
    strictEqual(await pool.check("{PLAIN}secret", octets("Secret")), "wrong");
    strictEqual(await pool.check(sha256, octets("secret")), "right");
    strictEqual(await pool.check(sha256, octets("other")), "wrong");
    strictEqual(await pool.check(ssha, octets("other")), "wrong");
    strictEqual(started(), 0);
  });
});

test("more jobs than threads wait and are all done", async () => {
  await withOddPool({ workers: 2 }, async (pool, started) => {
    const jobs = Array.from({ length: 100 }, (_, at) => pool.check(`${at % 3}`, octets("0")));
    const right = (await Promise.all(jobs)).filter((result) => result === "right").length;
    strictEqual(right, 34);
    strictEqual(started(), 2);
  });
});

test("a job beyond the queue is unavailable at once and the others are not harmed", async () => {
  await withOddPool({ queueLength: 2 }, async (pool) => {
    const jobs = [1, 2, 3].map(() => pool.check("a", octets("a")));
    strictEqual(await pool.check("a", octets("a")), "unavailable");
    deepStrictEqual(await Promise.all(jobs), ["right", "right", "right"]);
    strictEqual(await pool.check("a", octets("a")), "right");
  });
});

/** Asks for checks all at once, and says in which order they were done. */
async function orderOf(
  pool: HashPool,
  jobs: readonly { readonly name: string; readonly source: string; readonly known?: boolean }[],
): Promise<string[]> {
  const done: string[] = [];
  await Promise.all(jobs.map(async ({ name, source, known = false }) => {
    await pool.check("secret", octets("guess"), { source, known });
    done.push(name);
  }));
  return done;
}

test("a flood from one address makes a job from elsewhere wait for two of it, not for all", async () => {
  await withOddPool({}, async (pool) => {
    const flood = Array.from({ length: 200 }, (_, at) => ({ name: `${at}`, source: "192.0.2.66" }));
    const order = await orderOf(pool, [...flood, { name: "elsewhere", source: "192.0.2.1" }]);
    strictEqual(order.length, 201);
    ok(order.indexOf("elsewhere") <= 2, `it came as number ${order.indexOf("elsewhere")}`);
  });
});

test("a flood from many addresses makes a known one wait for two of it, not for all", async () => {
  await withOddPool({}, async (pool) => {
    const flood = Array.from({ length: 200 }, (_, at) => ({ name: `${at}`, source: `net ${at}` }));
    const user = { name: "known", source: "192.0.2.1", known: true };
    const order = await orderOf(pool, [...flood, user]);
    ok(order.indexOf("known") <= 2, `it came as number ${order.indexOf("known")}`);
  });
});

test("an address that fills the queue loses its own jobs to one from elsewhere", async () => {
  await withOddPool({ queueLength: 4 }, async (pool) => {
    const flood = Array.from(
      { length: 5 },
      () => pool.check("a", octets("a"), { source: "192.0.2.66", known: false }),
    );
    const elsewhere = pool.check("a", octets("a"), { source: "192.0.2.1", known: false });
    strictEqual(await elsewhere, "right");
    deepStrictEqual(await Promise.all(flood), ["right", "right", "right", "right", "unavailable"]);
  });
});

test("a thread that dies costs its own job, and the next gets a new thread", async () => {
  await withOddPool({}, async (pool, started) => {
    const jobs = ["a", "exit", "a"].map((stored) => pool.check(stored, octets("a")));
    deepStrictEqual(await Promise.all(jobs), ["right", "unavailable", "right"]);
    strictEqual(started(), 2);
  });
});

test("a job whose thread never answers is unavailable after its time", async () => {
  await withOddPool({ jobLimitMs: 20 }, async (pool) => {
    strictEqual(await pool.check("silence", octets("a")), "unavailable");
    strictEqual(pool.workers, 0);
  });
});

test("a hash that could not be computed is unavailable", async () => {
  await withOddPool({}, async (pool) => {
    strictEqual(await pool.check("fail", octets("a")), "unavailable");
    strictEqual(await pool.check("a", octets("a")), "right");
  });
});

test("where no thread can be started jobs are unavailable and nothing hangs", async () => {
  const startWorker = () => {
    throw new Error("no threads here");
  };
  await withOddPool({ startWorker }, async (pool) => {
    const jobs = [1, 2, 3].map(() => pool.check("a", octets("a")));
    deepStrictEqual(await Promise.all(jobs), ["unavailable", "unavailable", "unavailable"]);
  });
});

test("a thread whose file is missing makes its jobs unavailable", async () => {
  const startWorker = () => new Worker(new URL("./no_such_worker.ts", import.meta.url));
  await withOddPool({ startWorker }, async (pool) => {
    strictEqual(await pool.check("a", octets("a")), "unavailable");
  });
});

test("an idle thread ends, and the next job starts another", async () => {
  await withOddPool({ idleLimitMs: 1 }, async (pool, started) => {
    strictEqual(await pool.check("a", octets("a")), "right");
    await until(() => pool.workers === 0);
    strictEqual(await pool.check("a", octets("a")), "right");
    strictEqual(started(), 2);
  });
});

test("closing makes running, waiting and later jobs unavailable", async () => {
  await withOddPool({}, async (pool) => {
    const jobs = [pool.check("silence", octets("a")), pool.check("a", octets("a"))];
    await pool.close();
    deepStrictEqual(await Promise.all(jobs), ["unavailable", "unavailable"]);
    strictEqual(await pool.check("a", octets("a")), "unavailable");
    strictEqual(pool.workers, 0);
  });
});

test("the password may be overwritten as soon as the check was asked for", async () => {
  await withOddPool({}, async (pool) => {
    const first = pool.check("a", octets("a"));
    const password = octets("secret");
    const waiting = pool.check("secret", password);
    password.fill(0);
    deepStrictEqual(await Promise.all([first, waiting]), ["right", "right"]);
  });
});

test("an idle pool does not keep a program running", () => {
  const program = fileURLToPath(new URL("./idle_pool_program.ts", import.meta.url));
  const args = "Deno" in globalThis ? ["run", "-A", program] : [program];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    timeout: 60_000,
  });
  deepStrictEqual({ status, stdout: stdout.trim() }, { status: 0, stdout: "right" });
});

test("a thread's file is found beside its starter, and by its path in an executable", () => {
  const at = (moduleUrl: string) => workerLocation("src/auth/hash_worker.ts", moduleUrl).href;
  strictEqual(
    at("file:///srv/popkeep/src/auth/hash_pool.ts"),
    "file:///srv/popkeep/src/auth/hash_worker.ts",
  );
  strictEqual(at("file:///$bunfs/root/popkeep"), "file:///$bunfs/root/src/auth/hash_worker.ts");
  strictEqual(at("file:///B:/~BUN/root/p.exe"), "file:///B:/~BUN/root/src/auth/hash_worker.ts");
});
