/**
 * One session on a real server, recorded: what it did to the disk and what it said, in one order.
 *
 * *Knows* the server and strace. *Does not know* crashes.
 */

import { realpathSync } from "node:fs";
import { type RunningServer, startServer } from "../../support/server.ts";
import { CrashMailbox } from "./crash_mailbox.ts";
import type { MailboxModel } from "../mailbox_model.ts";
import type { Recorded } from "./crash_states.ts";
import { CALLS, diskEvents } from "./disk_events.ts";
import { readImage } from "./disk_image.ts";
import type { Scenario } from "./scenarios.ts";
import { tracedCalls } from "./traced_calls.ts";
import { Tracer } from "./tracer.ts";

/** More than anything that popkeep writes here: strings that are cut cannot be played back. */
const STRING_OCTETS = 1_000_000;

export const RECORDING = ["-yy", "-x", "-s", String(STRING_OCTETS), "-e", `trace=${CALLS}`];

export interface Recording extends Recorded {
  readonly scenario: Scenario;
  /** What was told before the session, and with it. */
  readonly before: MailboxModel;
  readonly after: MailboxModel;
}

/** Records the scenarios, each in a mailbox of its own, all of which are removed afterwards. */
export async function record(scenarios: readonly Scenario[]): Promise<Recording[]> {
  const recordings: Recording[] = [];
  for (const exactSizes of [false, true]) {
    const alike = scenarios.filter((scenario) => (scenario.exactSizes ?? false) === exactSizes);
    if (alike.length === 0) continue;
    const server = await startServer({
      users: alike.map((_, at) => `user${at}`),
      settings: `login_type = "plaintext_login"\nenable_exact_rfc822_size = ${exactSizes}`,
    });
    try {
      for (const [at, scenario] of alike.entries()) {
        recordings.push(await recordOne(server, `user${at}`, scenario));
      }
    } finally {
      await server.stop();
    }
  }
  return recordings;
}

async function recordOne(
  server: RunningServer,
  user: string,
  scenario: Scenario,
): Promise<Recording> {
  const mailbox = new CrashMailbox(server.maildir(user).path);
  await scenario.prepare(mailbox);
  const folder = realpathSync(mailbox.maildir.path);
  const base = readImage(folder);
  const before = mailbox.model.copy();
  const tracer = await Tracer.watch([server.child.pid!], RECORDING);
  let trace = "";
  try {
    await scenario.act(mailbox, await server.login(user));
    await tracer.quiet();
  } finally {
    trace = await tracer.end();
  }
  const events = diskEvents(tracedCalls(trace), folder);
  return { scenario, base, folder, events, before, after: mailbox.model };
}
