/**
 * What of the unique-id list is known to be on the disk, whatever becomes of the machine.
 *
 * *Knows* files and the folder that they are in. *Does not know* what the list says.
 */

import type { FileStats } from "../platform/open_file.ts";
import { DiskTimeout, errnoOf } from "./disk.ts";
import { diskWork } from "./disk_work.ts";
import type { DiskFile } from "./disk_file.ts";
import { syncFolder } from "./folder_sync.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";

/** What is said of files that there is no writing through of; a later try says the same. */
const UNSYNCABLE = new Set(["EROFS", "EINVAL", "ENOTSUP", "EBADF"]);

/** The name of a file that was made so long ago is on the disk: no filesystem waits that long. */
const NAME_SETTLED_MS = 3_600_000;

export class ListDurability {
  readonly #disk: MailboxDisk;
  #isDoubtful = false;
  #next = 1;

  constructor(disk: MailboxDisk) {
    this.#disk = disk;
  }

  /**
   * Whether what the file says may not be on the disk, though trying again to write it through reports no
   * failure: the system tells of one once, and may have dropped what it could not write. Only another file,
   * written anew, is to be trusted.
   */
  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /** Ids below this are on the disk, whatever became of later ones. */
  get next(): number {
    return this.#next;
  }

  /** Whether anything is known to be on the disk. */
  get isKnown(): boolean {
    return this.#next > 1;
  }

  /** Says that the file may not be on the disk as it stands. */
  doubt(): void {
    this.#isDoubtful = true;
  }

  /** Says that the file is another one, which is on the disk with its name. */
  trust(): void {
    this.#isDoubtful = false;
  }

  /** Says that nothing is known of what the file holds. */
  forget(): void {
    this.#next = 1;
  }

  /** Says that all ids below this were written through, unless that is in doubt. */
  reaches(next: number): void {
    if (!this.#isDoubtful) this.#next = next;
  }

  /** Writes what the file holds through to the disk. */
  async sync(file: DiskFile): Promise<void> {
    diskWork.syncs++;
    await this.#orDoubt(file.datasync());
  }

  /**
   * The same of what another process wrote, which may not be on the disk yet and is about to be shown. Costs
   * little when it is. A disk that cannot be written to holds nothing that is not on it. Where it fails, what
   * was on the disk before can still be shown.
   *
   * @param hasNewName Whether who put this file in place of another may have been killed before its name was
   * on the disk.
   */
  async syncOthers(file: DiskFile, hasNewName: boolean): Promise<void> {
    try {
      await this.sync(file);
      if (hasNewName) await this.#orDoubt(syncFolder(this.#disk));
    } catch (error) {
      if (isReplacedElsewhere(this.#disk, error)) throw error;
      const canTell = UNSYNCABLE.has(errnoOf(error)) || this.isKnown;
      if (error instanceof DiskTimeout || !canTell) throw error;
    }
  }

  async #orDoubt(sync: Promise<void>): Promise<void> {
    try {
      await sync;
    } catch (error) {
      const isOfTheFile = !isReplacedElsewhere(this.#disk, error);
      if (isOfTheFile && !UNSYNCABLE.has(errnoOf(error))) this.doubt();
      throw error;
    }
  }
}

/** What is said of an open file that another host has put another one in place of. */
const REPLACED = new Set(["ESTALE", "ENOENT"]);

/** Whether the file is not there any more, since another host has replaced it. */
export function isReplacedElsewhere(disk: MailboxDisk, error: unknown): boolean {
  return !disk.isOfThisMachine && REPLACED.has(errnoOf(error));
}

/** Whether the file's name has been on the disk for long; false where its age cannot be told. */
export function isSettled({ birthtimeMs }: FileStats): boolean {
  return birthtimeMs > 0 && Math.abs(Date.now() - birthtimeMs) > NAME_SETTLED_MS;
}
