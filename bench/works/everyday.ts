/**
 * What clients do all day on 50 mailboxes of 200 messages: log in, poll, fetch.
 *
 * The load generator acknowledges at once (-q): a server that writes a reply in two pieces would
 * otherwise be measured waiting 40 ms for our delayed acknowledgement, which says little of its speed.
 *
 * All of it twice in one run of the server, on mailboxes of its own each time: right after the start, and
 * then as it goes on. A server runs for months, but what the first seconds are like belongs to it.
 */

import type { Bench, Round } from "../runner/bench.ts";
import type { LoadOptions } from "../runner/load.ts";
import { USERS_OF } from "../runner/place.ts";
import type { RunningServer } from "../runner/running_server.ts";
import { JUST_STARTED, type Work } from "../runner/work.ts";

export const everyday: Work = {
  name: "everyday",
  rounds: "every",
  takesPart: () => true,

  async *run(bench, round) {
    if (round.server.kind === "limit") {
      yield* runLimit(bench, round);
      return;
    }
    using served = await bench.open(round, "ordinary", { times: 2 });
    yield* pass(bench, round, served.running, { suffix: JUST_STARTED, first: 0 });
    yield* pass(bench, round, served.running, { suffix: "", first: USERS_OF.ordinary });
  },
};

/** Gives way as often as `pass` does, so that it comes right after the servers' pipelined fetch. */
async function* runLimit(bench: Bench, round: Round): AsyncGenerator<void, void> {
  using served = await bench.open(round, "ordinary");
  for (let step = 0; step < 2 * STEPS; step++) yield;
  await bench.measure(round, served.running, "raw", `-s raw -c 10 -t ${bench.seconds}`);
}

interface Pass {
  /** Of the works' names. */
  readonly suffix: string;
  /** The number of the first user: each pass has mailboxes of its own, that nobody has seen before. */
  readonly first: number;
}

/** Measurements in a pass. */
const STEPS = 7;

/** All works once. What goes before is the same for every server. */
async function* pass(
  bench: Bench,
  round: Round,
  running: RunningServer,
  { suffix, first }: Pass,
): AsyncGenerator<void, void> {
  const measure = (work: string, words: string, options?: LoadOptions) =>
    bench.measure(round, running, `${work}${suffix}`, `${words} -f ${first}`, options);
  const time = `-t ${bench.seconds}`;
  yield;
  // Waiting for calm would change nothing here, but mailboxes that were never seen are seen only once.
  await measure("poll-first", "-q -s poll -c 10 -n 50", { calm: false });
  yield;
  await measure("login-alone", "-q -s login -c 1 -t 2");
  yield;
  await measure("login", `-q -s login -c 10 ${time}`);
  yield;
  await measure("poll", `-q -s poll -c 10 ${time}`);
  yield;
  // All mailboxes once: as many messages and octets as the generator has written, or it is an error.
  const once = await measure("fetch-once", "-q -s fetch -c 10 -n 50");
  const fault = octetFault(once, bench.place.manifest("ordinary"));
  if (fault !== undefined) {
    bench.recorder.addFailure(round.server.name, `fetch${suffix}`, round.number, fault);
  }
  yield;
  await measure("fetch", `-q -s fetch -c 10 ${time}`);
  yield;
  await measure("fetch-pipelined", `-s fetch -c 10 -P 32 ${time}`);
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
