/**
 * A mailbox of 100,000 messages: seen for the first time, again, and after a delivery; and what it costs
 * in memory. `hinted` is the first two with sizes in the names (,S= ,W=). The first sight is taken of two
 * such mailboxes: of one right after the start of the server, then of the other.
 */

import { randomUUID } from "node:crypto";
import { chownSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Bench, Round } from "../runner/bench.ts";
import { recordSessionMemory } from "../runner/session_memory.ts";
import type { RunningServer } from "../runner/running_server.ts";
import { JUST_STARTED, type Work } from "../runner/work.ts";

/** One session of one user, and time enough for a server that is slow at it. */
const ONE = "-q -c 1 -n 1 -u 1 -x 250";

/** Who owns the mail, as in peers/common.sh. */
const OWNER = 21_000;

export const large: Work = {
  name: "large",
  rounds: "every",
  // solid-pop3d cannot open it; a second worker cannot help a single session.
  takesPart: ({ name, kind, tls }) =>
    kind !== "limit" && !tls && !["solid-pop3d", "popkeep-2"].includes(name),

  async *run(bench, round) {
    using served = await bench.open(round, "large", { times: 2 });
    const { running, maildirs } = served;
    yield* pollLarge(bench, round, running, { name: "large", maildirs });
    if (round.number !== 1) return;
    yield;
    running.stop();
    await running.start(maildirs, { users: 1 });
    await recordSessionMemory(bench, round, running, "large-memory", { sessions: 1, users: 1 });
  },
};

export const hinted: Work = {
  name: "hinted",
  rounds: "every",
  takesPart: large.takesPart,

  async *run(bench, round) {
    using served = await bench.open(round, "hinted", { times: 2 });
    const { running, maildirs } = served;
    yield* pollLarge(bench, round, running, { name: "hinted", maildirs });
  },
};

interface LargeMailbox {
  readonly name: string;
  readonly maildirs: string;
}

async function* pollLarge(
  bench: Bench,
  round: Round,
  running: RunningServer,
  { name, maildirs }: LargeMailbox,
): AsyncGenerator<void, void> {
  const measure = (work: string, scenario: string, { calm = true, user = 1 } = {}) =>
    bench.measure(round, running, `${name}-${work}`, `${ONE} -s ${scenario} -f ${user}`, { calm });
  const cold = { calm: false };
  yield;
  const started = await measure(`cold${JUST_STARTED}`, "poll", { ...cold, user: 0 });
  // Who cannot open it takes minutes to fail, each time.
  if (started["errors"] !== 0) return;
  yield;
  await measure("cold", "poll", cold);
  yield;
  await measure("second", "poll");
  yield;
  for (let again = 0; again < 3; again++) await measure("unchanged", "poll");
  if (name === "hinted") return;
  yield;
  for (let again = 0; again < 3; again++) await measure("stat", "login");
  yield;
  for (let again = 0; again < 3; again++) {
    deliver(`${maildirs}/b1/Maildir`);
    await measure("delivered", "poll", cold);
  }
}

/** Puts one more message into new/, as mail systems do: written in tmp/, then renamed. */
function deliver(maildir: string): void {
  const message = readFileSync(`${maildir}/cur/${readdirSync(`${maildir}/cur`)[0]!}`);
  const name = `${Math.floor(Date.now() / 1000)}.${randomUUID()}.bench`;
  writeFileSync(`${maildir}/tmp/${name}`, message, { mode: 0o600 });
  chownSync(`${maildir}/tmp/${name}`, OWNER, OWNER);
  renameSync(`${maildir}/tmp/${name}`, `${maildir}/new/${name}`);
}
