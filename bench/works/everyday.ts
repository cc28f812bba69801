/**
 * What clients do all day on 50 mailboxes of 200 messages: log in, poll, fetch.
 *
 * The load generator acknowledges at once (-q): a server that writes a reply in two pieces would
 * otherwise be measured waiting 40 ms for our delayed acknowledgement, which says little of its speed.
 */

import type { Bench, Round } from "../runner/bench.ts";
import type { RunningServer } from "../runner/running_server.ts";
import type { Work } from "../runner/work.ts";

export const everyday: Work = {
  name: "everyday",
  rounds: "every",
  takesPart: () => true,

  async run(bench, round) {
    const body = round.server.kind === "limit" ? runLimit : runServer;
    await bench.serve(round, "ordinary", (running) => body(bench, round, running));
  },
};

async function runLimit(bench: Bench, round: Round, running: RunningServer): Promise<void> {
  await bench.measure(round, running, "raw", `-s raw -c 10 -t ${bench.seconds}`);
}

async function runServer(bench: Bench, round: Round, running: RunningServer): Promise<void> {
  const measure = (work: string, words: string) => bench.measure(round, running, work, words);
  const time = `-t ${bench.seconds}`;
  // Waiting for calm would change nothing here, but mailboxes that were never seen are seen only once.
  await bench.measure(round, running, "poll-first", "-q -s poll -c 10 -n 50", { calm: false });
  await measure("login-alone", "-q -s login -c 1 -t 2");
  await measure("login", `-q -s login -c 10 ${time}`);
  await measure("poll", `-q -s poll -c 10 ${time}`);
  await checkOctets(bench, round, running);
  await measure("fetch", `-q -s fetch -c 10 ${time}`);
  await measure("fetch-pipelined", `-s fetch -c 10 -P 32 ${time}`);
}

/** All mailboxes once: as many messages and octets as the generator has written, or it is an error. */
async function checkOctets(bench: Bench, round: Round, running: RunningServer): Promise<void> {
  const expected = bench.place.manifest("ordinary");
  const figures = await bench.measure(round, running, "fetch-once", "-q -s fetch -c 10 -n 50");
  const fault = octetFault(figures, expected);
  if (fault !== undefined) {
    bench.recorder.addFailure(round.server.name, "fetch", round.number, fault);
  }
}

/** What is wrong with a fetch of everything, if something is. */
export function octetFault(
  got: Readonly<Record<string, number | string>>,
  expected: { readonly messages: number; readonly octets_crlf: number },
): string | undefined {
  if (got["errors"] !== 0) return undefined; // said already
  if (got["messages"] === expected.messages && got["octets"] === expected.octets_crlf) {
    return undefined;
  }
  return `${got["messages"]} messages of ${got["octets"]} octets came, ` +
    `not ${expected.messages} of ${expected.octets_crlf}`;
}
