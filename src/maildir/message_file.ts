/** Reading one message file, a chunk at a time. */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { READ_CHUNK_OCTETS } from "../limits.ts";
import type { StoredMessage } from "../maildrop/store.ts";
import { StorageFailure } from "../maildrop/store.ts";
import { type DiskPath, errnoOf, retryStale, storageFailure } from "./disk.ts";

/** What may stand under a message's name and is none: never waited for, never followed. */
const NO_MESSAGE = new Set(["ENOENT", "ELOOP", "ENXIO", "EISDIR"]);

/**
 * Opens a message file; undefined when there is no message under that name (any more).
 *
 * A link is not followed: who may write to a Maildir must not read other files through us. A FIFO does
 * not hold us up.
 *
 * @throws {StorageFailure} If it is there and cannot be opened.
 */
export async function openMessageFile(path: DiskPath): Promise<StoredMessage | undefined> {
  let handle: FileHandle;
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    handle = await retryStale(() => open(path, flags));
  } catch (error) {
    if (NO_MESSAGE.has(errnoOf(error))) return undefined;
    throw storageFailure("open a message", error);
  }
  try {
    const found = await handle.stat();
    if (found.isFile()) return new MessageFile(handle, found.size);
  } catch (error) {
    await handle.close();
    throw storageFailure("look at a message", error);
  }
  await handle.close();
  return undefined;
}

class MessageFile implements StoredMessage {
  readonly #handle: FileHandle;
  readonly storedOctets: number;
  #position = 0;

  constructor(handle: FileHandle, storedOctets: number) {
    this.#handle = handle;
    this.storedOctets = storedOctets;
  }

  async read(): Promise<Uint8Array | undefined> {
    const length = Math.min(READ_CHUNK_OCTETS, this.storedOctets - this.#position);
    if (length === 0) return undefined;
    // A new array each time: what is still on its way to a socket must not change.
    const chunk = Buffer.allocUnsafeSlow(length);
    try {
      const { bytesRead } = await retryStale(() =>
        this.#handle.read(chunk, 0, length, this.#position)
      );
      if (bytesRead === 0) {
        throw new StorageFailure("SYS/TEMP", "a message file ended before its size");
      }
      this.#position += bytesRead;
      return bytesRead === length ? chunk : chunk.subarray(0, bytesRead);
    } catch (error) {
      throw storageFailure("read a message", error);
    }
  }

  async close(): Promise<void> {
    // The octets are read already; a failure to close loses nothing.
    await this.#handle.close().catch(() => {});
  }
}
