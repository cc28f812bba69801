/**
 * How long one client waits for a NOOP while others keep the server busy: fetching, having their
 * passwords hashed by argon2id, and opening a large mailbox for the first time.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Bench, type Round, type ServeOptions } from "../runner/bench.ts";
import { LARGE_USER } from "../runner/place.ts";
import type { Figures } from "../runner/recorder.ts";
import type { RunningServer } from "../runner/running_server.ts";
import type { Work } from "../runner/work.ts";

/** "secret", by popkeep's own measure for new passwords: 19 MiB, two passes. Dovecot takes the same. */
const ARGON2ID = "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$" +
  "cG9wa2VlcCBiZW5jaCAxNg$mjUY/Xwm6yHn1oA0Lj4zJkGAR49TBQD7mNVXAffltcY";

/** Every login is hashed: popkeep would remember a right password for five minutes. Dovecot does not. */
const HASHED: ServeOptions = { userSecret: ARGON2ID, settings: 'password_memory_time = "0"' };

export const latency: Work = {
  name: "latency",
  rounds: "every",
  takesPart: ({ name }) => ["popkeep", "popkeep-2", "dovecot-fast"].includes(name),

  async run(bench, round) {
    const time = `-t ${bench.seconds}`;
    await bench.serve(round, "mixed", async (running) => {
      await recordLatency(bench, round, running, "noop-idle", undefined);
      // The probe's own mailbox is b0, so the others are b1 to b49 and two of them meet.
      await recordLatency(
        bench,
        round,
        running,
        "noop-fetch",
        `-q -s fetch -c 50 -f 1 -u 49 ${time}`,
      );
      const cold = `-q -s poll -c 1 -n 1 -f ${LARGE_USER} -u 1 -x 250`;
      await recordLatency(bench, round, running, "noop-cold", cold);
    });
    await bench.serve(round, "ordinary", async (running) => {
      // As many at a time as it takes: they keep coming though the ones before still wait.
      const logins = `-q -s login -c 100 -R 20 -f 1 -u 49 ${time}`;
      await recordLatency(bench, round, running, "noop-argon2id", logins);
    }, HASHED);
  },
};

/** NOOPs from before the load begins until it has ended; without a load, for a second. */
async function recordLatency(
  bench: Bench,
  round: Round,
  running: RunningServer,
  work: string,
  words: string | undefined,
): Promise<void> {
  const probe = spawn(bench.place.program("noop_probe"), ["-p", String(running.port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: probe.stdout });
  let last = "";
  const ready = Promise.withResolvers<void>();
  lines.on("line", (line) => {
    last = line;
    ready.resolve();
  });
  const closed = once(probe, "close").then(() => ready.resolve());
  await ready.promise;
  if (words === undefined) await new Promise((resolve) => setTimeout(resolve, 1000));
  else await bench.measure(round, running, `${work}-load`, words, { calm: false });
  probe.kill("SIGTERM");
  await closed;
  const figures: Figures = last.startsWith("{")
    ? JSON.parse(last)
    : { errors: 1, first_error: "the probe could not log in" };
  bench.recorder.add(round.server.name, work, round.number, figures);
}
