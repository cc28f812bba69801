/** Results of a run as tests make them up. */

import { type Measurement, parseResults, type Results } from "../../../bench/page/results.ts";

export function measured(
  server: string,
  work: string,
  figures: Readonly<Record<string, number | string>>,
): Measurement {
  return { server, test: "a test", work, round: 1, errors: 0, ...figures };
}

/** As read from a file that a run has written. */
export function resultsOf(...measurements: readonly Measurement[]): Results {
  const head = {
    at: "2026-02-03T04:05:06Z",
    rounds: 3,
    seconds: 4,
    machine: { Processor: "abacus" },
    versions: { popkeep: "1" },
  };
  return parseResults([head, ...measurements].map((line) => JSON.stringify(line)).join("\n"));
}
