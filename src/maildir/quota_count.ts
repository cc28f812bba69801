/**
 * Counts all mail that a user has, and writes `maildirsize` anew with it (README.maildirquota, "Calculating
 * maildirsize"): file names tell most sizes, the others are looked at.
 *
 * The new file is written in tmp/, through to the disk, and renamed over the old one: a process that is killed
 * leaves the old file, and what is stale in tmp/ goes with the rest of it. It is kept only if no folder changed
 * between the first look and one after the rename; else the mail is counted again, three times at most. Then the sum
 * is right for who asked, and there is no file.
 *
 * *Knows* Maildirs and the file. *Does not know* who has which limits.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { DiskTimeout, eachOf, errnoOf, isMissing, storageFailure } from "./disk.ts";
import { flagsOf } from "./file_name.ts";
import {
  areSame,
  type FolderState,
  listOnce,
  type Place,
  stateOf,
  storedOctetsOf,
} from "./folder.ts";
import { refuseForeignLinks } from "./followed_links.ts";
import { EntryNames, type ListedNames } from "./listed_names.ts";
import type { MailLocation } from "./mail_location.ts";
import { MailboxDisk } from "./mailbox_disk.ts";
import { MAILDIRSIZE_NAME, maildirSizeNow, maildirSizePath } from "./maildirsize.ts";
import { encodeDefinition, type QuotaLimits } from "../maildrop/quota_definition.ts";
import { encodeUsage, type Usage } from "./maildirsize_text.ts";
import { staged } from "./name_blocks.ts";
import { replaceOwnFile } from "./own_file.ts";
import { countedMaildirs, UNCOUNTED } from "./quota_folders.ts";
import { stagedSizeHints } from "./staged_name_parts.ts";
import { StorageFailure } from "../maildrop/store.ts";

const log = getLogger(["popkeep", "maildir"]);

/** Files looked at at once for their sizes. */
const LOOKS_WIDTH = 16;

/** Counts before the file is given up that mail keeps coming into. */
const MOST_COUNTS = 3;

/** Changes that follow each other sooner may leave one time: a tick of the kernel's clock, and some. */
const TICK_MS = 20;

/** Whose mail it is. */
export interface QuotaPlace {
  readonly location: MailLocation;
  /** Names of folders whose mail does not count. */
  readonly ignored: readonly string[];
  /** Time that a call to the disk gets, ms. */
  readonly timeoutMs?: number | undefined;
}

export interface UsageAsked {
  /** Those that hold, which the file is to say; undefined leaves what it says, and makes none. */
  readonly limits: QuotaLimits | undefined;
  /** What is to come besides. */
  readonly incoming?: Usage;
  /** Whether the mail is counted whatever the file says. */
  readonly isToBeCounted?: boolean;
  /** Whether it is counted unless that is what was done last. */
  readonly isToBeFresh?: boolean;
  /** Whether nothing is to be written, for who only looks. */
  readonly isOnlyALook?: boolean;
  /** Is told each folder before it is counted, and how many there are. */
  readonly onFolder?: (path: string, folders: number) => void;
  /** Is told why the file that was to be written was not: the sum is right all the same. */
  readonly onUnwritten?: (reason: string) => void;
}

/** The Maildir that has the file. */
export function quotaDisk({ location, timeoutMs }: QuotaPlace): MailboxDisk {
  return new MailboxDisk(location.folders, { timeoutMs });
}

/**
 * How much mail there is: as the file says, or counted where that is not to be believed.
 *
 * @throws {StorageFailure} If the mail cannot be counted.
 */
export async function usageNow(place: QuotaPlace, asked: UsageAsked): Promise<Usage> {
  const disk = quotaDisk(place);
  try {
    const found = await readOrNothing(disk, asked);
    const isEnough = asked.isToBeCounted !== true &&
      (found.isFresh || asked.isToBeFresh !== true);
    if (found.used !== undefined && isEnough) return found.used;
    return await countAndKeep(place, asked, found.definition);
  } catch (error) {
    throw storageFailure("count the mail", error);
  }
}

/** What cannot be read, as what stands there that is no file, is as if it were not there. */
async function readOrNothing(disk: MailboxDisk, asked: UsageAsked) {
  try {
    return await maildirSizeNow(disk, asked);
  } catch (error) {
    if (error instanceof DiskTimeout) throw error;
    return { used: undefined, definition: undefined, isFresh: false };
  }
}

async function countAndKeep(
  place: QuotaPlace,
  { isOnlyALook = false, limits, onFolder, onUnwritten }: UsageAsked,
  definition: string | undefined,
): Promise<Usage> {
  const disk = quotaDisk(place);
  const firstLine = limits === undefined ? definition : encodeDefinition(limits);
  for (let counts = 1;; counts++) {
    const counted = await count(place, onFolder);
    // Who has no quota has no file, unless another program has made one.
    if (isOnlyALook || firstLine === undefined) return counted.used;
    const text = `${firstLine}\n${encodeUsage(counted.used)}`;
    const kept = await keep(disk, place, text, onUnwritten);
    if (kept === undefined || await isStill(counted, place)) return counted.used;
    if (counts === MOST_COUNTS) {
      onUnwritten?.("mail kept coming or going while it was counted");
      // Where the limits stand in the file alone, they are worth more than a sum that is a message behind.
      if (limits !== undefined) await removeOwn(disk, kept);
      return counted.used;
    }
  }
}

interface Counted {
  readonly used: Usage;
  /** How each folder was before it was listed, by its path. */
  readonly states: ReadonlyMap<string, FolderState | undefined>;
}

