import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "../../../src/auth/directories/turns.ts";

const LONG_MS = 600_000;

/** Work that ends when the test says so, in the order in which it begins. */
function stage() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((done) => ends.set(name, () => done(name)));
  };
  const end = async (name: string) => {
    ends.get(name)!();
    await new Promise((done) => setTimeout(done, 0));
  };
  return { begun, work, end };
}

test("so many turns are taken at once, and the others wait", async () => {
  const { begun, work, end } = stage();
  const turns = new Turns({ atOnce: 2, timeLimitMs: LONG_MS });
  const all = ["a", "b", "c"].map((name) => turns.run("192.0.2.1", work(name)));
  deepStrictEqual(begun, ["a", "b"]);
  await end("b");
  deepStrictEqual(begun, ["a", "b", "c"]);
  await end("a");
  await end("c");
  deepStrictEqual(await Promise.all(all), ["a", "b", "c"]);
});

test("a flood from one address makes another wait for one turn of it", async () => {
  const { begun, work, end } = stage();
  const turns = new Turns({ atOnce: 1, timeLimitMs: LONG_MS });
  for (const name of ["f1", "f2", "f3"]) void turns.run("192.0.2.1", work(name));
  void turns.run("192.0.2.2", work("other"));
  await end("f1");
  await end("f2");
  deepStrictEqual(begun, ["f1", "f2", "other"]);
  await end("other");
  await end("f3");
});

test("an IPv6 network of 64 bits is one address", async () => {
  const { begun, work, end } = stage();
  const turns = new Turns({ atOnce: 1, timeLimitMs: LONG_MS });
  for (const [at, name] of ["f1", "f2", "f3"].entries()) {
    void turns.run(`2001:db8::${at}`, work(name));
  }
  void turns.run("2001:db8:0:1::1", work("other"));
  await end("f1");
  await end("f2");
  deepStrictEqual(begun, ["f1", "f2", "other"]);
  await end("other");
  await end("f3");
});

test("who waits too long is told so, and work that nobody waits for is not begun", async () => {
  const { begun, work, end } = stage();
  const turns = new Turns({ atOnce: 1, timeLimitMs: 20 });
  await Promise.all([
    rejects(turns.run("192.0.2.1", work("first")), /took too long/),
    rejects(turns.run("192.0.2.1", work("second")), /took too long/),
  ]);
  await end("first");
  deepStrictEqual(begun, ["first"]);
  const third = turns.run("192.0.2.1", () => Promise.resolve("third"));
  strictEqual(await third, "third");
});

test("a turn whose time is over is taken until its work ends", async () => {
  const { begun, work, end } = stage();
  const turns = new Turns({ atOnce: 1, timeLimitMs: 20 });
  await rejects(turns.run("192.0.2.1", work("slow")), /took too long/);
  await rejects(turns.run("192.0.2.1", work("next")), /took too long/);
  deepStrictEqual(begun, ["slow"]);
  await end("slow");
});

test("work is told how much time is left for it", async () => {
  const turns = new Turns({ atOnce: 1, timeLimitMs: LONG_MS });
  const leftMs = await turns.run("192.0.2.1", (leftMs) => Promise.resolve(leftMs));
  strictEqual(leftMs > 0 && leftMs < LONG_MS, true, String(leftMs));
});

test("work that fails gives back its turn", async () => {
  const turns = new Turns({ atOnce: 1, timeLimitMs: LONG_MS });
  const failing = () => Promise.reject(new Error("it failed"));
  await rejects(turns.run("192.0.2.1", failing), /it failed/);
  strictEqual(await turns.run("192.0.2.1", () => Promise.resolve("next")), "next");
});

test("when too many wait, one of the address with most of them goes without", async () => {
  const { work, end } = stage();
  const turns = new Turns({ atOnce: 1, timeLimitMs: LONG_MS, queueLength: 2 });
  const first = turns.run("192.0.2.1", work("first"));
  const waiting = turns.run("192.0.2.1", work("waiting"));
  const newest = turns.run("192.0.2.1", work("newest"));
  const other = turns.run("192.0.2.2", work("other"));
  await rejects(newest, /Too many logins wait/);
  for (const name of ["first", "waiting", "other"]) await end(name);
  deepStrictEqual(await Promise.all([first, waiting, other]), ["first", "waiting", "other"]);
});

test("after closing there are no turns", async () => {
  const { work, end } = stage();
  const turns = new Turns({ atOnce: 1, timeLimitMs: LONG_MS });
  const first = turns.run("192.0.2.1", work("first"));
  const waiting = turns.run("192.0.2.1", work("waiting"));
  turns.close();
  await rejects(waiting, /closed/);
  await rejects(turns.run("192.0.2.1", work("late")), /closed/);
  await end("first");
  strictEqual(await first, "first");
});
