/**
 * Listing new/ and cur/: when a listing can be trusted later, and what it may miss.
 *
 * A folder's mtime says that names came or went, but only as finely as its clock ticks: a change within
 * the same tick as the listing leaves no trace. So a listing is trusted later only if the folder had
 * been quiet for `QUIET_MS` when it was made.
 *
 * A listing that runs while a file is renamed may show the file under both names, or under neither.
 * The first is harmless, since a message is known by its unique name. Against the second the folder is
 * listed again if it changed meanwhile, and the lists are joined.
 *
 * *Knows* folders. *Does not know* unique-ids.
 */

import { lstat, readdir, stat } from "node:fs/promises";
import { fileNamesAreExact } from "../platform/file_names.ts";
import { factsOf, type FileFacts, warmFacts } from "../platform/warm_files.ts";
import { isMissing, pathIn, retryStale } from "./disk.ts";
import { uniqueNameOf } from "./file_name.ts";

/** Coarser than any filesystem's ticks (FAT: 2 s), so that a change after it shows in the mtime. */
const QUIET_MS = 2_000;

/** Listings of a folder that changes all the time, before we go on with what was seen. */
const MOST_LISTINGS = 3;

/** U+FFFD, as octets of UTF-8: what stands in a name for octets that the runtime could not hand out. */
const REPLACED_OCTETS = "\u00ef\u00bf\u00bd";

export type FolderName = "new" | "cur";

/** Where a message's file is. */
export interface Place {
  readonly folder: FolderName;
  readonly fileName: string;
}

/** What tells whether a folder changed. */
export interface FolderState {
  readonly facts: FileFacts;
  /** Whether an equal state later proves that nothing changed since. */
  readonly quiet: boolean;
}

/** Looks at a folder; undefined when it does not exist. */
export async function stateOf(path: string): Promise<FolderState | undefined> {
  const atOnce = stateAtOnce(path);
  if (atOnce !== undefined) return atOnce;
  try {
    const beforeMs = Date.now();
    return stateBy(factsOf(await retryStale(() => stat(path))), beforeMs);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The same where the system knows it without waiting; undefined says nothing at all. */
export function stateAtOnce(path: string): FolderState | undefined {
  const beforeMs = Date.now();
  const facts = warmFacts(path, { follow: true });
  return facts && stateBy(facts, beforeMs);
}

function stateBy(facts: FileFacts, beforeMs: number): FolderState {
  const ageMs = beforeMs - Math.max(facts.modifiedMs, facts.changedMs);
  return { facts, quiet: ageMs >= QUIET_MS };
}

/** True when the folder is as it was when it was listed, for certain. */
export function isUnchanged(then: FolderState | undefined, now: FolderState | undefined): boolean {
  if (then === undefined || now === undefined) return then === now;
  return then.quiet && areSame(then, now);
}

function areSame({ facts: one }: FolderState, { facts: other }: FolderState): boolean {
  return one.inode === other.inode && one.modifiedMs === other.modifiedMs &&
    one.changedMs === other.changedMs;
}

/**
 * Adds the messages of one folder to `places`, by unique name; later listings and cur/ win. Names that
 * begin with a dot, or have nothing before their info, are no messages. `unreadable` counts names that this runtime cannot open.
 */
export async function listFolder(
  mailboxPath: string,
  folder: FolderName,
  places: Map<string, Place>,
): Promise<{ state: FolderState | undefined; unreadable: number }> {
  const path = `${mailboxPath}/${folder}`;
  let state = await stateOf(path);
  for (let listings = 1;; listings++) {
    if (state === undefined) return { state, unreadable: 0 };
    const names = await retryStale(() => readdir(path, { encoding: "latin1" }));
    const unreadable = placeNames(names, folder, places);
    const after = await stateOf(path);
    const changed = after === undefined || !areSame(state, after);
    if (!changed || listings === MOST_LISTINGS) return { state, unreadable };
    state = after;
  }
}

function placeNames(
  names: readonly string[],
  folder: FolderName,
  places: Map<string, Place>,
): number {
  let unreadable = 0;
  for (const fileName of names) {
    if (fileName.startsWith(".") || fileName.startsWith(":")) continue;
    if (!fileNamesAreExact && fileName.includes(REPLACED_OCTETS)) unreadable++;
    else places.set(uniqueNameOf(fileName), { folder, fileName });
  }
  return unreadable;
}

/** Octets of a message file; undefined for what is gone, or a folder, link, FIFO or socket. */
export async function storedOctetsOf(
  mailboxPath: string,
  place: Place,
): Promise<number | undefined> {
  try {
    const found = await retryStale(() =>
      lstat(pathIn(`${mailboxPath}/${place.folder}`, place.fileName))
    );
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** What the listings say to be plain files, as `new/...` and `cur/...`. Costs no look at each. */
export async function filesOf(mailboxPath: string): Promise<Set<string>> {
  const files = new Set<string>();
  for (const folder of ["new", "cur"]) {
    const options = { encoding: "latin1", withFileTypes: true } as const;
    const found = await retryStale(() => readdir(`${mailboxPath}/${folder}`, options))
      .catch((error) => {
        if (isMissing(error)) return [];
        throw error;
      });
    for (const one of found) if (one.isFile()) files.add(`${folder}/${one.name}`);
  }
  return files;
}
