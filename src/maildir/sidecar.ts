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
import { errnoOf, isMissing, openOwnFile, retryStale } from "./disk.ts";
import { HEADER, UniqueIdList } from "./unique_id_list.ts";

export const SIDECAR_NAME = "popkeep-uidlist";

/** Read and parsed at a time, so that a very long list lets other sessions have their turn. */
const TURN_OCTETS = 131_072;

/** Octets before the place that was read up to, compared to see that the file is still the same one. */
const WITNESS_OCTETS = 64;

/**
 * - `unchanged`: `list` is as it was.
 * - `grown`: `list` has more lines.
 * - `replaced`: `list` is another one, or the file is gone; nothing in `list` has been looked for.
 */
export type SidecarChange = "unchanged" | "grown" | "replaced";

export class Sidecar {
  readonly mailboxPath: string;
  readonly path: string;
  /** What the file says, or said before it vanished: the next rewrite puts that back. */
  list = new UniqueIdList();
  /** Whole lines up to here are in `list`. */
  #offset = 0;
  #witness = "";
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

  /** Whether something in the file is no line of the format; a rewrite mends it. */
  get damaged(): boolean {
    return this.#damaged;
  }

  /** Whether `list` is what the file says, where a look without waiting shows it. */
  get isUnchangedAtOnce(): boolean {
    const found = warmFacts(this.path, { follow: false });
    return found !== undefined && (this.#isAsRead(found) || areSame(this.#factsAtOnce, found));
  }

  /**
   * Brings `list` up to what the file says. Costs one look when nothing changed.
   *
   * @throws {StorageFailure} If the file is of a later version, or no file.
   * @throws {Error} What `node:fs` says.
   */
  async refresh(): Promise<SidecarChange> {
    const atOnce = warmFacts(this.path, { follow: false });
    if (atOnce !== undefined && areSame(this.#factsAtOnce, atOnce)) return "unchanged";
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

  /**
   * The same, but the file is opened to see whether it changed. A shared filesystem may answer a stat from
   * what it knew seconds ago, but not an open: for who holds the lock and is about to write.
   */
  async refreshFromFile(): Promise<SidecarChange> {
    let handle: FileHandle;
    try {
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
    this.#witness = "";
    this.#damaged = false;
    for (const entry of this.list.entries) entry.misses = 0;
    return change;
  }

  #isNow(facts: FileFacts | "none"): void {
    this.#facts = facts;
    this.#factsAtOnce = undefined;
  }

  #forget(): void {
    this.list = new UniqueIdList();
    this.#offset = 0;
    this.#witness = "";
    this.#damaged = false;
  }

  /** True when what we read last time still stands before `#offset`. */
  async #isSameFile(handle: FileHandle): Promise<boolean> {
    const length = this.#witness.length;
    const found = Buffer.alloc(length);
    const { bytesRead } = await handle.read(found, 0, length, this.#offset - length);
    return bytesRead === length && found.toString("latin1") === this.#witness;
  }

  async #readLines(handle: FileHandle): Promise<void> {
    const chunk = Buffer.allocUnsafe(TURN_OCTETS);
    let torn = "";
    for (let position = this.#offset;; await nextTurn()) {
      const { bytesRead } = await handle.read(chunk, 0, TURN_OCTETS, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      const text = torn + chunk.toString("latin1", 0, bytesRead);
      const end = text.lastIndexOf("\n") + 1;
      torn = text.slice(end);
      if (end > 0) this.#takeLines(text.slice(0, end));
    }
    // Not even the header is whole.
    if (this.#offset === 0) this.#damaged = true;
  }

  /** Takes whole lines as they stand in the file after `#offset`; one character is one octet. */
  #takeLines(text: string): void {
    let from = 0;
    if (this.#offset === 0) {
      if (text.startsWith(HEADER)) from = HEADER.length;
      else this.#damaged = true;
      this.#refuseNewerVersion(text.slice(0, text.indexOf("\n")));
    }
    for (let end; (end = text.indexOf("\n", from)) >= 0; from = end + 1) {
      if (!this.list.apply(text.slice(from, end))) this.#damaged = true;
    }
    this.#offset += text.length;
    this.#witness = (this.#witness + text.slice(-WITNESS_OCTETS)).slice(-WITNESS_OCTETS);
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
  async append(lines: string, durable: boolean): Promise<boolean> {
    const handle = await openOwnFile(this.path, constants.O_RDWR | constants.O_APPEND);
    try {
      if (!await this.#cutTornLine(handle)) return false;
      await writeAll(handle, lines);
      if (durable) await handle.datasync();
      const found = await handle.stat();
      if (found.size !== this.#offset + lines.length) return false;
      for (let from = 0; from < lines.length; await nextTurn()) {
        const end = lines.indexOf("\n", Math.min(from + TURN_OCTETS, lines.length - 1)) + 1;
        this.#takeLines(lines.slice(from, end));
        from = end;
      }
      this.#isNow(factsOf(found));
      return true;
    } finally {
      await handle.close();
    }
  }

  /** Leaves the file ending where we read up to; false if it holds whole lines that we do not know. */
  async #cutTornLine(handle: FileHandle): Promise<boolean> {
    const { size } = await handle.stat();
    if (size === this.#offset) return size > 0;
    if (size < this.#offset) return false;
    const tail = Buffer.alloc(size - this.#offset);
    await handle.read(tail, 0, tail.length, this.#offset);
    if (tail.includes(0x0a)) return false;
    await handle.truncate(this.#offset);
    return this.#offset > 0;
  }
}

/** Writes text whose characters are octets. */
export async function writeAll(handle: FileHandle, text: string): Promise<void> {
  const octets = Buffer.from(text, "latin1");
  for (let at = 0; at < octets.length;) {
    const { bytesWritten } = await handle.write(octets, at, octets.length - at);
    at += bytesWritten;
  }
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
    await handle.datasync();
  } catch (error) {
    if (!["EROFS", "EINVAL", "ENOTSUP", "EBADF"].includes(errnoOf(error))) throw error;
  }
}
