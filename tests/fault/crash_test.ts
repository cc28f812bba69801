/**
 * Crashes, of popkeep and of the machine, at every step of a session: the state that each leaves on the disk
 * is computed from what a real server did there, and a fresh look at it must keep every promise.
 *
 * What is lost in a power cut is in crash/crash_states.ts. POPKEEP_CRASH=all tries every state, and, where
 * a second server looked at the mailbox after the first was killed, a power cut after that; otherwise it is
 * a part, chosen by POPKEEP_SEED.
 */

import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import process from "node:process";
import { test } from "node:test";
import { LOCK_STALE_MS } from "../../src/maildir/dot_lock.ts";
import { CrashMailbox } from "./crash/crash_mailbox.ts";
import { type CrashState, crashStates, stepsOf } from "./crash/crash_states.ts";
import { type Case, casesAfterReaders } from "./crash/readers.ts";
import { record, type Recording } from "./crash/recording.ts";
import type { Step } from "./crash/live_disk.ts";
import { lockHasToBeWatched, replay } from "./crash/replay.ts";
import { SCENARIOS } from "./crash/scenarios.ts";
import { chosen, randomFrom } from "./chance.ts";
import { maildirTest } from "../support/test_maildir.ts";

const ALL = process.env["POPKEEP_CRASH"] === "all";
const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** States of one scenario that are tried if not all are. */
const STATES = 25;

/** States tried at a time; those that wait for a lock to be stale all wait at once. */
const LANES = 8;

/** The longest time that a login may take more than its lock's limit, ms: not about speed, but that it ends. */
const PATIENCE_MS = 60_000;

let recordings: Promise<Recording[]> | undefined;

function recorded(): Promise<Recording[]> {
  return recordings ??= record(SCENARIOS);
}

test(`no crash breaks a promise about mail or unique-ids (POPKEEP_SEED=${SEED})`, async () => {
  const random = randomFrom(SEED);
  const cases: Case[] = [];
  for (const recording of await recorded()) {
    const steps = stepsOf(recording);
    assert.ok(
      steps.some(({ kind }) => kind === "octets" || kind === "name"),
      recording.scenario.name,
    );
    const those = casesOf(recording, steps, random);
    cases.push(...(ALL ? those : chosen(those, STATES, random)));
    if (ALL || recording.scenario.name.startsWith("the list is made shorter at a login")) {
      const further = await casesAfterReaders(recording, steps, random);
      cases.push(...(ALL ? further : chosen(further, STATES, random)));
    }
  }
  const failures = await replayAll(cases);
  report(cases);
  assert.equal(failures.length, 0, `of ${cases.length}:\n${failures.slice(0, 10).join("\n")}`);
});

test("a server that syncs nothing, or only files, breaks promises where this looks", async () => {
  const random = randomFrom(SEED);
  const named = new Map((await recorded()).map((one) => [one.scenario.name, one]));
  const syncs = {
    "login after a delivery": "nothing",
    "first login": "only files",
    "the list is made shorter at a login": "only files",
  };
  for (const [name, what] of Object.entries(syncs)) {
    const recording = named.get(name)!;
    const steps = stepsOf(recording).filter((step) =>
      step.kind !== "sync" || (what === "only files" && step.file !== undefined)
    );
    const cases = casesOf(recording, steps, random);
    const failures = await replayAll(cases.filter(({ state }) => !lockHasToBeWatched(state)));
    assert.ok(failures.length > 0, `${name}: ${what} is synced, and all is well`);
    assert.match(failures.join("\n"), /is not there any more|changed its unique-id/);
  }
});

function casesOf(
  { scenario, base, before, after }: Recording,
  steps: readonly Step[],
  random: () => number,
): Case[] {
  const told = { before, after, exactSizes: scenario.exactSizes ?? false };
  const states = crashStates(base, steps, { random });
  return states.map((state) => ({ name: scenario.name, state, steps, told }));
}

maildirTest(
  "what a list was being made of when popkeep was killed does not stay",
  async (maildir) => {
    const mailbox = new CrashMailbox(maildir.path);
    mailbox.deliver(3);
    await mailbox.look();
    for (const which of ["1.0123456789abcdef", "2.fedcba9876543210"]) {
      writeFileSync(`${maildir.path}/tmp/popkeep-uidlist.${which}`, "popkeep-uidlist 1\n");
    }
    writeFileSync(`${maildir.path}/tmp/1700000000.M1P1.test`, "mail that is on its way");
    appendFileSync(maildir.sidecar, "so that it is made anew\n");
    mailbox.deliver(1);
    await mailbox.look();
    assert.deepEqual(maildir.names("tmp"), ["1700000000.M1P1.test"]);
  },
);

async function replayAll(cases: readonly Case[]): Promise<string[]> {
  const root = mkdtempSync(`${os.tmpdir()}/popkeep-crash-`);
  const failures: string[] = [];
  const tryOne = async ({ name, state, steps, told }: Case, at: number) => {
    const limit = new AbortController();
    try {
      const work = replay(state, steps, { ...told, folder: `${root}/${at}` });
      await Promise.race([work, tooLong(limit.signal)]);
    } catch (error) {
      failures.push(`${name}, ${state.how}: ${error instanceof Error ? error.message : error}`);
    } finally {
      limit.abort();
    }
  };
  try {
    const all = [...cases.entries()];
    const waiting = all.filter(([, { state }]) => lockHasToBeWatched(state));
    const quick = all.filter(([, { state }]) => !lockHasToBeWatched(state));
    const lane = async () => {
      for (let next; (next = quick.shift()) !== undefined;) await tryOne(next[1], next[0]);
    };
    await Promise.all([
      ...waiting.map(([at, one]) => tryOne(one, at)),
      ...Array.from({ length: LANES }, lane),
    ]);
    return failures;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function tooLong(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(
      () => reject(new Error("the mailbox cannot be opened")),
      LOCK_STALE_MS + PATIENCE_MS,
    );
    signal.addEventListener("abort", () => clearTimeout(timer));
  });
}

/** What was tried, for who wants to know how much that was. */
function report(cases: readonly Case[]): void {
  const count = (isMeant: (state: CrashState) => boolean) =>
    cases.filter(({ state }) => isMeant(state)).length;
  console.log(
    `${cases.length} crashes: ${count(({ isKill }) => isKill)} of popkeep, ` +
      `${count(({ isKill }) => !isKill)} of the machine; ` +
      `${count(lockHasToBeWatched)} left a lock that had to be watched until it was stale`,
  );
  for (const name of new Set(cases.map(({ name }) => name))) {
    console.log(`  ${cases.filter((one) => one.name === name).length} ${name}`);
  }
}
