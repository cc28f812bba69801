/**
 * `make bench`: popkeep beside other POP3 servers, the same load for each, in one run, interleaved.
 *
 * Prepares the machine, runs round after round (in a round: work by work, in a work: server by server),
 * writes the results and the page. What can be chosen: options.ts. Exits 0 when everything was measured,
 * 1 when a measurement had an error, 64 for a wrong option, 69 and 77 where it cannot be run.
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Options, readOptions, WrongOption } from "./options.ts";
import { writePage } from "./page/write_page.ts";
import { Bench } from "./runner/bench.ts";
import { machineFacts, versionFacts } from "./runner/machine.ts";
import { Place } from "./runner/place.ts";
import { Recorder } from "./runner/recorder.ts";
import type { Work } from "./runner/work.ts";
import type { Server } from "./servers.ts";
import { deletion } from "./works/delete.ts";
import { everyday } from "./works/everyday.ts";
import { exact } from "./works/exact.ts";
import { idle } from "./works/idle.ts";
import { hinted, large } from "./works/large.ts";
import { latency } from "./works/latency.ts";
import { memory } from "./works/memory.ts";
import { million } from "./works/million.ts";
import { start } from "./works/start.ts";

const WORKS: readonly Work[] = [
  everyday,
  deletion,
  large,
  hinted,
  exact,
  latency,
  idle,
  memory,
  start,
  million,
];

const project = fileURLToPath(new URL("..", import.meta.url));
const executable = process.env["POPKEEP_EXECUTABLE"] || `${project}dist/popkeep`;

/** setup.sh says itself what it lacks. Its exit code. */
function runSetUp(place: Place, words: readonly string[]): number {
  const { status } = spawnSync(`${place.bench}/setup.sh`, words, {
    stdio: "inherit",
    env: { ...process.env, SCRATCH: place.scratch },
  });
  return status ?? 1;
}

async function runRounds(bench: Bench, { servers, works, rounds }: Options): Promise<void> {
  for (let number = 1; number <= rounds; number++) {
    for (const work of works.filter(({ rounds }) => number === 1 || rounds === "every")) {
      bench.recorder.test = work.name;
      await runWork(bench, work, number, servers.filter((server) => work.takesPart(server)));
    }
  }
}

/** All servers, by turns where the work gives way. */
async function runWork(
  bench: Bench,
  work: Work,
  number: number,
  servers: readonly Server[],
): Promise<void> {
  const giveWay = new Map<Server, AsyncGenerator<void, void>>();
  for (const server of servers) {
    await attempt(server, async () => {
      const run = work.run(bench, { server, number });
      if (run instanceof Promise) await run;
      else giveWay.set(server, run);
    });
  }
  while (giveWay.size > 0) {
    for (const [server, run] of giveWay) {
      const went = await attempt(server, async () => {
        if ((await run.next()).done) giveWay.delete(server);
      });
      if (!went) giveWay.delete(server);
    }
  }

  /** One server's failure must not end the rest. */
  async function attempt(server: Server, step: () => Promise<void>): Promise<boolean> {
    try {
      await step();
      return true;
    } catch (error) {
      bench.recorder.addBreak(server.name, number, (error as Error).message);
      return false;
    }
  }
}

async function main(): Promise<void> {
  const options = readOptions(process.env, WORKS);
  if (!existsSync(executable)) {
    throw new WrongOption(`There is no executable at ${executable}; "make binary" makes it.`);
  }
  const place = new Place(options.scratch, executable);
  const withMillion = options.works.includes(million);
  const status = runSetUp(place, ["prepare", ...(withMillion ? ["million"] : [])]);
  if (status !== 0) process.exit(status);
  // A part must not take the place of the whole comparison that the page shows.
  const results = options.whole
    ? `${place.bench}/results/latest.jsonl`
    : `${project}dist/bench/results.jsonl`;
  const page = options.whole
    ? `${project}docs/performance.md`
    : `${project}dist/bench/performance.md`;
  const recorder = new Recorder(results, {
    at: new Date().toISOString(),
    rounds: options.rounds,
    seconds: options.seconds,
    machine: machineFacts(place),
    versions: versionFacts(place),
  });
  const bench = new Bench(place, recorder, options);
  const takeBack = () => {
    bench.stop();
    place.removeCopies();
    runSetUp(place, ["remove"]);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      takeBack();
      process.exit(130);
    });
  }
  try {
    await runRounds(bench, options);
  } finally {
    takeBack();
  }
  writePage({ results, page, template: `${project}docs/performance.md` });
  console.log(`The results are in ${results}, the page is ${page}.`);
  if (recorder.failures > 0) {
    console.log(`${recorder.failures} measurements had errors.`);
    process.exitCode = 1;
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof WrongOption)) throw error;
  console.error(error.message);
  process.exitCode = 64;
}
