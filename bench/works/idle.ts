/** Memory of an idle logged-in session: 1,000 sessions on 50 mailboxes, in a server that has just been started. */

import { recordSessionMemory } from "../runner/session_memory.ts";
import type { Work } from "../runner/work.ts";

export const idle: Work = {
  name: "idle",
  rounds: "first",
  takesPart: ({ kind }) => kind !== "limit",

  async run(bench, round) {
    await bench.serve(round, "ordinary", async (running) => {
      // A few sessions first, so that what is loaded when first needed is not taken for the sessions'.
      await bench.measure(round, running, "idle-warm-up", "-s poll -c 4 -n 8 -u 50");
      await recordSessionMemory(bench, round, running, "idle", { sessions: 1000, users: 50 });
    });
  },
};
