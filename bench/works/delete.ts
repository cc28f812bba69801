/** Fetch and remove everything (RETR, DELE, ..., QUIT) from 50 mailboxes of 200 messages, whose files are real. */

import { readdirSync } from "node:fs";
import type { Work } from "../runner/work.ts";
import { octetFault } from "./everyday.ts";

export const deletion: Work = {
  name: "delete",
  rounds: "every",
  takesPart: ({ kind, tls }) => kind !== "limit" && !tls,

  async run(bench, round) {
    for (const [work, words] of [["delete", "-q"], ["delete-pipelined", "-P 32"]] as const) {
      await bench.serve(round, "ordinary", async (running, maildirs) => {
        const figures = await bench.measure(
          round,
          running,
          work,
          `${words} -s delete -c 10 -n 50`,
        );
        const fault = octetFault(figures, bench.place.manifest("ordinary")) ?? leftFault(maildirs);
        if (fault !== undefined) {
          bench.recorder.addFailure(round.server.name, work, round.number, fault);
        }
      }, { removes: true });
    }
  },
};

/** What is wrong if a message is still there. */
function leftFault(maildirs: string): string | undefined {
  const left = readdirSync(maildirs, { recursive: true, encoding: "utf8" })
    .filter((path) => /\/Maildir\/(?:cur|new)\/./.test(path));
  return left.length === 0 ? undefined : `${left.length} removed messages are still there`;
}
