/**
 * Fetch and remove everything (RETR, DELE, ..., QUIT) from 50 mailboxes of 200 messages, whose files are
 * real: right after the start of the server, and after it has fetched for a while, as in everyday.ts.
 *
 * One server after the other, each as soon as its copy is made: once the copies are on the disk it is the
 * disk that is measured, which takes a millisecond for each removal, whoever asks.
 */

import { readdirSync } from "node:fs";
import { USERS_OF } from "../runner/place.ts";
import { JUST_STARTED, type Work } from "../runner/work.ts";
import { octetFault } from "./everyday.ts";

export const deletion: Work = {
  name: "delete",
  rounds: "every",
  takesPart: ({ kind, tls }) => kind !== "limit" && !tls,

  async run(bench, round) {
    const users = USERS_OF.ordinary;
    await bench.serve(round, "ordinary", async (running, maildirs) => {
      await remove(`delete${JUST_STARTED}`, 0, "-q");
      const warm = `-q -s fetch -c 10 -f ${users} -t ${bench.seconds}`;
      await bench.measure(round, running, "fetch-before-delete", warm);
      await remove("delete", users, "-q");
      await remove("delete-pipelined", 2 * users, "-P 32");

      async function remove(work: string, first: number, words: string): Promise<void> {
        const load = `${words} -s delete -c 10 -n 50 -f ${first}`;
        const figures = await bench.measure(round, running, work, load);
        const mailboxes = Array.from({ length: users }, (_, at) => `${maildirs}/b${first + at}`);
        const fault = octetFault(figures, bench.place.manifest("ordinary")) ??
          leftFault(mailboxes);
        if (fault !== undefined) {
          bench.recorder.addFailure(round.server.name, work, round.number, fault);
        }
      }
    }, { removes: true, times: 3 });
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
