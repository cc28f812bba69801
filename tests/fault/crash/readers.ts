/**
 * A second server that looks at a mailbox after the first was killed, shows what it finds, and then the power
 * fails: what it showed must be on the disk, though another wrote it.
 *
 * *Knows* how to start a reader under strace. *Does not know* what has to hold.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import os from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { CrashMailbox } from "./crash_mailbox.ts";
import { type CrashState, crashStates } from "./crash_states.ts";
import { diskEvents } from "./disk_events.ts";
import { writeImage } from "./disk_image.ts";
import { LiveDisk, type Step } from "./live_disk.ts";
import { RECORDING, type Recording } from "./recording.ts";
import { idsSaid, lockHasToBeWatched, type Told } from "./replay.ts";
import { tracedCalls } from "./traced_calls.ts";

export interface Case {
  readonly name: string;
  readonly state: CrashState;
  readonly steps: readonly Step[];
  readonly told: Told;
}

/** How long all readers together may take, ms. */
const PATIENCE_MS = 300_000;

/** The power cuts after each reader, one of which looked after each step at which the first was killed. */
export async function casesAfterReaders(
  recording: Recording,
  steps: readonly Step[],
  random: () => number,
): Promise<Case[]> {
  const { scenario, base, before, after } = recording;
  const exactSizes = scenario.exactSizes ?? false;
  const kills = crashStates(base, steps, { random })
    .filter((state) => state.isKill && !lockHasToBeWatched(state));
  const root = realpathSync(mkdtempSync(`${os.tmpdir()}/popkeep-readers-`));
  try {
    const folders = kills.map(({ image }, at) => {
      writeImage(image, `${root}/${at}`);
      return `${root}/${at}`;
    });
    const calls = tracedCalls(traceOfReaders(folders, `${root}/trace`, exactSizes));
    const cases: Case[] = [];
    for (const [at, { steps: end, how }] of kills.entries()) {
      const folder = folders[at]!;
      const events = diskEvents(calls, folder).filter((event) =>
        event.kind !== "said" || event.text.startsWith(`${folder} `)
      );
      const live = new LiveDisk(base, recording.folder);
      const first = recording.events.slice(0, end).map((event) => live.take(event));
      const later = (line: number) => line + (first.at(-1)?.ended ?? 0) + 1;
      const further = events.map((event) => {
        const moved = "path" in event
          ? { ...event, path: recording.folder + event.path.slice(folder.length) }
          : event;
        const whole = "from" in moved
          ? { ...moved, from: recording.folder + moved.from.slice(folder.length) }
          : moved;
        return live.take({ ...whole, began: later(event.began), ended: later(event.ended) });
      });
      const both = [...first, ...further];
      const known = after.copyOfMessages();
      known.learn(after, idsSaid(first));
      // Where the first server told nothing yet, the second may have given other ids.
      for (const [id, token] of await new CrashMailbox(folder).list()) known.shown(id, token);
      const told = { before, after: known, exactSizes };
      for (const state of crashStates(base, both, { random, from: both.length })) {
        if (state.isKill) continue;
        const name = `${scenario.name}, killed ${how}, seen by another`;
        cases.push({ name, state, steps: both, told });
      }
    }
    return cases;
  } finally {
    rmSync(root, { recursive: true });
  }
}

function traceOfReaders(
  folders: readonly string[],
  trace: string,
  exactSizes: boolean,
): string {
  const program = fileURLToPath(new URL("reader_program.ts", import.meta.url));
  const runtime = "Deno" in globalThis
    ? [process.execPath, "run", "-A", "--no-check"]
    : [process.execPath];
  const options = ["-f", "-o", trace, ...RECORDING, ...runtime, program];
  const ended = spawnSync("strace", [...options, String(exactSizes), ...folders], {
    encoding: "utf8",
    timeout: PATIENCE_MS,
  });
  if (ended.status !== 0) {
    throw new Error(`The readers ended with ${ended.status}: ${ended.stderr}`);
  }
  return readFileSync(trace, "latin1");
}
