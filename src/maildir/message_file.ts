/**
 * Reading one message file, a chunk at a time: at once, as long as the system has its octets at hand, and
 * by waiting for the disk where it has not.
 */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { READ_CHUNK_OCTETS } from "../limits.ts";
import type { StoredMessage } from "../maildrop/store.ts";
import { StorageFailure } from "../maildrop/store.ts";
import { openWarm, type WarmFile } from "../platform/warm_files.ts";
import { type DiskPath, DiskTimeout, errnoOf, storageFailure } from "./disk.ts";
import type { DiskFile } from "./disk_file.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";

/** What may stand under a message's name and is none: never waited for, never followed. */
const NO_MESSAGE = new Set(["ENOENT", "ELOOP", "ENXIO", "EISDIR"]);

/** A message whose octets are waited for. */
export interface AwaitedMessage extends StoredMessage {
  read(): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/**
 * Opens a message file; undefined when there is no message under that name (any more).
 *
 * A link is not followed: who may write to a Maildir must not read other files through us. A FIFO does
 * not hold us up.
 *
 * @throws {StorageFailure} If it is there and cannot be opened.
 */
export async function openMessageFile(
  disk: MailboxDisk,
  path: DiskPath,
): Promise<AwaitedMessage | undefined> {
  let file: DiskFile;
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    file = await disk.open(path, flags);
  } catch (error) {
    if (NO_MESSAGE.has(errnoOf(error))) return undefined;
    throw storageFailure("open a message", error);
  }
  try {
    const found = await file.stat();
    if (found.isFile()) return new MessageFile(file, found.size);
  } catch (error) {
    await file.close();
    throw storageFailure("look at a message", error);
  }
  await file.close();
  return undefined;
}

/**
 * The same at once. Undefined says nothing at all: then `openMessageFile` is to be asked. Only for files in
 * a folder that `warmFacts` has told of.
 */
export function openMessageAtOnce(disk: MailboxDisk, path: DiskPath): StoredMessage | undefined {
  const file = openWarm(path);
  return file === undefined ? undefined : new WarmMessage(disk, path, file);
}

class MessageFile implements AwaitedMessage {
  readonly #file: DiskFile;
  readonly storedOctets: number;
  #position: number;

  constructor(file: DiskFile, storedOctets: number, position = 0) {
    this.#file = file;
    this.storedOctets = storedOctets;
    this.#position = position;
  }

  async read(): Promise<Uint8Array | undefined> {
    const length = Math.min(READ_CHUNK_OCTETS, this.storedOctets - this.#position);
    if (length === 0) return undefined;
    const chunk = Buffer.allocUnsafeSlow(length);
    try {
      const octets = await this.#file.read(chunk, 0, length, this.#position);
      if (octets === 0) endedEarly();
      this.#position += octets;
      return octets === length ? chunk : chunk.subarray(0, octets);
    } catch (error) {
      throw storageFailure("read a message", error);
    }
  }

  async close(): Promise<void> {
    // The octets are read already; a failure to close loses nothing.
    await this.#file.close().catch(() => {});
  }
}

/** The message in a file that was opened warm, which it closes. */
export class WarmMessage implements StoredMessage {
  readonly storedOctets: number;
  readonly #disk: MailboxDisk;
  readonly #path: DiskPath;
  /** What is read from: the warm file, or the other one once something was not at hand. */
  #file: WarmFile | undefined;
  #waiting: Promise<MessageFile> | undefined;
  #position = 0;

  constructor(disk: MailboxDisk, path: DiskPath, file: WarmFile) {
    this.#disk = disk;
    this.#path = path;
    this.#file = file;
    this.storedOctets = file.facts.octets;
  }

  read(scratch: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.#position === this.storedOctets) return undefined;
    const length = Math.min(scratch.length, this.storedOctets - this.#position);
    const octets = this.#file?.read(scratch.subarray(0, length), this.#position);
    if (octets === undefined) return this.#readWaiting();
    if (octets === 0) endedEarly();
    this.#position += octets;
    return scratch.subarray(0, octets);
  }

  close(): void | Promise<void> {
    this.#file?.close();
    this.#file = undefined;
    return this.#waiting?.then((file) => file.close(), () => {});
  }

  async #readWaiting(): Promise<Uint8Array | undefined> {
    this.#waiting ??= this.#openAgain();
    const chunk = await (await this.#waiting).read();
    this.#position += chunk?.length ?? 0;
    return chunk;
  }

  /** Opens the same file for reads that wait. */
  async #openAgain(): Promise<MessageFile> {
    const file = this.#file!;
    this.#file = undefined;
    try {
      return new MessageFile(await this.#openSame(file), this.storedOctets, this.#position);
    } catch (error) {
      throw storageFailure("open a message", error);
    } finally {
      file.close();
    }
  }

  /** By the system's name for what is open; by its own where /proc is not mounted, if it is the same. */
  async #openSame(file: WarmFile): Promise<DiskFile> {
    try {
      return await this.#disk.open(file.path, constants.O_RDONLY);
    } catch (error) {
      if (error instanceof DiskTimeout) throw error;
      const same = await this.#disk.openOwn(this.#path, constants.O_RDONLY);
      if ((await same.stat()).ino === file.facts.inode) return same;
      await same.close();
      throw new StorageFailure("SYS/TEMP", "a message file was replaced while it was read");
    }
  }
}

function endedEarly(): never {
  throw new StorageFailure("SYS/TEMP", "a message file ended before its size");
}
