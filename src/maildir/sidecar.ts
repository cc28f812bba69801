/**
 * The sidecar file on disk: reading what others added, and appending.
 *
 * Reading takes no lock: only whole lines count and they are never altered. Writing is done by who
 * holds the dot lock. *Knows* the file. The text is unique_id_list.ts's, replacing the file is
 * sidecar_rewrite.ts's, and who gets an id is mailbox.ts's.
 */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { StorageFailure } from "../maildrop/store.ts";
import { factsOf, type FileFacts, warmFacts } from "../platform/warm_files.ts";
import { diskWork } from "./disk_work.ts";
import { DiskTimeout, isMissing } from "./disk.ts";
import type { DiskFile } from "./disk_file.ts";
import { isReplacedElsewhere, isSettled, ListDurability } from "./list_durability.ts";
import type { MailboxDisk } from "./mailbox_disk.ts";
import { readFully, ReadPart, TURN_OCTETS } from "./read_part.ts";
import { UniqueIdLines } from "./unique_id_lines.ts";
import { HEADER, UniqueIdList } from "./unique_id_list.ts";

export const SIDECAR_NAME = "popkeep-uidlist";

const LF = 0x0a;

/**
 * Another host may put another list in place while it is read; then it is read again, after so long, ms. The client
 * of a shared filesystem may go on naming the one that is gone for a second or two.
 */
const NEXT_READING_MS = [0, 50, 300, 1_000, 2_000] as const;

/** A line that is longer is none that popkeep wrote, nor one to keep in memory. */
const LONGEST_LINE_OCTETS = 16_777_216;

/** Octets that a message takes in the file, at least: to make room before they are read. */
const MESSAGE_OCTETS = 72;

