/**
 * Reads the lines of a file that another server wrote, in bounded memory however long it or a line of it is.
 *
 * The file is opened for reading alone; a link in its place is not followed, and nothing is waited for that is no
 * file. A last line without a line end is left out: its writer was killed, or is writing.
 *
 * *Knows* lines. *Does not know* what they say.
 */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { errnoOf } from "../maildir/disk.ts";
import type { DiskFile } from "../maildir/disk_file.ts";
import type { MailboxDisk } from "../maildir/mailbox_disk.ts";
import { StorageFailure } from "../maildrop/store.ts";
import { OldListFault } from "./old_ids.ts";

/** Longer than any line that these servers write: a file name of 255 octets and some fields. */
export const LONGEST_LINE_OCTETS = 65_536;

const CHUNK_OCTETS = 131_072;
const LF = 0x0a;

/** Takes a line without its line end; undefined for one that is too long or has a NUL in it. */
export type TakeLine = (line: Buffer | undefined) => void;

/** @throws {OldListFault} If there is no such file, or it cannot be read. */
export async function readOldLines(disk: MailboxDisk, path: string, take: TakeLine): Promise<void> {
  let file: DiskFile;
  try {
    file = await disk.openOwn(path, constants.O_RDONLY);
  } catch (error) {
    throw oldListFault(path, error);
  }
  const splitter = new OldLineSplitter(take);
  try {
    for (let at = 0;;) {
      // A chunk of its own, since the splitter keeps what it was handed.
      const chunk = Buffer.allocUnsafe(CHUNK_OCTETS);
      const octets = await file.read(chunk, 0, chunk.length, at);
      if (octets === 0) return;
      at += octets;
      splitter.push(chunk.subarray(0, octets));
    }
  } catch (error) {
    if (error instanceof OldListFault) throw error;
    throw oldListFault(path, error);
  } finally {
    await file.close();
  }
}

export function oldListFault(path: string, error: unknown): OldListFault {
  const code = errnoOf(error);
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new OldListFault(`there is no ${path}`, { isMissing: true, cause: error });
  }
  if (code === "ELOOP") {
    return new OldListFault(`${path} is a symbolic link, which is not followed`, { cause: error });
  }
  // "..." is no file, as openOwn says of a folder or a FIFO.
  const reason = error instanceof StorageFailure || error instanceof Error ? error.message : "";
  return new OldListFault(`${path} cannot be read: ${reason}`, { cause: error });
}

/** Parts what comes in pieces of any size into lines. */
export class OldLineSplitter {
  readonly #take: TakeLine;
  /** What has come of a line. */
  #begun: Buffer[] = [];
  #begunOctets = 0;
  #isTooLong = false;

  constructor(take: TakeLine) {
    this.#take = take;
  }

  push(chunk: Buffer): void {
    for (let from = 0; from < chunk.length;) {
      const end = chunk.indexOf(LF, from);
      this.#add(chunk.subarray(from, end < 0 ? chunk.length : end));
      if (end < 0) return;
      this.#end();
      from = end + 1;
    }
  }

  #add(part: Buffer): void {
    if (this.#isTooLong || part.length === 0) return;
    this.#begunOctets += part.length;
    if (this.#begunOctets <= LONGEST_LINE_OCTETS) this.#begun.push(part);
    else {
      this.#isTooLong = true;
      this.#begun = [];
    }
  }

  #end(): void {
    const [first = Buffer.alloc(0), ...more] = this.#begun;
    const line = more.length === 0 ? first : Buffer.concat(this.#begun);
    this.#take(this.#isTooLong || line.includes(0) ? undefined : line);
    this.#begun = [];
    this.#begunOctets = 0;
    this.#isTooLong = false;
  }
}
