/**
 * Listing new/ and cur/: when a listing can be trusted later, and what it may miss.
 *
 * A folder's mtime says that names came or went, but only as finely as its clock ticks: a change within
 * the same tick as the listing leaves no trace. So a listing is trusted later only if the folder had
 * been quiet for `QUIET_MS` when it was made, or longer where other hosts write too.
 *
 * A listing that runs while a file is renamed may show the file under both names, or under neither.
 * The first is harmless, since a message is known by its unique name. Against the second the folder is
 * listed again if it changed meanwhile, and the lists are joined.
 *
 * *Knows* folders. *Does not know* unique-ids.
 */

import {
  factsOf,
  type FileFacts,
  isLocal,
  warmFacts,
  warmFactsWithoutLinks,
} from "../platform/warm_files.ts";
import { isMissing, pathIn } from "./disk.ts";
import { diskWork } from "./disk_work.ts";
import { EntryNames, KnownInfos, type ListedNames, RecordNames } from "./listed_names.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";
import type { FolderName } from "./message_table.ts";

/** Coarser than any filesystem's ticks (FAT: 2 s), so that a change after it shows in the mtime. */
const QUIET_MS = 2_000;

/**
 * The same of a filesystem that other hosts may write to. Where they set the times by their own clocks (GlusterFS, as
 * it is by default) and none goes back, a change by a host whose clock is behind leaves an mtime as it was until that
 * clock has reached it. So this is how far apart the clocks of hosts may be.
 */
const QUIET_ELSEWHERE_MS = 120_000;

/** Listings of a folder that changes all the time, before we go on with what was seen. */
const MOST_LISTINGS = 3;

/**
 * A folder that takes so many octets itself is listed by a thread: it has, or had, some 10,000 messages.
 * Listing fewer holds up others for less than starting the thread does, which is 8 ms.
 */
const LARGE_OCTETS = 1_048_576;

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
  /** Whether its path is known to lead through no symbolic link. */
  readonly linkFree: boolean;
}

/** Looks at a folder of the mailbox; undefined when it does not exist. */
export async function stateOf(
  disk: MailboxDisk,
  folder: FolderName,
): Promise<FolderState | undefined> {
  const path = `${disk.path}/${folder}`;
  const atOnce = stateAtOnce(path);
  if (atOnce !== undefined) return atOnce;
  try {
    const beforeMs = Date.now();
    diskWork.looks++;
    const facts = factsOf(await disk.stat(path));
    const quietMs = isLocal(facts.device, path) ? QUIET_MS : QUIET_ELSEWHERE_MS;
    return stateBy(facts, beforeMs, { quietMs, linkFree: false });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The same where the system knows it without waiting; undefined says nothing at all. */
export function stateAtOnce(path: string): FolderState | undefined {
  const beforeMs = Date.now();
  // Nearly every path has no link in it, so that this says both at the price of one.
  const direct = warmFactsWithoutLinks(path);
  const facts = direct ?? warmFacts(path, { follow: true });
  if (facts === undefined) return undefined;
  diskWork.looks++;
  // Only a filesystem of this machine answers at once.
  return stateBy(facts, beforeMs, { quietMs: QUIET_MS, linkFree: direct !== undefined });
}

interface HowSeen {
  readonly quietMs: number;
  readonly linkFree: boolean;
}

function stateBy(facts: FileFacts, beforeMs: number, { quietMs, linkFree }: HowSeen): FolderState {
  const ageMs = beforeMs - Math.max(facts.modifiedMs, facts.changedMs);
  return { facts, quiet: ageMs >= quietMs, linkFree };
}

/** True when the folder is as it was when it was listed, for certain. */
export function isUnchanged(then: FolderState | undefined, now: FolderState | undefined): boolean {
  if (then === undefined || now === undefined) return then === now;
  return then.quiet && areSame(then, now);
}

/** Whether nothing changed between two looks, as far as the clock of the filesystem ticks. */
export function areSame({ facts: one }: FolderState, { facts: other }: FolderState): boolean {
  return one.inode === other.inode && one.modifiedMs === other.modifiedMs &&
    one.changedMs === other.changedMs;
}

/**
 * Hands what is in one folder to `take`, as often as it is listed: what comes later is newer. A large folder
 * comes in parts.
 *
 * Returns how the folder was before it was listed; undefined when it does not exist.
 */
export async function listFolder(
  disk: MailboxDisk,
  folder: FolderName,
  take: TakeNames,
): Promise<FolderState | undefined> {
  const path = `${disk.path}/${folder}`;
  let state = await stateOf(disk, folder);
  for (let listings = 1;; listings++) {
    if (state === undefined) return undefined;
    await listOnce({ disk, path, octets: state.facts.octets }, take);
    const after = await stateOf(disk, folder);
    const changed = after === undefined || !areSame(state, after);
    if (!changed || listings === MOST_LISTINGS) return state;
    state = after;
  }
}

/**
 * Hands what is in one folder to `take`. What comes as `EntryNames` is all of it, whatever came before: a large
 * folder that could not be listed in parts to its end is listed again.
 */
export async function listOnce(listed: ListedFolder, take: TakeNames): Promise<void> {
  diskWork.listings++;
  if (await listByThread(listed, take)) return;
  // Kinds cost nothing beside names, and save a look at each file whose name says its size.
  await take(new EntryNames(await listed.disk.entries(listed.path)));
}

type TakeNames = (names: ListedNames) => void | Promise<void>;

export interface ListedFolder {
  readonly disk: MailboxDisk;
  readonly path: string;
  /** That it takes itself. */
  readonly octets: number;
}

/** False if the folder is small, or was not listed to its end. */
async function listByThread(
  { disk, path, octets }: ListedFolder,
  take: TakeNames,
): Promise<boolean> {
  if (octets < LARGE_OCTETS) return false;
  const infos = new KnownInfos();
  return await disk.listingThread.list(
    path,
    (piece) => take(new RecordNames(piece, infos, octets)),
    (piece) => disk.call("list a folder", () => piece),
  );
}

/** Octets of a message file; undefined for what is gone, or a folder, link, FIFO or socket. */
export async function storedOctetsOf(
  disk: MailboxDisk,
  { folder, fileName }: Place,
): Promise<number | undefined> {
  try {
    const found = await disk.lstat(pathIn(`${disk.path}/${folder}`, fileName));
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
