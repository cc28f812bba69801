/**
 * Messages that have no unique-id yet: which of the files are messages, what they occupy, and the lines that
 * give them their ids.
 *
 * Hints in names (`,S=`, `,W=`) save the looks where there are many, but a deliverer may have lied: a few
 * messages and a sample of many are always looked at, and one lie makes all of them be looked at.
 *
 * *Knows* files and hints. *Does not know* what becomes of the lines.
 */

import { Buffer } from "node:buffer";
import { openWarmFolder, type WarmFolder } from "../platform/warm_files.ts";
import { inDeliveryOrder } from "./delivery_order.ts";
import { eachOf } from "./disk.ts";
import { diskWork } from "./disk_work.ts";
import { storedOctetsOf } from "./folder.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";
import type { FolderName, MessageTable } from "./message_table.ts";
import { NAME_OCTETS } from "./name_blocks.ts";
import { sampleOf } from "./sample.ts";
import type { KnownLines } from "./sidecar.ts";
import { stagedSizeHints } from "./staged_name_parts.ts";
import { inRanges, Turns } from "./turns.ts";
import { UniqueIdLines } from "./unique_id_lines.ts";
import type { UniqueIdList } from "./unique_id_list.ts";

/** So many newcomers are all looked at; of more with hints, so many are a sample. */
const STAT_SAMPLE = 64;

/** Looks at files at once that are waited for: enough to hide a disk's delay, few enough for others. */
const STAT_WIDTH = 32;

/** Lines are handed on when they are about so many octets. */
const PIECE_OCTETS = 1_048_576;

/** Lines that are written between two looks at the clock. */
const LINES_A_LOOK = 256;

const scratch = Buffer.alloc(2 * NAME_OCTETS + 2);

/**
 * Fills in sizes, and takes what is no message, or vanished meanwhile, out of its folder. Returns the rows of
 * messages in the order of their delivery.
 *
 * @throws {Error} What `node:fs` says when a file cannot be looked at.
 */
export async function learnSizes(
  disk: MailboxDisk,
  newcomers: MessageTable,
): Promise<Uint32Array> {
  const rows = await rowsWhere(newcomers, () => true);
  if (rows.length > 0) await disk.isKnown();
  const looks = new Looks(disk, newcomers);
  try {
    const { sample, rest } = sampleOf(rows, STAT_SAMPLE);
    await looks.at(sample);
    await looks.at(looks.foundLie ? rest : await believeHints(newcomers, rest));
  } finally {
    looks.close();
  }
  const messages = await rowsWhere(newcomers, (row) => newcomers.isInFolder(row));
  return await inDeliveryOrder(newcomers, messages);
}

async function rowsWhere(
  { count }: MessageTable,
  isWanted: (row: number) => boolean,
): Promise<Uint32Array<ArrayBuffer>> {
  const rows = new Uint32Array(count);
  let found = 0;
  await inRanges(count, (from, to) => {
    for (let row = from; row < to; row++) if (isWanted(row)) rows[found++] = row;
  });
  return rows.subarray(0, found);
}

/** Takes sizes from names where a listing said that they are files'; returns the other rows. */
async function believeHints(newcomers: MessageTable, rows: Uint32Array): Promise<Uint32Array> {
  const others = new Uint32Array(rows.length);
  let count = 0;
  await inRanges(rows.length, (from, to) => {
    for (let index = from; index < to; index++) {
      const row = rows[index]!;
      newcomers.stageName(row);
      const { storedOctets, exactOctets } = stagedSizeHints();
      if (storedOctets === undefined || !newcomers.isListedAsFile(row)) {
        others[count++] = row;
      } else {
        newcomers.setStored(row, storedOctets);
        newcomers.setExact(row, exactOctets);
      }
    }
  });
  return others.subarray(0, count);
}

