/**
 * An open file of a mailbox, each call to which goes through the mailbox's gate.
 *
 * While a call to it is on its way, also one that nobody waits for any more, the file stays open: the system
 * gives a closed file's number to the next one that is opened, and the call would reach that.
 *
 * *Knows* the gate. *Does not know* what the file is.
 */

import type { FileHandle } from "node:fs/promises";
import { type FileStats, type OpenFile, openFileOf } from "../platform/open_file.ts";
import { DiskTimeout, retryStale } from "./disk.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";

export type { FileStats } from "../platform/open_file.ts";

export class DiskFile {
  readonly #disk: MailboxDisk;
  readonly #file: OpenFile;
  /** Calls that have begun and not come back. */
  #calls = 0;
  /** Whether it is to be closed when the last of them comes back. */
  #closesLater = false;

  constructor(disk: MailboxDisk, handle: FileHandle) {
    this.#disk = disk;
    this.#file = openFileOf(handle);
  }

  /** Reads octets into `target`; returns how many, 0 at the end. */
  async read(
    target: Uint8Array,
    from: number,
    length: number,
    position: number,
  ): Promise<number> {
    const { bytesRead } = await this.#call(
      "read a file",
      () => retryStale(() => this.#file.read(target, from, length, position)),
    );
    return bytesRead;
  }

  /** What is in it, a character an octet. */
  readText(): Promise<string> {
    return this.#call("read a file", () => this.#file.readFile("latin1"));
  }

  async write(octets: Uint8Array): Promise<void> {
    for (let at = 0; at < octets.length;) {
      const { bytesWritten } = await this.#call(
        "write a file",
        () => this.#file.write(octets, at, octets.length - at),
      );
      at += bytesWritten;
    }
  }

  stat(): Promise<FileStats> {
    return this.#call("look at a file", () => this.#file.stat());
  }

  /** Writes what was written through to the disk. */
  datasync(): Promise<void> {
    return this.#call("write a file through to the disk", () => this.#file.datasync());
  }

  /** The same of a folder, or with all that is known of the file. */
  sync(): Promise<void> {
    return this.#call("write a folder through to the disk", () => this.#file.sync());
  }

  truncate(octets: number): Promise<void> {
    return this.#call("cut a file", () => this.#file.truncate(octets));
  }

  chown(userId: number, groupId: number): Promise<void> {
    return this.#call("give a file to its owner", () => this.#file.chown(userId, groupId));
  }

  /** Sets who may do what with it. */
  chmod(mode: number): Promise<void> {
    return this.#call("set a file's permissions", () => this.#file.chmod(mode));
  }

  /** The system's number of the open file; valid until it is closed. */
  get descriptor(): number {
    return this.#file.fd;
  }

  /** Closes the file: later where it cannot be done now, since the mailbox does not answer. */
  async close(): Promise<void> {
    if (this.#calls > 0) {
      this.#closesLater = true;
      return;
    }
    let isBegun = false;
    try {
      await this.#disk.call("close a file", () => {
        isBegun = true;
        return this.#file.close();
      });
    } catch (error) {
      if (!(error instanceof DiskTimeout)) throw error;
      if (!isBegun) {
        void this.#disk.eventually(() => this.#disk.call("close a file", () => this.#file.close()));
      }
    }
  }

  async #call<T>(doing: string, work: () => Promise<T>): Promise<T> {
    return await this.#disk.call(doing, async () => {
      this.#calls++;
      try {
        return await work();
      } finally {
        if (--this.#calls === 0 && this.#closesLater) void this.close().catch(() => {});
      }
    });
  }
}