async function count(place: QuotaPlace, onFolder: UsageAsked["onFolder"]): Promise<Counted> {
  const states = new Map<string, FolderState | undefined>();
  const paths = await countedMaildirs(place.location, place.ignored, quotaDisk(place));
  let octets = 0;
  let messages = 0;
  for (const path of paths) {
    onFolder?.(path, paths.length);
    const disk = new MailboxDisk(path, { timeoutMs: place.timeoutMs });
    for (const folder of ["new", "cur"] as const) {
      const state = await settledState(disk, folder);
      states.set(`${path}/${folder}`, state);
      if (state === undefined || !await mayBeFollowed(disk, folder, state)) continue;
      const found = await countIfReadable(disk, folder, state);
      octets += found.octets;
      messages += found.messages;
    }
  }
  return { used: { octets, messages }, states };
}

/** How a folder is, when its times will tell of the next change. */
async function settledState(
  disk: MailboxDisk,
  folder: Place["folder"],
): Promise<FolderState | undefined> {
  const state = await stateOf(disk, folder);
  if (state === undefined || Math.abs(Date.now() - state.facts.modifiedMs) > TICK_MS) return state;
  await sleep(TICK_MS);
  return await stateOf(disk, folder);
}

/** Somebody's link to another's mail does not count as his. */
async function mayBeFollowed(
  disk: MailboxDisk,
  folder: Place["folder"],
  { linkFree }: FolderState,
): Promise<boolean> {
  if (linkFree) return true;
  try {
    await refuseForeignLinks(disk, `${disk.path}/${folder}`);
    return true;
  } catch (error) {
    if (!(error instanceof StorageFailure) || error instanceof DiskTimeout) throw error;
    return false;
  }
}

/** What this process may not read it could not serve either; mail for the other folders is to come in all the same. */
async function countIfReadable(
  disk: MailboxDisk,
  folder: Place["folder"],
  state: FolderState,
): Promise<Usage> {
  try {
    return await countFolder(disk, folder, state);
  } catch (error) {
    const reason = errnoOf(error);
    if (reason !== "EACCES" && reason !== "EPERM") throw error;
    const mailbox = `${disk.path}/${folder}`;
    log.warn("a folder cannot be looked into, and its mail does not count", { mailbox, reason });
    return { octets: 0, messages: 0 };
  }
}

async function countFolder(
  disk: MailboxDisk,
  folder: Place["folder"],
  { facts }: FolderState,
): Promise<Usage> {
  let octets = 0;
  let messages = 0;
  let unknown: string[] = [];
  const take = (names: ListedNames) => {
    if (names instanceof EntryNames) [octets, messages, unknown] = [0, 0, []];
    while (names.stageNext()) {
      if (flagsOf(names.info).includes("T") || isStagedUncounted()) continue;
      const { storedOctets } = stagedSizeHints();
      if (storedOctets === undefined || !names.isFile) unknown.push(staged.text + names.info);
      else {
        octets += storedOctets;
        messages++;
      }
    }
  };
  await listOnce({ disk, path: `${disk.path}/${folder}`, octets: facts.octets }, take);
  await eachOf(unknown, LOOKS_WIDTH, async (fileName) => {
    const found = await storedOctetsOf(disk, { folder, fileName });
    if (found === undefined) return;
    octets += found;
    messages++;
  });
  return { octets, messages };
}

/** Whether the message of the staged name does not count. */
function isStagedUncounted(): boolean {
  const { length, octets } = staged;
  const at = octets.subarray(1, 1 + length).indexOf(UNCOUNTED);
  if (at < 0) return false;
  const end = at + UNCOUNTED.length;
  return end === length || octets[1 + end] === 0x2c;
}

/** Whether no folder changed, came or went since the mail was counted. */
async function isStill({ states }: Counted, place: QuotaPlace): Promise<boolean> {
  const paths = await countedMaildirs(place.location, place.ignored, quotaDisk(place));
  if (paths.length * 2 !== states.size) return false;
  for (const path of paths) {
    const disk = new MailboxDisk(path, { timeoutMs: place.timeoutMs });
    for (const folder of ["new", "cur"] as const) {
      const before = states.get(`${path}/${folder}`);
      const now = await stateOf(disk, folder);
      const isSame = before === undefined || now === undefined
        ? before === now
        : areSame(before, now);
      if (!isSame) return false;
    }
  }
  return true;
}

/** Puts the file in its place; returns its inode, undefined where that cannot be done: the sum is right all the same. */
async function keep(
  disk: MailboxDisk,
  { location }: QuotaPlace,
  text: string,
  onUnwritten: UsageAsked["onUnwritten"],
): Promise<number | undefined> {
  let whyNot = "";
  for (const maildir of new Set([disk.path, location.inbox])) {
    try {
      return await replaceOwnFile(disk, MAILDIRSIZE_NAME, text, { tmpOf: maildir });
    } catch (error) {
      if (error instanceof DiskTimeout) throw error;
      // A folder of folders has no tmp/ of its own.
      if (isMissing(error) && maildir !== location.inbox) continue;
      const reason = errnoOf(error) || String(error);
      log.warn("the file of how much mail there is cannot be written", {
        mailbox: disk.path,
        reason,
      });
      whyNot = error instanceof Error ? error.message : reason;
    }
  }
  onUnwritten?.(whyNot);
  return undefined;
}

/** Removes the file that was put there, if nobody has put another one in its place since. */
async function removeOwn(disk: MailboxDisk, inode: number): Promise<void> {
  try {
    const path = maildirSizePath(disk);
    if ((await disk.lstat(path)).ino === inode) await disk.unlink(path);
  } catch {
    // It is not there, or as it was: a sum that is a message behind.
  }
}
