/**
 * The sidecar file on disk: reading what others added, and appending.
 *
 * Reading takes no lock: only whole lines count and they are never altered. Writing is done by who
 * holds the dot lock. *Knows* the file. The text is unique_id_list.ts's, replacing the file is
 * sidecar_rewrite.ts's, and who gets an id is mailbox.ts's.
 */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { lstat } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { StorageFailure } from "../maildrop/store.ts";
import { factsOf, type FileFacts, warmFacts } from "../platform/warm_files.ts";
import { diskWork } from "./disk_work.ts";
import { errnoOf, isMissing, openOwnFile, retryStale } from "./disk.ts";
import { HEADER, UniqueIdList } from "./unique_id_list.ts";

export const SIDECAR_NAME = "popkeep-uidlist";

const LF = 0x0a;

/** Read and parsed at a time, so that a very long list lets other sessions have their turn. */
const TURN_OCTETS = 131_072;

/** A line that is longer is none that popkeep wrote, nor one to keep in memory. */
const LONGEST_LINE_OCTETS = 16_777_216;

/** Octets that a message takes in the file, at least: to make room before they are read. */
const MESSAGE_OCTETS = 72;

/** Whatever the file holds, room is made for no more messages than this before it is read. */
const MOST_RESERVED = 1_000_000;

/** Octets before the place that was read up to, compared to see that the file is still the same one. */
const WITNESS_OCTETS = 64;

/**
 * - `unchanged`: `list` is as it was.
 * - `grown`: `list` has more lines.
 * - `replaced`: `list` is another one, or the file is gone; nothing in `list` has been looked for.
 */
export type SidecarChange = "unchanged" | "grown" | "replaced";

/** Whole lines, in pieces of any size that each end with a line. */
export type LinePieces = Iterable<Buffer> | AsyncIterable<Buffer> | KnownLines;

/** Lines of which is known what they say, so that nobody needs to read them who wrote them. */
export interface KnownLines extends AsyncIterable<Buffer> {
  /** Takes the lines that were handed out into a list that is as it was then, as if they were read. */
  putInto(list: UniqueIdList): Promise<void>;
}

export class Sidecar {
  readonly mailboxPath: string;
  readonly path: string;
  /** What the file says, or said before it vanished: the next rewrite puts that back. */
  list = new UniqueIdList();
  /** Whole lines up to here are in `list`. */
  #offset = 0;
  #witness: Uint8Array = new Uint8Array(0);
  /** The file as it was at the last reading; "none" when there was none, undefined before. */
  #facts: FileFacts | "none" | undefined;
  /** The same as `warmFacts` tells it: a runtime's own calls may be less exact about times. */
  #factsAtOnce: FileFacts | undefined;
  #damaged = false;

  constructor(mailboxPath: string) {
    this.mailboxPath = mailboxPath;
    this.path = `${mailboxPath}/${SIDECAR_NAME}`;
  }

  get lockPath(): string {
    return `${this.path}.lock`;
  }

  /** Whether there was a file at the last look. */
  get exists(): boolean {
    return this.#facts !== undefined && this.#facts !== "none";
  }

  /** Whether any whole line was in the file at the last look. */
  get hasLines(): boolean {
    return this.#offset > 0;
  }

  /** Whether something in the file is no line of the format; a rewrite mends it. */
  get damaged(): boolean {
    return this.#damaged;
  }

  /** Whether `list` is what the file says, where a look without waiting shows it. */
  get isUnchangedAtOnce(): boolean {
    diskWork.looks++;
    const found = warmFacts(this.path, { follow: false });
    return found !== undefined && this.#isAsReadAtOnce(found);
  }

  /**
   * Brings `list` up to what the file says. Costs one look when nothing changed.
   *
   * @throws {StorageFailure} If the file is of a later version, or no file.
   * @throws {Error} What `node:fs` says.
   */
  async refresh(): Promise<SidecarChange> {
    diskWork.looks++;
    const atOnce = warmFacts(this.path, { follow: false });
    if (atOnce !== undefined && this.#isAsReadAtOnce(atOnce)) return "unchanged";
    try {
      const found = factsOf(await retryStale(() => lstat(this.path)));
      if (this.#isAsRead(found)) {
        // That look came before this one, so it saw the same file.
        this.#factsAtOnce = atOnce;
        return "unchanged";
      }
    } catch (error) {
      if (isMissing(error)) return this.#vanished();
      throw error;
    }
    return await this.refreshFromFile();
  }

  #isAsRead(found: FileFacts): boolean {
    return this.#facts !== "none" && areSame(this.#facts, found);
  }

