/**
 * The messages that lie in a Maildir now, whatever anybody calls them: what the old server's ids are looked up for.
 *
 * Nothing is changed, and the list of unique-ids is not asked.
 *
 * *Knows* folders. *Does not know* ids.
 */

import type { Buffer } from "node:buffer";
import { eachOf, pathIn, storageFailure } from "../maildir/disk.ts";
import { refuseForeignLinks } from "../maildir/followed_links.ts";
import { listFolder, stateOf } from "../maildir/folder.ts";
import type { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { Matching } from "../maildir/matching.ts";
import { type AwaitedMessage, openMessageFile } from "../maildir/message_file.ts";
import type { MessageTable } from "../maildir/message_table.ts";
import { learnSizes } from "../maildir/newcomers.ts";
import { UniqueIdList } from "../maildir/unique_id_list.ts";
import { StorageFailure } from "../maildrop/store.ts";
import { readHeaderOctets } from "./header_octets.ts";

/** Messages that are read at once: enough to hide a disk's delay, few enough for a server that runs. */
const READ_WIDTH = 8;

export class PresentMessages {
  readonly disk: MailboxDisk;
  readonly table: MessageTable;
  /** Those rows of the table that are messages, in the order of their delivery. */
  readonly rows: Uint32Array;

  private constructor(disk: MailboxDisk, table: MessageTable, rows: Uint32Array) {
    this.disk = disk;
    this.table = table;
    this.rows = rows;
  }

  /** @throws {StorageFailure} If there is no Maildir, or it cannot be read. */
  static async of(disk: MailboxDisk): Promise<PresentMessages> {
    try {
      const table = await listed(disk);
      return new PresentMessages(disk, table, await learnSizes(disk, table));
    } catch (error) {
      throw storageFailure("look at a mailbox", error);
    }
  }

  /**
   * Opens a message, though somebody may have moved it to cur/ or set a flag since it was listed. Undefined when it
   * is gone. The caller closes it.
   */
  async open(row: number): Promise<AwaitedMessage | undefined> {
    const opened = await this.#openAsListed(row);
    if (opened !== undefined) return opened;
    const now = await listed(this.disk);
    const found = now.findNameOf(this.table, row);
    if (found < 0) return undefined;
    this.table.copyPlace(row, now, found);
    return await this.#openAsListed(row);
  }

  /**
   * Has `work` done with the header of each of these messages, several at a time; undefined for what is gone.
   *
   * @throws {StorageFailure} If one cannot be read.
   */
  async eachHeader(
    rows: Iterable<number>,
    work: (row: number, header: Buffer | undefined) => void,
  ): Promise<void> {
    await eachOf([...rows], READ_WIDTH, async (row) => {
      const message = await this.open(row);
      try {
        work(row, message === undefined ? undefined : await readHeaderOctets(message));
      } finally {
        await message?.close();
      }
    });
  }

  async #openAsListed(row: number): Promise<AwaitedMessage | undefined> {
    const folder = this.table.folderOf(row);
    if (folder === undefined) return undefined;
    const path = pathIn(`${this.disk.path}/${folder}`, this.table.fileNameOf(row));
    return await openMessageFile(this.disk, path);
  }
}

async function listed(disk: MailboxDisk): Promise<MessageTable> {
  const [fresh, cur] = await Promise.all([stateOf(disk, "new"), stateOf(disk, "cur")]);
  disk.isOn((fresh ?? cur)?.facts.device);
  if (fresh === undefined && cur === undefined) {
    throw new StorageFailure(
      "SYS/PERM",
      `"${disk.path}" has neither new nor cur: it is no Maildir`,
    );
  }
  // Of an empty list everything is a newcomer.
  const matching = new Matching(new UniqueIdList());
  // new/ before cur/: what moves meanwhile is seen twice, not never.
  for (const folder of ["new", "cur"] as const) {
    await refuseForeignLinks(disk, `${disk.path}/${folder}`);
    await listFolder(disk, folder, (names) => matching.take(folder, names));
  }
  matching.finish();
  return matching.newcomers;
}