/** Whatever the file holds, room is made for no more messages than this before it is read. */
const MOST_RESERVED = 1_000_000;

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
  readonly disk: MailboxDisk;
  readonly mailboxPath: string;
  readonly path: string;
  /** What the file says, or said before it vanished: the next rewrite puts that back. */
  list = new UniqueIdList();
  readonly durability: ListDurability;
  /** The whole lines that are in `list`. */
  #read = new ReadPart();
  /** How long that was when callers were told last: a reading that failed half-way has told nobody. */
  #toldOctets = 0;
  /** The file as it was at the last reading; "none" when there was none, undefined before. */
  #facts: FileFacts | "none" | undefined;
  /** The same as `warmFacts` tells it: a runtime's own calls may be less exact about times. */
  #factsAtOnce: FileFacts | undefined;
  #damaged = false;

  constructor(disk: MailboxDisk) {
    this.disk = disk;
    this.mailboxPath = disk.path;
    this.path = `${disk.path}/${SIDECAR_NAME}`;
    this.durability = new ListDurability(disk);
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
    return this.#read.octets > 0;
  }

  /** Whether the file ended with part of a line at the last look. */
  get hasTornEnd(): boolean {
    return this.exists && (this.#facts as FileFacts).octets > this.#read.octets;
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
      const found = factsOf(await this.disk.lstat(this.path));
      if (this.#isAsRead(found)) {
        // That look came before this one, so it saw the same file.
        this.#factsAtOnce = atOnce;
        return "unchanged";
      }
    } catch (error) {
      if (isMissing(error)) return this.#vanished();
      throw error;
    }
    for (const pauseMs of NEXT_READING_MS) {
      try {
        return await this.refreshFromFile();
      } catch (error) {
        if (!isReplacedElsewhere(this.disk, error)) throw error;
        await sleep(pauseMs);
      }
    }
    return await this.refreshFromFile();
  }

  #isAsRead(found: FileFacts): boolean {
    return this.#facts !== "none" && areSame(this.#facts, found);
  }

  #isAsReadAtOnce(found: FileFacts): boolean {
    return this.#isAsRead(found) || areSame(this.#factsAtOnce, found);
  }

  /** Whether it is the file that was read last. */
  #isSameInode({ inode }: FileFacts): boolean {
    return this.#facts !== undefined && this.#facts !== "none" && this.#facts.inode === inode;
  }

  /**
   * The same, but for who holds the lock and is about to write: most shared filesystems answer a look from what
   * they knew seconds ago, but not an open (close-to-open, as NFS has it). For those that do so all the same (the
   * clients of GlusterFS, for a second) see `append` and `provesRead`.
   */
  async refreshFromFile(): Promise<SidecarChange> {
    // Only a filesystem of this machine answers at once, and it has nothing that is seconds old.
    if (this.exists && this.isUnchangedAtOnce) return "unchanged";
    let file: DiskFile;
    try {
      diskWork.listOpens++;
      file = await this.disk.openOwn(this.path, constants.O_RDONLY);
    } catch (error) {
      if (isMissing(error)) return this.#vanished();
      throw error;
    }
    try {
      const stats = await file.stat();
      const found = factsOf(stats);
      if (this.#isAsRead(found)) return "unchanged";
      const hasNewName = !this.#isSameInode(found) && !isSettled(stats);
      const grown = this.hasLines && await this.#read.isBeginOf(file, found.octets);
      if (!grown && found.octets === 0) return this.#emptied(found);
      if (!grown) this.#forget();
      const messages = (found.octets - this.#read.octets) / MESSAGE_OCTETS;
      this.list.table.reserve(this.list.table.count + Math.min(Math.ceil(messages), MOST_RESERVED));
      const end = await this.#readLines(file);
      await this.durability.syncOthers(file, hasNewName);
      this.durability.reaches(this.list.next);
      // A shared filesystem may tell a size now and the octets a second later: then they are looked for again.
      this.#isNow({ ...found, octets: Math.min(found.octets, end) });
      const hasNews = this.#read.octets !== this.#toldOctets;
      this.#toldOctets = this.#read.octets;
      if (!grown) return "replaced";
      return hasNews ? "grown" : "unchanged";
    } finally {
      await file.close();
    }
  }

  #vanished(): SidecarChange {
    const change = this.exists ? "replaced" : "unchanged";
    this.#isNow("none");
    this.durability.trust();
    this.#read = new ReadPart();
    this.#toldOctets = 0;
    this.#damaged = false;
    const { table } = this.list;
    for (let row = 0; row < table.count; row++) table.forgetMisses(row);
    return change;
  }

  /** No line is in the file any more: what it said is put back, as if there were no file. */
  #emptied(found: FileFacts): SidecarChange {
    this.#vanished();
    this.#isNow(found);
    this.#damaged = true;
    return "replaced";
  }

  #isNow(facts: FileFacts | "none"): void {
    this.#facts = facts;
    this.#factsAtOnce = undefined;
  }

  #forget(): void {
    this.list = new UniqueIdList();
    this.durability.forget();
    this.#read = new ReadPart();
    this.#damaged = false;
  }

  /** Takes what stands behind the lines that were read, but for a torn last line. Returns where the file ended. */
  async #readLines(file: DiskFile): Promise<number> {
    let chunk = Buffer.allocUnsafe(TURN_OCTETS);
    for (;; await nextTurn()) {
      const octets = await readFully(file, chunk, this.#read.octets);
      const end = chunk.subarray(0, octets).lastIndexOf(LF) + 1;
      const torn = octets - end;
      if (end > 0) this.#takeLines(chunk.subarray(0, end));
      if (octets < chunk.length) {
        // Not even the header is whole.
        if (!this.hasLines) this.#damaged = true;
        return this.#read.octets + torn;
      }
      if (end > 0) continue;
      if (chunk.length >= LONGEST_LINE_OCTETS) {
        throw new StorageFailure("SYS/PERM", `"${this.path}" has a line without an end`);
      }
      chunk = Buffer.allocUnsafe(chunk.length * 4);
    }
  }

  /** Takes whole lines as they stand in the file behind those. */
  #takeLines(octets: Buffer): void {
    let from = 0;
    if (!this.hasLines) {
      const header = octets.toString("latin1", 0, octets.indexOf(LF));
      this.#refuseNewerVersion(header);
      if (`${header}\n` === HEADER) from = HEADER.length;
      else this.#damaged = true;
    }
    for (let end; (end = octets.indexOf(LF, from)) >= 0; from = end + 1) {
      if (!this.list.apply(octets.subarray(from, end))) this.#damaged = true;
    }
    this.#read.add(octets);
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
    const file = await this.disk.openOwn(this.path, constants.O_RDWR | constants.O_APPEND);
    try {
      return await this.#cutTornLine(file) && await this.#write(file, lines, durable);
    } finally {
      await file.close();
    }
  }

  /**
   * Writes the first lines into a file that the caller, who holds the lock, has just made where there was
   * none, for mail of which no message has an id yet. Durable when it returns, but for the file's name.
   *
   * Returns as `append` does.
   */
  writeFirst(file: DiskFile, lines: LinePieces): Promise<boolean> {
    this.durability.trust();
    return this.#write(file, lines, true);
  }

  /**
   * Whether all that the file says was read, which only a write proves: a shared filesystem may answer looks, and
   * even what is opened, from what it knew a second ago, but what follows a write of ours it knows anew. So a line
   * is added that says nothing new. The caller holds the lock, has just refreshed, and is about to replace the file.
   */
  async provesRead(): Promise<boolean> {
    if (!this.exists) return true;
    if (this.hasLines && !this.hasTornEnd) {
      const lines = new UniqueIdLines();
      lines.addNext(this.list.next);
      return await this.append([lines.octets], false);
    }
    const { octets } = this.#facts as FileFacts;
    const file = await this.disk.openOwn(this.path, constants.O_RDWR | constants.O_APPEND);
    try {
      await file.write(Buffer.of(LF));
      const found = factsOf(await file.stat());
      if (found.octets !== octets + 1) return false;
      await this.#readLines(file);
      this.#isNow(found);
      this.#toldOctets = this.#read.octets;
      return true;
    } finally {
      await file.close();
    }
  }

  /**
   * Has clients of a shared filesystem read the file anew, to whom it is longer than what they read of it: they go by
   * its time, which stays as it was when a host whose clock is behind has added to it. The caller holds the lock.
   */
  async renewTime(): Promise<void> {
    if (this.disk.isOfThisMachine) return;
    try {
      await this.disk.setTimes(this.path, new Date());
    } catch (error) {
      if (error instanceof DiskTimeout) throw error;
      // It is another by now, or another user's: the next reading tells.
    }
  }

  async #write(file: DiskFile, lines: LinePieces, durable: boolean): Promise<boolean> {
    const written = this.#read.copy();
    let only: Buffer | undefined;
    for await (const piece of lines) {
      only = written.octets === this.#read.octets ? piece : undefined;
      await file.write(piece);
      written.add(piece);
    }
    if (durable) await this.durability.sync(file);
    const found = factsOf(await file.stat());
    if (found.octets !== written.octets) return false;
    if ("putInto" in lines) {
      // Nobody else wrote: these lines are what stands there, and need not be read to be known.
      await lines.putInto(this.list);
      this.#read = written;
    } else if (only !== undefined && only.length <= TURN_OCTETS) this.#takeLines(only);
    // More than a piece is not kept: the file has it.
    else await this.#readLines(file);
    if (durable) this.durability.reaches(this.list.next);
    this.#isNow(found);
    this.#toldOctets = this.#read.octets;
    return this.#read.octets === written.octets;
  }

  /**
   * Leaves the file ending where we read up to; false if it holds whole lines that we do not know, or may do so: on
   * a shared filesystem nothing is cut, since a cut that comes late would take what others have appended meanwhile.
   */
  async #cutTornLine(file: DiskFile): Promise<boolean> {
    const { size } = await file.stat();
    const { octets } = this.#read;
    if (size === octets) return size > 0;
    if (size < octets) return false;
    if (!this.disk.isOfThisMachine) return false;
    const tail = Buffer.alloc(size - octets);
    if (await readFully(file, tail, octets) < tail.length || tail.includes(LF)) return false;
    await file.truncate(octets);
    return octets > 0;
  }
}

function areSame(one: FileFacts | undefined, other: FileFacts): boolean {
  return one !== undefined && one.inode === other.inode && one.octets === other.octets &&
    one.modifiedMs === other.modifiedMs && one.changedMs === other.changedMs;
}
