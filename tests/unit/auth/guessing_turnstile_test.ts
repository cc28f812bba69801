import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Turnstile } from "../../../src/auth/guessing/turnstile.ts";
import { Waits } from "../../../src/auth/guessing/waits.ts";

const ROOMY = { maxInLineOfKey: 1_000, maxInLine: 1_000 };

/** Lets everything happen that only waits for promises. */
const settled = () => new Promise((done) => setTimeout(done, 0));

test("who finds no room waits, the first come first, and other keys do not wait", async () => {
  const turnstile = new Turnstile(ROOMY);
  const inside: string[] = [];
  const enter = (key: string, name: string) =>
    turnstile.enter(key, () => Promise.resolve(1)).then(() => void inside.push(name));
  const pending = ["a1", "a2", "a3", "b1"].map((name) => enter(name[0]!, name));
  await settled();
  deepStrictEqual(inside, ["a1", "b1"]);
  turnstile.leave("a");
  await settled();
  turnstile.leave("a");
  await Promise.all(pending);
  deepStrictEqual(inside, ["a1", "b1", "a2", "a3"]);
});

test("all who wait learn when there is no more room for anybody", async () => {
  const turnstile = new Turnstile(ROOMY);
  let allowance: number | "delayed" = 1;
  const enter = () => turnstile.enter("a", () => Promise.resolve(allowance));
  const pending = [enter(), enter(), enter()];
  await settled();
  allowance = "delayed";
  turnstile.leave("a");
  deepStrictEqual(await Promise.all(pending), ["inside", "delayed", "delayed"]);
});

test("room that has grown is used as soon as one leaves", async () => {
  const turnstile = new Turnstile(ROOMY);
  let allowance = 1;
  const enter = () => turnstile.enter("a", () => Promise.resolve(allowance));
  const pending = [enter(), enter(), enter(), enter()];
  await settled();
  allowance = 3;
  turnstile.leave("a");
  await Promise.all(pending);
});

test("a line has an end, for one key and for all", async () => {
  const turnstile = new Turnstile({ maxInLineOfKey: 2, maxInLine: 3 });
  const enter = (key: string) => turnstile.enter(key, () => Promise.resolve(1));
  for (const key of ["a", "b"]) strictEqual(await enter(key), "inside");
  const waiting = [enter("a"), enter("a")];
  strictEqual(await enter("a"), "crowded");
  waiting.push(enter("b"));
  strictEqual(await enter("c"), "crowded");
  for (const key of ["a", "a", "b"]) {
    turnstile.leave(key);
    await settled();
  }
  deepStrictEqual(await Promise.all(waiting), ["inside", "inside", "inside"]);
});

test("who is told no room by an error does not hold up the next", async () => {
  const turnstile = new Turnstile(ROOMY);
  const failing = turnstile.enter("a", () => Promise.reject(new Error("no store")));
  const next = turnstile.enter("a", () => Promise.resolve(1));
  await failing.then(() => ok(false), () => {});
  strictEqual(await next, "inside");
});

test("whatever the order of events, counted and inside are never more than may fail, and nobody hangs", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          readMs: fc.nat(3),
          workMs: fc.nat(3),
          countMs: fc.nat(3),
          fails: fc.boolean(),
        }),
        {
          maxLength: 30,
        },
      ),
      fc.integer({ min: 1, max: 4 }),
      async (logins, most) => {
        const turnstile = new Turnstile(ROOMY);
        let failures = 0;
        let looked = 0;
        // A store that takes its time, as one that processes share would.
        const turns = async (count: number) => {
          for (let at = 0; at < count; at++) await Promise.resolve();
        };
        await Promise.all(logins.map(async ({ readMs, workMs, countMs, fails }) => {
          const entered = await turnstile.enter<"delayed">("a", async () => {
            const read = failures;
            await turns(readMs);
            return read >= most ? "delayed" : most - read;
          });
          if (entered !== "inside") return;
          if (fails) looked++;
          await turns(workMs);
          if (fails) failures++;
          await turns(countMs);
          turnstile.leave("a");
        }));
        ok(looked <= most);
        strictEqual(failures, Math.min(most, looked));
        strictEqual(turnstile.size, 0, "nothing stays in memory");
      },
    ),
    { numRuns: 300 },
  ));

test("waits end when they are told to, and later ones at once", async () => {
  const waits = new Waits();
  const running = [waits.wait(3_600_000), waits.wait(3_600_000)];
  waits.end();
  await Promise.all(running);
  await waits.wait(3_600_000);
});

test("a wait lasts its time", async () => {
  const waits = new Waits();
  const beganMs = performance.now();
  await waits.wait(30);
  ok(performance.now() - beganMs >= 29);
});
