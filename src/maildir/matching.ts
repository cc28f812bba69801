/**
 * Matching the list of unique-ids with the folders: where each entry's file is, which files belong to no
 * entry, and the lines that give those an id.
 *
 * *Knows* entries and places. *Does not know* the disk. All of it lets others have their turn.
 */

import { inTurns } from "./disk.ts";
import type { FolderName, Place } from "./folder.ts";
import type { Newcomer } from "./sizes.ts";
import { encodeMessage, encodeRemoved, type UniqueIdList } from "./unique_id_list.ts";

/** Adds what is known of one folder to `places`, where listing it again would say nothing new. */
export function keepPlaces(
  list: UniqueIdList,
  folder: FolderName,
  places: Map<string, Place>,
): Promise<void> {
  return inTurns(list.entries, (entry) => {
    if (entry.folder === folder) {
      places.set(entry.uniqueName, { folder, fileName: entry.fileName });
    }
  });
}

export interface Matching {
  /** Another number each time, so that entries which were found are told from the others. */
  readonly matching: number;
  /**
   * Whether the folders were listed after all of the entries were known, so that one which is not found
   * is missing.
   */
  readonly fresh: boolean;
}

/** Tells the entries where their files are; returns the places that no entry claims. */
export async function matchPlaces(
  list: UniqueIdList,
  places: ReadonlyMap<string, Place>,
  { matching, fresh }: Matching,
): Promise<[string, Place][]> {
  const unclaimed: [string, Place][] = [];
  await inTurns(places, (named) => {
    const [uniqueName, place] = named;
    const entry = list.findPresent(uniqueName);
    if (entry === undefined) {
      unclaimed.push(named);
      return;
    }
    entry.folder = place.folder;
    entry.fileName = place.fileName;
    entry.missingSinceS = undefined;
    entry.matching = matching;
  });
  await inTurns(list.entries, (entry) => {
    if (entry.matching === matching) {
      entry.misses = 0;
    } else {
      entry.folder = undefined;
      if (fresh) entry.misses++;
    }
  });
  return unclaimed;
}

/** The lines that give each newcomer an id, in their order, from the next free one on. */
export async function linesFor(
  list: UniqueIdList,
  newcomers: readonly Newcomer[],
  nowMs: number,
): Promise<string> {
  let id = list.firstFreeId(nowMs);
  const lines: string[] = [];
  await inTurns(newcomers, (newcomer) => {
    // The name of a message that we removed: said again, since saying so then may have failed.
    const former = list.find(newcomer.uniqueName);
    if (former !== undefined) lines.push(encodeRemoved(former));
    lines.push(encodeMessage({ ...newcomer, id: id++, carried: undefined }));
  });
  return lines.join("");
}
