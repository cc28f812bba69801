/**
 * Exact octets of messages as sent ([MS-STANXPOP3] 2.1.5): found out once, and remembered in the sidecar.
 *
 * Sizes that came from names (`,W=`) may be lies of a deliverer: a few messages and a sample of many are
 * looked into, and one lie makes all of them be.
 *
 * *Knows* files and hints. *Does not know* unique-ids.
 */

import { READ_CHUNK_OCTETS } from "../limits.ts";
import type { StoredMessage } from "../maildrop/store.ts";
import { CanonicalCounter } from "../message/canonical.ts";
import { foreignMemory } from "../platform/foreign_functions.ts";
import { warmFacts } from "../platform/warm_files.ts";
import { type DiskPath, DiskTimeout, pathIn } from "./disk.ts";
import { sizeHints } from "./file_name.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";
import { openMessageAtOnce, openMessageFile } from "./message_file.ts";
import type { MessageTable } from "./message_table.ts";
import { sampleOf } from "./sample.ts";
import { Turns } from "./turns.ts";

/** So many messages with hints are all looked into; of more, so many are a sample. */
const COUNT_SAMPLE = 16;

/** Messages that are read at a time, where the disk or others are waited for. */
const COUNT_WIDTH = 4;

/** What is read at once is counted before anybody else reads, so that all share this. */
const scratch = foreignMemory(READ_CHUNK_OCTETS);

const NOTHING = new Uint8Array(0);

/**
 * Fills in exact sizes where they are not known; returns the rows that were filled in or mended. A message
 * that cannot be read keeps its size in storage.
 */
export async function learnExactSizes(disk: MailboxDisk, table: MessageTable): Promise<number[]> {
  const { unknown, hinted } = await doubtfulRows(table);
  const counting = new Counting(disk, table);
  await counting.at(unknown);
  const { sample, rest } = sampleOf(hinted, COUNT_SAMPLE);
  const before = counting.learnt.length;
  await counting.at(sample);
  if (counting.learnt.length > before) await counting.at(rest);
  for (const row of hinted) table.setBelieved(row);
  return counting.learnt;
}

/**
 * Fills in the exact sizes of messages that have no id yet, where their names do not say them: so they can
 * stand in the lines that give the ids, and need no others.
 */
export async function learnNewcomersSizes(
  disk: MailboxDisk,
  newcomers: MessageTable,
  rows: Uint32Array,
): Promise<void> {
  const unknown = rows.filter((row) => newcomers.exactOf(row) === undefined);
  await new Counting(disk, newcomers).at(unknown);
}

/** Rows in a folder whose exact size is not known, and those of which only the name says it. */
async function doubtfulRows(
  table: MessageTable,
): Promise<{ unknown: Uint32Array; hinted: Uint32Array }> {
  const unknown: number[] = [];
  const hinted: number[] = [];
  const turns = new Turns();
  for (let row = 0; row < table.count; row++) {
    if (turns.isOver) await turns.next();
    if (!table.isInFolder(row) || table.isBelieved(row)) continue;
    const exactOctets = table.exactOf(row);
    if (exactOctets === undefined) unknown.push(row);
    else if (sizeHints(table.uniqueNameOf(row)).exactOctets === exactOctets) hinted.push(row);
    else table.setBelieved(row);
  }
  return { unknown: Uint32Array.from(unknown), hinted: Uint32Array.from(hinted) };
}

class Counting {
  readonly learnt: number[] = [];
  readonly #disk: MailboxDisk;
  readonly #table: MessageTable;

  constructor(disk: MailboxDisk, table: MessageTable) {
    this.#disk = disk;
    this.#table = table;
  }

  /** @throws {DiskTimeout} If the mailbox does not answer. */
  async at(rows: Uint32Array): Promise<void> {
    if (rows.length === 0) return;
    await this.#disk.isKnown();
    // What is asked of the files waits for nobody only if the folders are at hand.
    const isWarm = (["new", "cur"] as const).every((folder) => {
      return warmFacts(`${this.#disk.path}/${folder}`, { follow: true }) !== undefined;
    });
    const turns = new Turns({ itemsALook: 1 });
    const waiting = new Set<Promise<void>>();
    let timeout: DiskTimeout | undefined;
    for (const row of rows) {
      if (turns.isOver) await turns.next();
      const left = this.#count(row, isWarm, turns);
      if (left === undefined) continue;
      const settled: Promise<void> = left.catch((error) => {
        if (error instanceof DiskTimeout) timeout = error;
      }).finally(() => waiting.delete(settled));
      waiting.add(settled);
      if (waiting.size >= COUNT_WIDTH) await Promise.race(waiting);
      if (timeout !== undefined) break;
    }
    await Promise.all(waiting);
    if (timeout !== undefined) throw timeout;
  }

  /** Looks into one message; what is waited for may fail, and then its size is not known. */
  #count(row: number, isWarm: boolean, turns: Turns): undefined | Promise<void> {
    const folder = this.#table.folderOf(row);
    if (folder === undefined) return undefined;
    const path = pathIn(`${this.#disk.path}/${folder}`, this.#table.fileNameOf(row));
    const message = isWarm ? openMessageAtOnce(this.#disk, path) : undefined;
    if (message === undefined) return this.#countAwaited(row, path);
    const counter = new CanonicalCounter();
    const more = takeAtHand(message, counter, turns);
    if (more !== undefined) return this.#countRest(row, message, counter, more);
    this.#learn(row, counter.end());
    void message.close();
    return undefined;
  }

  async #countAwaited(row: number, path: DiskPath): Promise<void> {
    const message = await openMessageFile(this.#disk, path);
    if (message === undefined) return;
    await this.#countRest(row, message, new CanonicalCounter(), message.read());
  }

  async #countRest(
    row: number,
    message: StoredMessage,
    counter: CanonicalCounter,
    first: Promise<Uint8Array | undefined>,
  ): Promise<void> {
    const turns = new Turns({ itemsALook: 1 });
    try {
      let more: typeof first | undefined = first;
      while (more !== undefined) {
        const chunk: Uint8Array | undefined = await more;
        if (chunk === undefined) break;
        counter.push(chunk);
        more = takeAtHand(message, counter, turns);
      }
      this.#learn(row, counter.end());
    } finally {
      void message.close();
    }
  }

  #learn(row: number, exactOctets: number): void {
    if (exactOctets === this.#table.exactOf(row)) return;
    this.#table.setExact(row, exactOctets);
    this.learnt.push(row);
  }
}

/**
 * Counts what is at hand of a message, as long as the turn lasts. Returns what has to be waited for, or
 * undefined at the message's end.
 */
function takeAtHand(
  message: StoredMessage,
  counter: CanonicalCounter,
  turns: Turns,
): Promise<Uint8Array | undefined> | undefined {
  try {
    for (;;) {
      const chunk = message.read(scratch);
      if (chunk === undefined || chunk instanceof Promise) return chunk;
      counter.push(chunk);
      if (turns.isOver) return turns.next().then(() => NOTHING);
    }
  } catch (error) {
    return Promise.reject(error);
  }
}
