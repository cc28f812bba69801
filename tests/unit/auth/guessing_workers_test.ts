/** One guard for several workers: what is asked, what is not, and what a dead worker leaves behind. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { GuardByAsking, type GuardLink } from "../../../src/auth/guessing/guard_by_asking.ts";
import { GuardForWorkers } from "../../../src/auth/guessing/guard_for_workers.ts";
import {
  type GuessingOptions,
  openGuessingGuard,
} from "../../../src/auth/guessing/guessing_guard.ts";
import { GuessingKeys } from "../../../src/auth/guessing/keys.ts";
import type { LoginAttempt } from "../../../src/auth/login_guard.ts";
import { KNOWN_LOGINS_AT_ONCE } from "../../../src/limits.ts";

const OPTIONS: GuessingOptions = {
  maxFailuresOfAddress: 3,
  maxFailuresOfAccount: 100,
  windowMs: 3_600_000,
  blockMs: 3_600_000,
  delayMs: 0,
  neverBlocked: ["192.0.2.0/24"],
};

const OFFICE = "198.51.100.1";
const GUESSER = "198.51.100.2";

const secret = (text: string) => Buffer.from(text, "utf8");

/** A supervisor's guard and workers' guards, with messages that arrive in order and a turn later. */
async function crew(workers = 2) {
  const guard = await openGuessingGuard(OPTIONS);
  const questions: string[] = [];
  const guards: GuardByAsking[] = [];
  const office = new GuardForWorkers(guard, (pair) => {
    for (const one of guards) void turn().then(() => one.pairFailed(pair));
  });
  for (let worker = 1; worker <= workers; worker++) {
    office.began(worker);
    const link: GuardLink = {
      ask: async (question, value) => {
        questions.push(question);
        const sent = JSON.parse(JSON.stringify(value));
        assert.ok(!JSON.stringify(value).includes("guess"), "no password is said");
        await turn();
        const answer = await office.asked(worker, question, sent);
        await turn();
        return answer;
      },
      tell: (event, value) => void turn().then(() => office.told(worker, event, value)),
    };
    guards.push(new GuardByAsking(link, OPTIONS, office.secrets));
  }
  return { guard, office, guards, questions };
}

async function begin(guard: GuardByAsking, address: string, user: string): Promise<LoginAttempt> {
  const begun = await guard.begin(address, user);
  assert.ok(begun.kind === "open", begun.kind);
  return begun;
}

async function login(guard: GuardByAsking, address: string, user: string): Promise<void> {
  await (await begin(guard, address, user)).succeeded();
}

test("failures in one worker count in all", async () => {
  const { guards: [one, two] } = await crew();
  for (const [at, guard] of [one!, two!, one!].entries()) {
    await (await begin(guard, GUESSER, "alice")).failed(secret(`guess ${at}`));
  }
  for (const guard of [one!, two!]) {
    assert.deepEqual(await guard.begin(GUESSER, "bob"), { kind: "delayed" });
    assert.equal(await guard.isDelayed(GUESSER, "bob"), true);
    assert.equal(await guard.isDelayed(OFFICE, "bob"), false);
  }
});

test("no more are under way at once from an address than may fail, over all workers", async () => {
  const { guards } = await crew(4);
  let inside = 0;
  const attempts = Array.from(
    { length: 20 },
    (_, at) =>
      Promise.resolve(guards[at % 4]!.begin(GUESSER, "alice")).then((begun) => {
        if (begun.kind === "open") inside++;
        return begun;
      }),
  );
  for (let at = 0; at < 50; at++) await turn();
  assert.equal(inside, 3);
  for (const [at, attempt] of attempts.entries()) {
    const begun = await attempt;
    if (begun.kind === "open") await begun.failed(secret(`guess ${at}`));
  }
  assert.equal(inside, 3, "those who stood in line are refused when the three have failed");
});

test("the same wrong secret counts once, whichever worker it comes to", async () => {
  const { guards } = await crew();
  for (let at = 0; at < 10; at++) {
    await (await begin(guards[at % 2]!, OFFICE, "alice")).failed(secret("guess of last year"));
  }
  assert.equal(await guards[0]!.isDelayed(OFFICE, "alice"), false);
});

test("who has logged in is not asked about again, until a failure of his from there in any worker", async () => {
  const { guards: [one, two], questions } = await crew();
  await login(one!, OFFICE, "alice");
  await login(two!, OFFICE, "alice");
  questions.length = 0;
  await login(one!, OFFICE, "alice");
  assert.equal(await one!.isDelayed(OFFICE, "alice"), false);
  assert.ok(!(one!.begin(OFFICE, "alice") instanceof Promise), "at once");
  assert.deepEqual(questions, []);
  await login(one!, OFFICE, "bob");
  assert.ok(questions.length > 0, "another user is asked about");
  await login(one!, GUESSER, "alice");
  await (await begin(one!, OFFICE, "alice")).failed(secret("guess"));
  await turn();
  questions.length = 0;
  await begin(two!, OFFICE, "alice");
  await begin(one!, OFFICE, "alice");
  assert.deepEqual(questions, ["guard.begin", "guard.begin"]);
});

