/**
 * What messages weigh: octets in storage, and exact octets as sent ([MS-STANXPOP3] 2.1.4, 2.1.5).
 *
 * Both are found out once and remembered in the sidecar. Hints in names (`,S=`, `,W=`) save the work
 * where there are many, but a deliverer may have lied: a few messages and a sample of many are always
 * looked at, and one lie makes all of them be looked at.
 *
 * *Knows* files and hints. *Does not know* unique-ids.
 */

import { CanonicalCounter } from "../message/canonical.ts";
import { eachOf, inTurns, pathIn, storageFailure } from "./disk.ts";
import { sizeHints } from "./file_name.ts";
import { filesOf, type Place, storedOctetsOf } from "./folder.ts";
import { openMessageFile } from "./message_file.ts";
import type { Entry } from "./unique_id_list.ts";

/** So many newcomers are all looked at; of more with hints, so many are a sample. */
const STAT_SAMPLE = 64;

/** The same for exact sizes, where a look is a reading of the whole file. */
const COUNT_SAMPLE = 16;

/** Looks at files at once: enough to hide a disk's delay, few enough to leave it to others too. */
const STAT_WIDTH = 32;
const COUNT_WIDTH = 4;

/** A message that has no unique-id yet. */
export interface Newcomer {
  readonly uniqueName: string;
  readonly storedOctets: number;
  readonly exactOctets: number | undefined;
}

/**
 * Finds out which of the places are messages and what they occupy. What vanished meanwhile is none.
 *
 * @throws {Error} What `node:fs` says when a file cannot be looked at.
 */
export async function learnStoredSizes(
  mailboxPath: string,
  unknown: readonly [string, Place][],
): Promise<Newcomer[]> {
  const newcomers: Newcomer[] = [];
  let lies = false;
  const look = async ([uniqueName, place]: [string, Place]) => {
    const storedOctets = await storedOctetsOf(mailboxPath, place);
    if (storedOctets === undefined) return;
    const hints = sizeHints(uniqueName);
    const truthful = hints.storedOctets === storedOctets;
    if (!truthful && hints.storedOctets !== undefined) lies = true;
    newcomers.push({
      uniqueName,
      storedOctets,
      exactOctets: truthful ? hints.exactOctets : undefined,
    });
  };
  const { sample, rest } = sampleOf(unknown, STAT_SAMPLE);
  await eachOf(sample, STAT_WIDTH, look);
  // Of what is not looked at one by one, the listing can still say what is a file.
  const hinted = !lies && rest.some(([name]) => sizeHints(name).storedOctets !== undefined);
  const files = hinted ? await filesOf(mailboxPath) : new Set<string>();
  const toLookAt: [string, Place][] = [];
  await inTurns(rest, (named) => {
    const [uniqueName, { folder, fileName }] = named;
    const { storedOctets, exactOctets } = sizeHints(uniqueName);
    if (storedOctets === undefined || !files.has(`${folder}/${fileName}`)) toLookAt.push(named);
    else newcomers.push({ uniqueName, storedOctets, exactOctets });
  });
  await eachOf(toLookAt, STAT_WIDTH, look);
  return newcomers;
}

/**
 * Fills in exact sizes where they are not known; returns the entries that were filled in or mended. A
 * message that cannot be read keeps its size in storage.
 */
export async function learnExactSizes(
  mailboxPath: string,
  entries: readonly Entry[],
): Promise<Entry[]> {
  const learnt: Entry[] = [];
  const count = async (entry: Entry) => {
    const exactOctets = await countExactOctets(mailboxPath, entry).catch(() => undefined);
    if (exactOctets === undefined || exactOctets === entry.exactOctets) return;
    entry.exactOctets = exactOctets;
    learnt.push(entry);
  };
  const hinted = entries.filter((entry) => !believedExact.has(entry) && isHinted(entry));
  await eachOf(entries.filter((entry) => entry.exactOctets === undefined), COUNT_WIDTH, count);
  const { sample, rest } = sampleOf(hinted, COUNT_SAMPLE);
  const before = learnt.length;
  await eachOf(sample, COUNT_WIDTH, count);
  if (learnt.length > before) await eachOf(rest, COUNT_WIDTH, count);
  for (const entry of hinted) believedExact.add(entry);
  return learnt;
}

/** Entries whose exact size came from a name and has been looked into, as far as it is. */
const believedExact = new WeakSet<Entry>();

function isHinted(entry: Entry): boolean {
  return entry.exactOctets !== undefined &&
    sizeHints(entry.uniqueName).exactOctets === entry.exactOctets;
}

/**
 * Reads a message and counts its octets as sent; undefined when it is gone.
 *
 * @throws {StorageFailure} If it cannot be read.
 */
export async function countExactOctets(
  mailboxPath: string,
  entry: Entry,
): Promise<number | undefined> {
  if (entry.folder === undefined) return undefined;
  const path = pathIn(`${mailboxPath}/${entry.folder}`, entry.fileName);
  const message = await openMessageFile(path);
  if (message === undefined) return undefined;
  try {
    const counter = new CanonicalCounter();
    for (let chunk; (chunk = await message.read()) !== undefined;) counter.push(chunk);
    return counter.end();
  } catch (error) {
    throw storageFailure("count a message", error);
  } finally {
    await message.close();
  }
}

/** `size` of the items evenly spread, or all of them when they are few; and the others. */
function sampleOf<T>(items: readonly T[], size: number): { sample: readonly T[]; rest: T[] } {
  if (items.length <= size) return { sample: items, rest: [] };
  const step = items.length / size;
  const chosen = new Set(Array.from({ length: size }, (_, i) => Math.floor(i * step)));
  return {
    sample: items.filter((_, i) => chosen.has(i)),
    rest: items.filter((_, i) => !chosen.has(i)),
  };
}
