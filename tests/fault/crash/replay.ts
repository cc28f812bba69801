/**
 * What a server finds that is started after a crash, held against what clients were told before.
 *
 * *Knows* the mailbox and its model. *Does not know* how the crash came about.
 */

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import type { MailboxModel } from "../mailbox_model.ts";
import { CrashMailbox } from "./crash_mailbox.ts";
import type { CrashState } from "./crash_states.ts";
import { writeImage } from "./disk_image.ts";
import type { Step } from "./live_disk.ts";

/** New ids, as clients are shown them, where a scenario carries none over. */
const ID = /\b[0-9]{16}\b/g;

/** A crash leaves at most a list that was being made, and a lock that was being taken away. */
const MOST_LEFTOVERS = 2;

export interface Told {
  /** What clients knew before the first step, and what they knew in the end. */
  readonly before: MailboxModel;
  readonly after: MailboxModel;
  readonly exactSizes: boolean;
}

/** Whether the lock that a crash has left can be told at once for one whose holder is gone. */
export function lockHasToBeWatched({ image }: CrashState): boolean {
  const lock = image.files.get("popkeep-uidlist.lock");
  return lock !== undefined && !/^\S+ [0-9]+ [0-9]+ [0-9a-f]{16}\n$/.test(lock.toString("latin1"));
}

/** Opens the mailbox of a state twice, in a folder of its own, and checks all promises. */
export async function replay(
  state: CrashState,
  steps: readonly Step[],
  { before, after, exactSizes, folder }: Told & { readonly folder: string },
): Promise<void> {
  writeImage(state.image, folder);
  const model = before.copy();
  model.learn(after, idsSaid(steps.slice(0, state.steps)));
  const isAllSaid = steps.slice(state.steps).every(({ kind }) => kind !== "said");
  if (state.isKill && isAllSaid) model.quitAnswered([...after.removed]);
  const promises = {
    removedMayBeBack: !state.isKill,
    removedMayHaveAnotherId: !state.isOrdered,
  };
  const mailbox = new CrashMailbox(folder, model);
  const first = await mailbox.list({ exactSizes });
  const present = mailbox.tokensOnDisk();
  model.check(present, promises);
  assert.equal(first.length, present.size, "not every message is shown");
  model.checkListing(first, promises);
  mailbox.deliver(1);
  const second = await mailbox.list({ exactSizes });
  assert.deepEqual(second.slice(0, -1), first, "the next login shows something else");
  const newest = Number(second.at(-1)![0]);
  assert.ok(first.every(([id]) => Number(id) < newest), "a later message has a lower unique-id");
  const leftovers = mailbox.leftovers();
  assert.ok(leftovers.length <= MOST_LEFTOVERS, `left behind: ${leftovers}`);
  rmSync(folder, { recursive: true });
}

/** The unique-ids that were told in these steps. */
export function idsSaid(steps: readonly Step[]): readonly string[] {
  const said = steps.map((step) => step.kind === "said" ? step.text : "");
  return said.join("\n").match(ID) ?? [];
}