test("a failure that is told while a login is being noted is not lost", async () => {
  const { office } = await crew();
  const { secrets } = office;
  const noted = Promise.withResolvers<boolean>();
  const questions: string[] = [];
  const guard = new GuardByAsking(
    {
      ask: (question) => {
        questions.push(question);
        if (question === "guard.succeeded") return noted.promise;
        return Promise.resolve({ kind: "open", attempt: 1, turn: { source: "", known: true } });
      },
      tell: () => {},
    },
    OPTIONS,
    secrets,
  );
  const noting = login(guard, OFFICE, "alice");
  for (let at = 0; at < 3; at++) await turn();
  assert.deepEqual(questions, ["guard.begin", "guard.succeeded"]);
  guard.pairFailed(new GuessingKeys(secrets.key).of(OFFICE, "alice").pair);
  // It was said before, and comes after.
  noted.resolve(true);
  await noting;
  await begin(guard, OFFICE, "alice");
  assert.equal(questions.at(-1), "guard.begin");
});

test("a failure of a login that needed no asking counts like any other", async () => {
  const { guards: [one], guard } = await crew();
  await login(one!, OFFICE, "alice");
  const attempts = [];
  for (let at = 0; at < 3; at++) attempts.push(await begin(one!, OFFICE, "alice"));
  for (const [at, attempt] of attempts.entries()) await attempt.failed(secret(`guess ${at}`));
  assert.equal(await guard.isDelayed(OFFICE, "bob"), true);
  assert.equal(await one!.isDelayed(OFFICE, "alice"), true);
});

test("more than a few logins of one user at once are asked about, in every worker", async () => {
  const { guards: [one], questions } = await crew();
  await login(one!, OFFICE, "alice");
  questions.length = 0;
  const few = [];
  for (let at = 0; at < KNOWN_LOGINS_AT_ONCE; at++) few.push(await begin(one!, OFFICE, "alice"));
  assert.deepEqual(questions, []);
  await begin(one!, OFFICE, "alice");
  assert.deepEqual(questions, ["guard.begin"]);
  for (const attempt of few) {
    attempt.dropped();
    attempt.dropped();
  }
  for (let at = 0; at < KNOWN_LOGINS_AT_ONCE; at++) await begin(one!, OFFICE, "alice");
  assert.deepEqual(questions, ["guard.begin"]);
});

test("guesses at once beside right logins are few more than may fail, over all workers", async () => {
  const { guards } = await crew(4);
  for (const guard of guards) await login(guard, OFFICE, "alice");
  let looked = 0;
  await Promise.all(Array.from({ length: 100 }, async (_, at) => {
    const attempt = await guards[at % 4]!.begin(OFFICE, "alice");
    if (attempt.kind !== "open") return;
    looked++;
    await turn();
    await attempt.failed(secret(`guess ${at}`));
  }));
  assert.ok(looked <= OPTIONS.maxFailuresOfAddress + 5 * KNOWN_LOGINS_AT_ONCE, `${looked}`);
});

test("what a worker had under way when it ended is dropped, in line or inside", async () => {
  const { guards: [one, two], office } = await crew();
  for (let at = 0; at < 3; at++) await begin(one!, GUESSER, "alice");
  const inLine = one!.begin(GUESSER, "alice");
  const waiting = Promise.resolve(two!.begin(GUESSER, "alice"));
  for (let at = 0; at < 5; at++) await turn();
  office.gone(1);
  assert.equal((await inLine).kind, "unavailable");
  assert.equal((await waiting).kind, "open");
  // The next process under the number ends none of those of the one before.
  office.began(1);
  await begin(one!, GUESSER, "alice");
});

test("an attempt ends once, whatever a worker says", async () => {
  const { guards: [one] } = await crew();
  const attempt = await begin(one!, GUESSER, "alice");
  attempt.dropped();
  attempt.dropped();
  await turn();
  const all = await Promise.all([1, 2, 3].map(() => begin(one!, GUESSER, "alice")));
  for (const [at, one] of all.entries()) await one.failed(secret(`guess ${at}`));
  assert.deepEqual(await one!.begin(GUESSER, "alice"), { kind: "delayed" });
});

test("who is never blocked is never asked about", async () => {
  const { guards: [one], questions } = await crew();
  for (let at = 0; at < 10; at++) {
    await (await begin(one!, "192.0.2.9", "alice")).failed(secret(`guess ${at}`));
  }
  assert.equal(await one!.isDelayed("192.0.2.9", "alice"), false);
  one!.reload({ ...OPTIONS, neverBlocked: [OFFICE] });
  await begin(one!, OFFICE, "alice");
  assert.deepEqual(questions, []);
  await begin(one!, "192.0.2.9", "alice");
  assert.deepEqual(questions, ["guard.begin"]);
});

test("without a supervisor who has to be asked about is told to come back", async () => {
  const gone: GuardLink = { ask: () => Promise.reject(new Error("gone")), tell: () => {} };
  const { office } = await crew();
  const guard = new GuardByAsking(gone, OPTIONS, office.secrets);
  assert.deepEqual(await guard.begin(OFFICE, "alice"), { kind: "unavailable" });
  assert.equal(await guard.isDelayed(OFFICE, "alice"), false);
});

test("another guard has other keys: all are asked about again", async () => {
  const { office, guards: [one], questions } = await crew();
  await login(one!, OFFICE, "alice");
  office.guard = await openGuessingGuard(OPTIONS);
  one!.secrets = office.secrets;
  questions.length = 0;
  await login(one!, OFFICE, "alice");
  assert.deepEqual(questions, ["guard.begin", "guard.succeeded"]);
});
