/**
 * Exact sizes, which have to be counted in the octets of every message: for the first time, beside `cat`
 * of the same files to /dev/null, and again, when they are remembered.
 */

import { readAll } from "../runner/place.ts";
import type { Work } from "../runner/work.ts";

const SETTINGS = { settings: "enable_exact_rfc822_size = true" };

export const exact: Work = {
  name: "exact",
  rounds: "every",
  takesPart: ({ name }) => name === "popkeep",

  async run(bench, round) {
    await bench.serve(round, "ordinary", async (running, maildirs) => {
      const options = { calm: false };
      const first = await bench.measure(
        round,
        running,
        "exact-ordinary-load",
        "-q -s poll -c 10 -n 50",
        options,
      );
      recordSeconds("exact-ordinary", Number(first["wall"]), first["errors"] === 0);
      recordCat("exact-ordinary", maildirs);
    }, SETTINGS);
    await bench.serve(round, "large", async (running, maildirs) => {
      const one = "-q -s poll -c 1 -n 1 -u 1 -x 250";
      const first = await bench.measure(round, running, "exact-large-load", one, { calm: false });
      recordSeconds("exact-large", Number(first["wall"]), first["errors"] === 0);
      recordCat("exact-large", maildirs);
      await bench.measure(round, running, "exact-large-second", one);
      for (let again = 0; again < 3; again++) {
        await bench.measure(round, running, "exact-large-again", one);
      }
    }, SETTINGS);

    function recordSeconds(work: string, seconds: number, good: boolean): void {
      if (good) bench.recorder.add(round.server.name, work, round.number, { errors: 0, seconds });
    }

    function recordCat(work: string, maildirs: string): void {
      const seconds = Math.round(readAll(maildirs) * 1000) / 1000;
      bench.recorder.add("cat", work, round.number, { errors: 0, seconds });
    }
  },
};
