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
import { filesystemKnown, warmFacts } from "../platform/warm_files.ts";
import { type DiskPath, eachOf, pathIn, storageFailure } from "./disk.ts";
import { sizeHints } from "./file_name.ts";
import { openMessageAtOnce, openMessageFile } from "./message_file.ts";
import type { MessageTable } from "./message_table.ts";
import { sampleOf } from "./sample.ts";
import { Turns } from "./turns.ts";

/** So many messages with hints are all looked into; of more, so many are a sample. */
const COUNT_SAMPLE = 16;

/** Files read at once that are waited for. */
const COUNT_WIDTH = 4;

/** What is read at once is counted before anybody else reads, so that all share this. */
const scratch = foreignMemory(READ_CHUNK_OCTETS);

/**
 * Fills in exact sizes where they are not known; returns the rows that were filled in or mended. A message
 * that cannot be read keeps its size in storage.
 */
export async function learnExactSizes(mailboxPath: string, table: MessageTable): Promise<number[]> {
  const { unknown, hinted } = await doubtfulRows(table);
  const counting = new Counting(mailboxPath, table);
  await counting.at(unknown);
  const { sample, rest } = sampleOf(hinted, COUNT_SAMPLE);
  const before = counting.learnt.length;
  await counting.at(sample);
  if (counting.learnt.length > before) await counting.at(rest);
  for (const row of hinted) table.setBelieved(row);
  return counting.learnt;
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
  readonly #mailboxPath: string;
  readonly #table: MessageTable;

  constructor(mailboxPath: string, table: MessageTable) {
    this.#mailboxPath = mailboxPath;
    this.#table = table;
  }

  async at(rows: Uint32Array): Promise<void> {
    const slow: number[] = [];
    if (rows.length > 0) await filesystemKnown(this.#mailboxPath);
    // What is asked of the files waits for nobody only if the folders are at hand.
    const isWarm = (["new", "cur"] as const).every((folder) => {
      return warmFacts(`${this.#mailboxPath}/${folder}`, { follow: true }) !== undefined;
    });
    const turns = new Turns({ itemsALook: 1 });
    for (const row of rows) {
      if (turns.isOver) await turns.next();
      const exactOctets = isWarm ? await this.#atOnce(row, turns) : undefined;
      if (exactOctets === undefined) slow.push(row);
      else this.#learn(row, exactOctets);
    }
    await eachOf(slow, COUNT_WIDTH, async (row) => {
      const exactOctets = await this.#inTime(row).catch(() => undefined);
      if (exactOctets !== undefined) this.#learn(row, exactOctets);
    });
  }

  #learn(row: number, exactOctets: number): void {
    if (exactOctets === this.#table.exactOf(row)) return;
    this.#table.setExact(row, exactOctets);
    this.learnt.push(row);
  }

  /** Undefined says nothing at all. */
  async #atOnce(row: number, turns: Turns): Promise<number | undefined> {
    const path = this.#pathOf(row);
    const message = path === undefined ? undefined : openMessageAtOnce(path);
    if (message === undefined) return undefined;
    try {
      return await countExactOctets(message, turns);
    } catch {
      return undefined;
    } finally {
      await message.close();
    }
  }

  /** Undefined when it is gone. */
  async #inTime(row: number): Promise<number | undefined> {
    const path = this.#pathOf(row);
    const message = path === undefined ? undefined : await openMessageFile(path);
    if (message === undefined) return undefined;
    try {
      return await countExactOctets(message, new Turns());
    } finally {
      await message.close();
    }
  }

  #pathOf(row: number): DiskPath | undefined {
    const folder = this.#table.folderOf(row);
    return folder && pathIn(`${this.#mailboxPath}/${folder}`, this.#table.fileNameOf(row));
  }
}

/**
 * Reads a message and counts its octets as sent.
 *
 * @throws {StorageFailure} If it cannot be read.
 */
async function countExactOctets(message: StoredMessage, turns: Turns): Promise<number> {
  try {
    const counter = new CanonicalCounter();
    for (;;) {
      let chunk = message.read(scratch);
      if (chunk instanceof Promise) chunk = await chunk;
      if (chunk === undefined) return counter.end();
      counter.push(chunk);
      if (turns.isOver) await turns.next();
    }
  } catch (error) {
    throw storageFailure("count a message", error);
  }
}
