/**
 * Memory at rest, and what is left of it after a day's worst: a large mailbox, a thousand sessions, and
 * clients that mean harm.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { greets } from "../runner/greeting.ts";
import { LARGE_USER } from "../runner/place.ts";
import { memoryOf } from "../runner/processes.ts";
import type { RunningServer } from "../runner/running_server.ts";
import type { Work } from "../runner/work.ts";
import { actHostile } from "../runner/hostile.ts";

/** After the last client has gone; looked at earlier as well, to see how it comes down. */
const SETTLED_S = [2, 10, 30] as const;

export const memory: Work = {
  name: "memory",
  rounds: "first",
  takesPart: ({ kind, tls }) => kind === "popkeep" && !tls,

  async run(bench, round) {
    await bench.serve(round, "mixed", async (running) => {
      await sleep(3000);
      const rest = mib(running);
      const restOwn = ownMib(running);
      const loads: readonly [work: string, words: string][] = [
        ["memory-large", `-q -s poll -c 1 -n 3 -f ${LARGE_USER} -u 1 -x 250`],
        ["memory-large-fetch", `-s fetch -c 1 -n 1 -k 20000 -P 32 -f ${LARGE_USER} -u 1 -x 250`],
        ["memory-fetch", `-q -s fetch -c 50 -t ${bench.seconds}`],
        ["memory-idle", "-s idle -c 1000 -u 50 -d 2"],
      ];
      for (const [work, words] of loads) {
        await bench.measure(round, running, work, words, { calm: false });
      }
      const most = mib(running);
      await actHostile({ plainPort: running.port, tlsPort: running.port + 1, user: "b" });
      const after: number[] = [];
      let slept = 0;
      for (const seconds of SETTLED_S) {
        await sleep((seconds - slept) * 1000);
        slept = seconds;
        after.push(mib(running));
      }
      const own = ownMib(running);
      const lives = await greets(running.port, performance.now() + 5000);
      bench.recorder.add(round.server.name, "memory", round.number, {
        errors: lives ? 0 : 1,
        first_error: lives ? "" : "no greeting after the abuse",
        rest_mib: rest,
        rest_own_mib: restOwn,
        loaded_mib: most,
        after_2s_mib: after[0]!,
        after_10s_mib: after[1]!,
        after_30s_mib: after[2]!,
        after_30s_own_mib: own,
        above_rest_mib: Math.round((after[2]! - rest) * 10) / 10,
      });
    });
  },
};

function mib(running: RunningServer): number {
  return Math.round(memoryOf(running.roots).pssKib / 102.4) / 10;
}

function ownMib(running: RunningServer): number {
  return Math.round(memoryOf(running.roots).ownKib / 102.4) / 10;
}
