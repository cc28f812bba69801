/**
 * A mailbox of 1,000,000 messages: that it works, how long the first sight of it takes, how much memory
 * it takes while a session has it open, and how much a second session on it adds.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, Round } from "../runner/bench.ts";
import { startLoad } from "../runner/load.ts";
import { memoryOf } from "../runner/processes.ts";
import type { RunningServer } from "../runner/running_server.ts";
import type { Work } from "../runner/work.ts";

const MESSAGES = 1_000_000;
const ONE = "-q -c 1 -n 1 -u 1 -x 250";

export const million: Work = {
  name: "million",
  rounds: "first",
  takesPart: ({ name }) => name === "popkeep",

  async run(bench, round) {
    await bench.serve(round, "million", async (running, maildirs) => {
      const measure = (work: string, scenario: string) =>
        bench.measure(round, running, work, `${ONE} -s ${scenario}`);
      const cold = await measure("million-cold", "poll");
      if (cold["errors"] !== 0) return;
      for (let again = 0; again < 3; again++) await measure("million-unchanged", "poll");
      for (let again = 0; again < 3; again++) await measure("million-stat", "login");
      // The first sight leaves garbage behind; what an open mailbox takes is seen in a new process.
      running.stop();
      await running.start(maildirs, { users: 1 });
      await recordTwoSessions(bench, round, running);
    });
  },
};

/** Opens one session, then a second beside it, and looks at the memory before and after each. */
async function recordTwoSessions(
  bench: Bench,
  round: Round,
  running: RunningServer,
): Promise<void> {
  await sleep(1000);
  const memory: number[] = [memoryOf(running.roots).ownKib];
  const loads = [];
  for (const heldSeconds of [24, 12]) {
    const started = startLoad(bench.place, running, `-s idle -c 1 -u 1 -d ${heldSeconds} -x 120`);
    loads.push(started.result);
    await started.ready;
    await sleep(10_000);
    memory.push(memoryOf(running.roots).ownKib);
  }
  const results = await Promise.all(loads);
  const [base, first, second] = memory as [number, number, number];
  const octets = (kib: number) => Math.round(kib * 1024 / MESSAGES * 10) / 10;
  bench.recorder.add(round.server.name, "million-memory", round.number, {
    errors: results.reduce((sum, { errors }) => sum + Number(errors), 0),
    first_error: results.map(({ first_error }) => first_error ?? "").join(""),
    octets_a_message: octets(first - base),
    second_octets_a_message: octets(second - first),
    base_mib: Math.round(base / 102.4) / 10,
    held_mib: Math.round(second / 102.4) / 10,
  });
}
