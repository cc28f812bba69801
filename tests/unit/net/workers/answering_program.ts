/** A worker that serves nothing and answers everything, for supervisor_test.ts. */

import process from "node:process";
import { Channel } from "../../../../src/net/workers/channel.ts";

new Channel(process.stdin, process.stdout, {
  asked: () => Promise.resolve({ done: true }),
  told: (event) => {
    if (event === "stop") process.exit(0);
  },
  ended: () => process.exit(0),
});
