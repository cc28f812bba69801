/** How much memory a server takes for sessions that are logged in and do nothing. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, Round } from "./bench.ts";
import { startLoad } from "./load.ts";
import { machineMemoryKib, memoryOf } from "./processes.ts";
import type { RunningServer } from "./running_server.ts";

/** The sessions are held so long; memory is looked at when they have done nothing for most of it. */
const HELD_S = 12;
const IDLE_MS = 10_000;

/**
 * What is counted: memory with the sessions less memory without, the server having just been started, and of
 * both what is no file's.
 */
export async function recordSessionMemory(
  bench: Bench,
  round: Round,
  running: RunningServer,
  work: string,
  { sessions, users }: { sessions: number; users: number },
): Promise<void> {
  await sleep(1000);
  const base = memoryOf(running.roots);
  const machineBase = machineMemoryKib();
  const words = `-s idle -c ${sessions} -u ${users} -d ${HELD_S} -x 120`;
  const started = startLoad(bench.place, running, words);
  await started.ready;
  await sleep(IDLE_MS);
  const held = memoryOf(running.roots);
  const machineHeld = machineMemoryKib();
  const figures = await started.result;
  const each = (kib: number) => Math.round(kib / sessions * 10) / 10;
  bench.recorder.add(round.server.name, work, round.number, {
    errors: figures["errors"] ?? 1,
    first_error: figures["first_error"] ?? "",
    sessions,
    session_kib: each(held.ownKib - base.ownKib),
    session_pss_kib: each(held.pssKib - base.pssKib),
    machine_session_kib: each(machineHeld - machineBase),
    base_mib: Math.round(base.pssKib / 102.4) / 10,
    held_mib: Math.round(held.pssKib / 102.4) / 10,
    processes: held.processes,
    args: words,
  });
}
