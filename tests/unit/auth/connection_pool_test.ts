import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { ConnectionPool, type ConnectionPoolOptions } from "../../../src/auth/connection_pool.ts";

interface Fake {
  readonly server: string;
  open: boolean;
}

class Answer extends Error {}

/** A pool of pretended connections, and a clock in the test's hand. */
function setUp(options: Partial<ConnectionPoolOptions<Fake>> = {}) {
  const clock = { nowMs: 0 };
  const opened: Fake[] = [];
  const ended: Fake[] = [];
  const pool = new ConnectionPool<Fake>({
    servers: ["a", "b"],
    open: (server) => {
      const connection = { server, open: true };
      opened.push(connection);
      return Promise.resolve(connection);
    },
    end: (connection) => void ended.push(connection),
    isOpen: (connection) => connection.open,
    isAnswer: (error) => error instanceof Answer,
    connections: 2,
    openMs: 60_000,
    useMs: 60_000,
    retryMs: 1_000,
    nowMs: () => clock.nowMs,
    ...options,
  });
  return { pool, clock, opened, ended };
}

const never = () => new Promise<never>(() => {});
const serverOf = ({ server }: Fake) => Promise.resolve(server);

test("a connection is used again, and the first server as long as it answers", async () => {
  const { pool, opened } = setUp();
  for (let time = 0; time < 3; time++) strictEqual(await pool.run(serverOf), "a");
  strictEqual(opened.length, 1);
  pool.close();
});

test("what a server answers is passed on, and its connection is kept", async () => {
  const { pool, opened, ended } = setUp();
  await rejects(pool.run(() => Promise.reject(new Answer("no"))), /no/);
  strictEqual(await pool.run(serverOf), "a");
  deepStrictEqual([opened.length, ended.length], [1, 0]);
  pool.close();
});

test("a server that cannot be reached is left alone for a while, then is first again", async () => {
  let down = true;
  const tried: string[] = [];
  const { pool, clock } = setUp({
    open: (server) => {
      tried.push(server);
      if (down && server === "a") return Promise.reject(new Error("refused"));
      return Promise.resolve({ server, open: false });
    },
  });
  strictEqual(await pool.run(serverOf), "b");
  strictEqual(await pool.run(serverOf), "b");
  deepStrictEqual(tried, ["a", "b", "b"]);
  down = false;
  clock.nowMs = 1_000;
  strictEqual(await pool.run(serverOf), "a");
  pool.close();
});

test("when all servers failed lately the Error comes at once and says why", async () => {
  let tries = 0;
  const { pool, clock } = setUp({
    open: () => {
      tries++;
      return Promise.reject(new Error("refused"));
    },
  });
  await rejects(pool.run(serverOf), /^Error: a: refused; b: refused$/);
  await rejects(pool.run(serverOf), /a: refused \(a moment ago\)/);
  strictEqual(tries, 2);
  clock.nowMs = 1_000;
  await rejects(pool.run(serverOf));
  strictEqual(tries, 4);
});

test("a connection that was lost while idle says nothing about its server", async () => {
  const { pool, opened } = setUp();
  await pool.run(serverOf);
  opened[0]!.open = false;
  strictEqual(await pool.run(serverOf), "a");
  const lost = opened[1]!;
  const use = (connection: Fake) =>
    connection === lost ? Promise.reject(new Error("gone")) : serverOf(connection);
  strictEqual(await pool.run(use), "a");
  strictEqual(opened.length, 3);
  pool.close();
});

test("a use that takes too long is an Error in time, and its connection is ended", async () => {
  const { pool, ended } = setUp({ useMs: 20, servers: ["a"] });
  await rejects(pool.run(never), /a: no answer within 20 ms/);
  strictEqual(ended.length, 1);
  strictEqual(pool.size, 0);
});

test("a connection that comes to be there too late is ended", async () => {
  let arrive = (_: Fake) => {};
  const { pool, ended } = setUp({
    openMs: 20,
    servers: ["a"],
    open: () => new Promise((resolve) => arrive = resolve),
  });
  await rejects(pool.run(serverOf), /no answer within 20 ms/);
  arrive({ server: "a", open: true });
  await Promise.resolve();
  await Promise.resolve();
  strictEqual(ended.length, 1);
});

test("no more connections than allowed are there, and addresses take turns for them", async () => {
  const { pool, opened } = setUp({ connections: 1 });
  const order: string[] = [];
  const use = (name: string) => () => {
    order.push(name);
    return Promise.resolve();
  };
  await Promise.all([
    pool.run(use("flood 1"), "flood"),
    pool.run(use("flood 2"), "flood"),
    pool.run(use("flood 3"), "flood"),
    pool.run(use("other"), "other"),
  ]);
  strictEqual(opened.length, 1);
  ok(order.indexOf("other") < order.indexOf("flood 3"), order.join());
  pool.close();
});

test("who finds the queue full is told so", async () => {
  const { pool } = setUp({ connections: 1, queueLength: 1 });
  const first = pool.run(serverOf, "x");
  const second = pool.run(serverOf, "x");
  await rejects(pool.run(serverOf, "x"), /Too many wait/);
  deepStrictEqual(await Promise.all([first, second]), ["a", "a"]);
  pool.close();
});

test("a closed pool ends its connections and takes nobody any more", async () => {
  const { pool, opened, ended } = setUp({ connections: 1, useMs: 20 });
  await pool.run(serverOf);
  const busy = rejects(pool.run(never), /closed/);
  const waiting = rejects(pool.run(serverOf), /closed/);
  pool.close();
  await waiting;
  await rejects(pool.run(serverOf), /closed/);
  deepStrictEqual(ended, opened);
  await busy;
});
