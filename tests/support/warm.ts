/** Asking about files that the system has at hand, in tests. */

import { setTimeout as sleep } from "node:timers/promises";

/** Asks until the filesystem is known for local: the first question about one is answered later. */
export async function known<T>(ask: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 1_000; tries++) {
    const answer = ask();
    if (answer !== undefined) return answer;
    await sleep(10);
  }
  throw new Error("The temporary folder is on no filesystem that answers at once");
}
