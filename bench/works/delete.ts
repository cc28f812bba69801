/**
 * Fetch and remove everything (RETR, DELE, ..., QUIT) from 50 mailboxes of 200 messages, whose files are
 * real: right after the start of the server, and after it has fetched for a while, as in everyday.ts.
 */

import { readdirSync } from "node:fs";
import { USERS_OF } from "../runner/place.ts";
import type { Work } from "../runner/work.ts";
import { JUST_STARTED, octetFault } from "./everyday.ts";

export const deletion: Work = {
  name: "delete",
  rounds: "every",
  takesPart: ({ kind, tls }) => kind !== "limit" && !tls,

  async *run(bench, round) {
    const users = USERS_OF.ordinary;
    using served = await bench.open(round, "ordinary", { removes: true, times: 3 });
    yield;
    await remove(`delete${JUST_STARTED}`, 0, "-q");
    yield;
    const warm = `-q -s fetch -c 10 -f ${users} -t ${bench.seconds}`;
    await bench.measure(round, served.running, "fetch-before-delete", warm);
    yield;
    await remove("delete", users, "-q");
    yield;
    await remove("delete-pipelined", 2 * users, "-P 32");

    async function remove(work: string, first: number, words: string): Promise<void> {
      const load = `${words} -s delete -c 10 -n 50 -f ${first}`;
      const figures = await bench.measure(round, served.running, work, load);
      const mailboxes = Array.from(
        { length: users },
        (_, at) => `${served.maildirs}/b${first + at}`,
      );
      const fault = octetFault(figures, bench.place.manifest("ordinary")) ?? leftFault(mailboxes);
      if (fault !== undefined) {
        bench.recorder.addFailure(round.server.name, work, round.number, fault);
      }
    }
  },
};

/** What is wrong if a message is still there. */
function leftFault(mailboxes: readonly string[]): string | undefined {
  const left = mailboxes.flatMap((mailbox) => [
    ...readdirSync(`${mailbox}/Maildir/cur`),
    ...readdirSync(`${mailbox}/Maildir/new`),
  ]);
  return left.length === 0 ? undefined : `${left.length} removed messages are still there`;
}
