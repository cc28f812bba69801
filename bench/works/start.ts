/** From starting the executable to the greeting on its port, with the settings of the comparison. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
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

/** Tries until the port has greeted; false when the time is up. */
async function greets(port: number, until: number): Promise<boolean> {
  while (performance.now() < until) {
    if (await greetsNow(port)) return true;
    await sleep(1);
  }
  return false;
}

function greetsNow(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("data", (octets) => {
      socket.destroy();
      resolve(octets.toString("latin1").startsWith("+OK"));
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}