/** Looks at files one by one: without waiting where the system has the answers at hand. */
class Looks {
  foundLie = false;
  readonly #disk: MailboxDisk;
  readonly #newcomers: MessageTable;
  readonly #folders = new Map<FolderName, WarmFolder | undefined>();

  constructor(disk: MailboxDisk, newcomers: MessageTable) {
    this.#disk = disk;
    this.#newcomers = newcomers;
    for (const folder of ["new", "cur"] as const) {
      this.#folders.set(folder, openWarmFolder(`${disk.path}/${folder}`));
    }
  }

  async at(rows: Uint32Array): Promise<void> {
    const turns = new Turns();
    const slow: number[] = [];
    for (const row of rows) {
      if (turns.isOver) await turns.next();
      diskWork.fileLooks++;
      const octets = this.#atOnce(row);
      if (octets === undefined) slow.push(row);
      else this.#learn(row, octets === "other" ? undefined : octets);
    }
    await eachOf(slow, STAT_WIDTH, async (row) => {
      const folder = this.#newcomers.folderOf(row) ?? "new";
      const fileName = this.#newcomers.fileNameOf(row);
      this.#learn(row, await storedOctetsOf(this.#disk, { folder, fileName }));
    });
  }

  #atOnce(row: number): number | "other" | undefined {
    const folder = this.#folders.get(this.#newcomers.folderOf(row) ?? "new");
    return folder?.octetsOf(scratch, this.#newcomers.writeFileName(row, scratch, 0));
  }

  #learn(row: number, storedOctets: number | undefined): void {
    if (storedOctets === undefined) return this.#newcomers.setNowhere(row);
    this.#newcomers.stageName(row);
    const hints = stagedSizeHints();
    const truthful = hints.storedOctets === storedOctets;
    if (!truthful && hints.storedOctets !== undefined) this.foundLie = true;
    this.#newcomers.setStored(row, storedOctets);
    this.#newcomers.setExact(row, truthful ? hints.exactOctets : undefined);
  }

  close(): void {
    for (const folder of this.#folders.values()) folder?.close();
  }
}

/**
 * The lines that give each newcomer an id, in their order, from the next free one on; in pieces.
 *
 * @param lines what the first piece begins with.
 */
export function linesFor(
  list: UniqueIdList,
  newcomers: MessageTable,
  rows: Uint32Array,
  lines = new UniqueIdLines(),
): KnownLines {
  const firstId = list.firstFreeId(Date.now());
  return {
    [Symbol.asyncIterator]: () => pieces(list, newcomers, { rows, firstId, lines }),
    async putInto(list) {
      await inRanges(rows.length, (from, to) => {
        for (let index = from; index < to; index++) {
          list.takeNew(newcomers, rows[index]!, firstId + index);
        }
      });
    },
  };
}

interface Ids {
  readonly rows: Uint32Array;
  readonly firstId: number;
  readonly lines: UniqueIdLines;
}

async function* pieces(
  list: UniqueIdList,
  newcomers: MessageTable,
  { rows, firstId, lines }: Ids,
): AsyncGenerator<Buffer> {
  const turns = new Turns({ itemsALook: 1 });
  const addOne = (index: number) => {
    const row = rows[index]!;
    // The name of a message that we removed: said again, since saying so then may have failed.
    const former = list.table.findNameOf(newcomers, row);
    if (former >= 0) lines.addRemoved(list.table.idOf(former));
    lines.addNewMessage(newcomers, row, {
      id: firstId + index,
      storedOctets: newcomers.storedOf(row),
      exactOctets: newcomers.exactOf(row),
      carried: undefined,
    });
  };
  for (let from = 0; from < rows.length; from += LINES_A_LOOK) {
    if (turns.isOver) await turns.next();
    const to = Math.min(from + LINES_A_LOOK, rows.length);
    for (let index = from; index < to; index++) addOne(index);
    if (lines.length >= PIECE_OCTETS) {
      yield lines.octets;
      lines.clear();
    }
  }
  if (lines.length > 0) yield lines.octets;
}