  #isAsReadAtOnce(found: FileFacts): boolean {
    return this.#isAsRead(found) || areSame(this.#factsAtOnce, found);
  }

  /**
   * The same, but for who holds the lock and is about to write: a shared filesystem may answer a look from
   * what it knew seconds ago, but not an open.
   */
  async refreshFromFile(): Promise<SidecarChange> {
    // Only a filesystem of this machine answers at once, and it has nothing that is seconds old.
    if (this.exists && this.isUnchangedAtOnce) return "unchanged";
    let handle: FileHandle;
    try {
      diskWork.listOpens++;
      handle = await openOwnFile(this.path, constants.O_RDONLY);
    } catch (error) {
      if (isMissing(error)) return this.#vanished();
      throw error;
    }
    try {
      const found = factsOf(await handle.stat());
      if (this.#isAsRead(found)) return "unchanged";
      const grown = this.#offset > 0 && await this.#isSameFile(handle);
      if (!grown) this.#forget();
      const messages = (found.octets - this.#offset) / MESSAGE_OCTETS;
      this.list.table.reserve(this.list.table.count + Math.min(Math.ceil(messages), MOST_RESERVED));
      await this.#readLines(handle);
      await makeDurable(handle);
      this.#isNow(found);
      return grown ? "grown" : "replaced";
    } finally {
      await handle.close();
    }
  }

  #vanished(): SidecarChange {
    const change = this.exists ? "replaced" : "unchanged";
    this.#isNow("none");
    this.#offset = 0;
    this.#witness = new Uint8Array(0);
    this.#damaged = false;
    const { table } = this.list;
    for (let row = 0; row < table.count; row++) table.forgetMisses(row);
    return change;
  }

  #isNow(facts: FileFacts | "none"): void {
    this.#facts = facts;
    this.#factsAtOnce = undefined;
  }

  #forget(): void {
    this.list = new UniqueIdList();
    this.#offset = 0;
    this.#witness = new Uint8Array(0);
    this.#damaged = false;
  }

  /** True when what we read last time still stands before `#offset`. */
  async #isSameFile(handle: FileHandle): Promise<boolean> {
    const { length } = this.#witness;
    const found = Buffer.alloc(length);
    const octets = await readFully(handle, found, this.#offset - length);
    return octets === length && found.equals(this.#witness);
  }

  /** Takes what stands behind `#offset`, but for a torn last line. */
  async #readLines(handle: FileHandle): Promise<void> {
    let chunk = Buffer.allocUnsafe(TURN_OCTETS);
    for (;; await nextTurn()) {
      const octets = await readFully(handle, chunk, this.#offset);
      const end = chunk.subarray(0, octets).lastIndexOf(LF) + 1;
      if (end > 0) this.#takeLines(chunk.subarray(0, end));
      if (octets < chunk.length) break;
      if (end > 0) continue;
      if (chunk.length >= LONGEST_LINE_OCTETS) {
        throw new StorageFailure("SYS/PERM", `"${this.path}" has a line without an end`);
      }
      chunk = Buffer.allocUnsafe(chunk.length * 4);
    }
    // Not even the header is whole.
    if (this.#offset === 0) this.#damaged = true;
  }

  /** Takes whole lines as they stand in the file after `#offset`. */
  #takeLines(octets: Buffer): void {
    let from = 0;
    if (this.#offset === 0) {
      const header = octets.toString("latin1", 0, octets.indexOf(LF));
      this.#refuseNewerVersion(header);
      if (`${header}\n` === HEADER) from = HEADER.length;
      else this.#damaged = true;
    }
    for (let end; (end = octets.indexOf(LF, from)) >= 0; from = end + 1) {
      if (!this.list.apply(octets.subarray(from, end))) this.#damaged = true;
    }
    this.#offset += octets.length;
    this.#witness = witnessAfter(this.#witness, octets);
  }

  /** A file of a later popkeep may say things that a rebuild by this one would lose. */
  #refuseNewerVersion(header: string): void {
    const version = /^popkeep-uidlist ([0-9]{1,9})$/.exec(header)?.[1];
    if (version !== undefined && version !== "1") {
      throw new StorageFailure(
        "SYS/PERM",
        `${this.path} is of version ${version}; this popkeep knows version 1`,
      );
    }
  }

  /**
   * Appends lines. The caller holds the lock and has just refreshed. A torn last line that a crashed
   * writer left is cut off first.
   *
   * Returns true when the file then ended where it must: nobody wrote at the same time, and the lines
   * are in force. They are then in `list` too. On false, refresh tells what is in force.
   *
   * @param durable fsync before returning, as for lines that a client is about to see.
   */
  async append(lines: LinePieces, durable: boolean): Promise<boolean> {
    diskWork.listOpens++;
    const handle = await openOwnFile(this.path, constants.O_RDWR | constants.O_APPEND);
    try {
      return await this.#cutTornLine(handle) && await this.#write(handle, lines, durable);
    } finally {
      await handle.close();
    }
  }

  /**
   * Writes the first lines into a file that the caller, who holds the lock, has just made where there was
   * none, for mail of which no message has an id yet. Durable when it returns, but for the file's name.
   *
   * Returns as `append` does.
   */
  writeFirst(handle: FileHandle, lines: LinePieces): Promise<boolean> {
    return this.#write(handle, lines, true);
  }

  async #write(handle: FileHandle, lines: LinePieces, durable: boolean): Promise<boolean> {
    let end = this.#offset;
    let witness = this.#witness;
    let only: Buffer | undefined;
    for await (const piece of lines) {
      only = end === this.#offset ? piece : undefined;
      await writeAll(handle, piece);
      end += piece.length;
      witness = witnessAfter(witness, piece);
    }
    if (durable) {
      diskWork.syncs++;
      await handle.datasync();
    }
    const found = factsOf(await handle.stat());
    if (found.octets !== end) return false;
    if ("putInto" in lines) {
      // Nobody else wrote: these lines are what stands there, and need not be read to be known.
      await lines.putInto(this.list);
      this.#offset = end;
      this.#witness = witness;
    } else if (only !== undefined && only.length <= TURN_OCTETS) this.#takeLines(only);
    // More than a piece is not kept: the file has it.
    else await this.#readLines(handle);
    this.#isNow(found);
    return this.#offset === end;
  }

  /** Leaves the file ending where we read up to; false if it holds whole lines that we do not know. */
  async #cutTornLine(handle: FileHandle): Promise<boolean> {
    const { size } = await handle.stat();
    if (size === this.#offset) return size > 0;
    if (size < this.#offset) return false;
    const tail = Buffer.alloc(size - this.#offset);
    await handle.read(tail, 0, tail.length, this.#offset);
    if (tail.includes(LF)) return false;
    await handle.truncate(this.#offset);
    return this.#offset > 0;
  }
}

export async function writeAll(handle: FileHandle, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) {
    const { bytesWritten } = await handle.write(octets, at, octets.length - at);
    at += bytesWritten;
  }
}

/** Reads until `target` is full or the file ends; returns how many octets there were. */
async function readFully(
  handle: FileHandle,
  target: Uint8Array,
  position: number,
): Promise<number> {
  let at = 0;
  while (at < target.length) {
    const { bytesRead } = await handle.read(target, at, target.length - at, position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
}

/** The last octets of what was read up to. */
function witnessAfter(before: Uint8Array, octets: Uint8Array): Uint8Array {
  if (octets.length >= WITNESS_OCTETS) return octets.slice(-WITNESS_OCTETS);
  return Buffer.concat([before, octets]).subarray(-WITNESS_OCTETS);
}

function areSame(one: FileFacts | undefined, other: FileFacts): boolean {
  return one !== undefined && one.inode === other.inode && one.octets === other.octets &&
    one.modifiedMs === other.modifiedMs && one.changedMs === other.changedMs;
}

/**
 * What another process wrote may not be on the disk yet, and is about to be shown. Costs little when it
 * is. A disk that cannot be written to holds nothing that is not on it.
 */
async function makeDurable(handle: FileHandle): Promise<void> {
  try {
    diskWork.syncs++;
    await handle.datasync();
  } catch (error) {
    if (!["EROFS", "EINVAL", "ENOTSUP", "EBADF"].includes(errnoOf(error))) throw error;
  }
}
