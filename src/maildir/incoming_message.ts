/**
 * A message on its way into a Maildir: written to tmp/, through to the disk, and only then into new/ under
 * a name that tells its sizes. Who reads the folder sees all of it or nothing, whatever is killed when.
 *
 * When `deliver` has returned, file and name are on the disk. Before it nothing is promised; what is left
 * in tmp/ then is removed by whoever finds it there after 36 hours (see stale_files.ts).
 *
 * *Knows* the contract of Maildir's deliverers (maildir(5)). *Does not know* who sent it, or quotas.
 */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { CanonicalCounter } from "../message/canonical.ts";
import { LineFeeds } from "../message/line_feeds.ts";
import { deliveredName, withSizes } from "./delivered_name.ts";
import { errnoOf, storageFailure } from "./disk.ts";
import type { DiskFile } from "./disk_file.ts";
import { refuseForeignLinks } from "./followed_links.ts";
import { syncFolder } from "./folder_sync.ts";
import { giveToOwnerOf } from "./folder_owner.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";
import { UNCOUNTED } from "./quota_folders.ts";

/** Mail is its owner's alone. */
const FILE_MODE = 0o600;

/** What is written at a time, octets: a call for each of MIME's lines would take longer than the disk. */
const WRITE_OCTETS = 131_072;

/** What is said of filesystems that have no hard links. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

export interface IncomingOptions {
  /** Whether it counts towards the owner's quota; what popkeep itself has to say does not. */
  readonly countsInQuota?: boolean;
}

export interface DeliveredMessage {
  readonly fileName: string;
  /** Octets of the file. */
  readonly storedOctets: number;
  /** With CRLF line ends. */
  readonly exactOctets: number;
}

export class IncomingMessage {
  readonly #disk: MailboxDisk;
  readonly #file: DiskFile;
  readonly #name: string;
  readonly #lines = new LineFeeds();
  readonly #counter = new CanonicalCounter();
  #waiting: Uint8Array[] = [];
  #waitingOctets = 0;
  #storedOctets = 0;

  private constructor(disk: MailboxDisk, file: DiskFile, name: string) {
    this.#disk = disk;
    this.#file = file;
    this.#name = name;
  }

  /**
   * Begins a message in a Maildir that is there.
   *
   * @throws {StorageFailure} If no file can be made in it.
   */
  static async begin(
    disk: MailboxDisk,
    { countsInQuota = true }: IncomingOptions = {},
  ): Promise<IncomingMessage> {
    try {
      for (const folder of ["tmp", "new"]) await refuseForeignLinks(disk, `${disk.path}/${folder}`);
      const name = deliveredName() + (countsInQuota ? "" : UNCOUNTED);
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL |
        constants.O_NOFOLLOW;
      const file = await disk.open(`${disk.path}/tmp/${name}`, flags, { mode: FILE_MODE });
      const incoming = new IncomingMessage(disk, file, name);
      try {
        await giveToOwnerOf(disk, disk.path, file);
      } catch (error) {
        await incoming.giveUp();
        throw error;
      }
      return incoming;
    } catch (error) {
      throw storageFailure("begin a delivery", error);
    }
  }

  /** Octets of the file so far. */
  get storedOctets(): number {
    return this.#storedOctets;
  }

  /**
   * Writes octets of the message, whose lines may end in LF or CRLF.
   *
   * @throws {StorageFailure} If they cannot be written. Then it can only be given up.
   */
  async write(octets: Uint8Array): Promise<void> {
    await this.#put(this.#lines.push(octets));
  }

  /**
   * Ends the message and puts it into new/.
   *
   * @param mayBeDelivered is asked when all of it is there, and throws if it may not: then nothing is in new/.
   * @throws {StorageFailure} If that could not be made sure. Then it is to be given up; it may be delivered
   * all the same, and delivering it again is right.
   */
  async deliver(
    mayBeDelivered?: (storedOctets: number) => Promise<void>,
  ): Promise<DeliveredMessage> {
    await this.#put(this.#lines.end());
    await mayBeDelivered?.(this.#storedOctets);
    try {
      await this.#flush();
      await this.#file.sync();
      await this.#file.close();
      const exactOctets = this.#storedOctets === 0 ? 0 : this.#counter.end();
      const fileName = withSizes(this.#name, this.#storedOctets, exactOctets);
      await this.#intoNew(fileName);
      await syncFolder(this.#disk, "new");
      return { fileName, storedOctets: this.#storedOctets, exactOctets };
    } catch (error) {
      throw storageFailure("deliver a message", error);
    }
  }

  /** Gives the message up. Nothing of it is left, where the disk allows. */
  async giveUp(): Promise<void> {
    await this.#file.close().catch(() => {});
    await this.#disk.eventually(() => this.#disk.unlink(this.#path));
  }

  get #path(): string {
    return `${this.#disk.path}/tmp/${this.#name}`;
  }

  async #put(octets: Uint8Array): Promise<void> {
    if (octets.length === 0) return;
    this.#counter.push(octets);
    this.#storedOctets += octets.length;
    // What is waiting must stay as it is, and who gave it may use it again.
    this.#waiting.push(Buffer.from(octets));
    this.#waitingOctets += octets.length;
    if (this.#waitingOctets < WRITE_OCTETS) return;
    try {
      await this.#flush();
    } catch (error) {
      throw storageFailure("write a message", error);
    }
  }

  async #flush(): Promise<void> {
    const octets = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingOctets = 0;
    if (octets.length > 0) await this.#file.write(octets);
  }

  /** By a hard link, which never replaces a file; where there are none, by a rename to a name that is new. */
  async #intoNew(fileName: string): Promise<void> {
    const path = `${this.#disk.path}/new/${fileName}`;
    try {
      await this.#disk.link(this.#path, path);
    } catch (error) {
      if (!NO_LINKS.has(errnoOf(error))) throw error;
      return await this.#disk.rename(this.#path, path);
    }
    // The message is there; a second name in tmp/ does no harm and goes with what is stale.
    await this.#disk.eventually(() => this.#disk.unlink(this.#path));
  }
}
