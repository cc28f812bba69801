/**
 * SIGKILL before single system calls of a session, of popkeep and of one of its workers: whoever comes next
 * finds every message under the id that clients were told, and no lock stays.
 *
 * POPKEEP_CRASH=all kills at every call of every kind until the session runs through; otherwise it is a
 * part of them, chosen by POPKEEP_SEED.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { chosen, randomFrom } from "./chance.ts";
import { CALLS_TO_KILL_AT, type Kill, KillableServer } from "./crash/kills.ts";
import { type Scenario, SCENARIOS, TOGETHER } from "./crash/scenarios.ts";

const ALL = process.env["POPKEEP_CRASH"] === "all";
const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** Kills that are tried, of each of the two tests, if not all are. */
const TRIED = 12;

/** And no fewer than this for the scenarios of one server: a call that is not made kills nobody. */
const FEWEST_TRIED = 15;

/** Further calls of one thread are not reached by one session. */
const MOST_CALLS = 200;

/** Of kills that are tried if not all are, the largest n. */
const MOST_CALLS_TRIED = 3;

const one = { workers: false, scenarios: SCENARIOS, what: "popkeep" };
const several = { workers: true, scenarios: TOGETHER, what: "a worker" };

for (const { workers, scenarios, what } of [one, several]) {
  test(`kills of ${what} at system calls lose nothing (POPKEEP_SEED=${SEED})`, async () => {
    const killed = new Map<string, number>();
    let watched = 0;
    for (const exactSizes of [false, true]) {
      const alike = scenarios.filter((scenario) => (scenario.exactSizes ?? false) === exactSizes);
      if (alike.length === 0) continue;
      const server = await KillableServer.start({ workers, exactSizes });
      let ranThrough = false;
      try {
        for (const [call, count] of await killAll(server, alike)) {
          killed.set(call, (killed.get(call) ?? 0) + count);
        }
        ranThrough = true;
      } finally {
        watched += await server.stop({ check: ranThrough });
      }
    }
    const total = [...killed.values()].reduce((sum, count) => sum + count, 0);
    const table = [...killed].map(([call, count]) => `${call} ${count}`).join(", ");
    console.log(`${total} kills of ${what}: ${table}; ${watched} locks had to become stale`);
    const expected = TRIED * scenarios.length / SCENARIOS.length / 6;
    assert.ok(total >= expected, "too few kills to prove anything");
  });
}

async function killAll(
  server: KillableServer,
  scenarios: readonly Scenario[],
): Promise<Map<string, number>> {
  const killed = new Map<string, number>();
  /** The first n that is not reached. */
  const ends = new Map<string, number>();
  for (const kill of killsOf(scenarios)) {
    const { scenario, call, nth } = kill;
    const pair = `${scenario.name} ${call}`;
    if (nth >= (ends.get(pair) ?? MOST_CALLS)) continue;
    try {
      if (await server.kill(kill)) killed.set(call, (killed.get(call) ?? 0) + 1);
      else ends.set(pair, nth);
    } catch (error) {
      throw new Error(`${scenario.name}, killed at ${call} ${nth}: ${error}`, { cause: error });
    }
  }
  return killed;
}

function* killsOf(scenarios: readonly Scenario[]): Generator<Kill> {
  const kills = scenarios.flatMap((scenario) =>
    Object.keys(CALLS_TO_KILL_AT).flatMap((call) =>
      Array.from({ length: ALL ? MOST_CALLS : MOST_CALLS_TRIED }, (_, at) => {
        return { scenario, call, nth: at + 1 };
      })
    )
  );
  yield* ALL ? kills : chosen(kills, triedOf(scenarios), randomFrom(SEED));
}

function triedOf(scenarios: readonly unknown[]): number {
  return Math.max(FEWEST_TRIED, TRIED * scenarios.length / SCENARIOS.length);
}
