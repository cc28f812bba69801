/** From starting the executable to the greeting on its port, with the settings of the comparison. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { greets } from "../runner/greeting.ts";
import type { Work } from "../runner/work.ts";

const TIMES = 10;
const LIMIT_MS = 20_000;

export const start: Work = {
  name: "start",
  rounds: "first",
  takesPart: ({ name }) => name === "popkeep",

  async run(bench, round) {
    await bench.serve(round, "ordinary", async (running) => {
      running.stop(); // its script has written the settings
      const words = ["serve", "--config", `${running.folder}/popkeep.toml`];
      for (let again = 0; again < TIMES; again++) {
        const started = performance.now();
        const child = spawn(bench.place.executable, words, { stdio: "ignore" });
        const ended = once(child, "exit");
        const good = await greets(running.port, started + LIMIT_MS);
        const ms = Math.round((performance.now() - started) * 10) / 10;
        child.kill("SIGTERM");
        await ended;
        if (good) bench.recorder.add(round.server.name, "start", round.number, { errors: 0, ms });
        else bench.recorder.addFailure(round.server.name, "start", round.number, "no greeting");
      }
    });
  },
};
