/**
 * The sidecar file on disk: reading what others added, appending, replacing.
 *
 * Reading takes no lock: only whole lines count and they are never altered. Writing is done by who
 * holds the dot lock. *Knows* the file. The text is unique_id_list.ts's; who gets an id is mailbox.ts's.
 */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { chown, mkdir, open, rename, stat, unlink } from "node:fs/promises";
import process from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { StorageFailure } from "../maildrop/store.ts";
import { isMissing, retryStale } from "./disk.ts";
import type { DotLock } from "./dot_lock.ts";
import type { Entry } from "./unique_id_list.ts";
import {
  encodeMessage,
  encodeMissing,
  encodeNext,
  HEADER,
  UniqueIdList,
} from "./unique_id_list.ts";

const log = getLogger(["popkeep", "maildir"]);

export const SIDECAR_NAME = "popkeep-uidlist";

/** Read at a time, so that parsing a very long list lets other sessions have their turn. */
const READ_OCTETS = 262_144;

/** Octets before the place that was read up to, compared to see that the file is still the same one. */
const WITNESS_OCTETS = 64;

/**
 * A message that is missing keeps its id for this long: a listing may miss a file that is being
 * renamed, and a mailbox may be put back.
 */
const MISSING_GRACE_S = 3_600;

/** Below this many useless lines a compaction is not worth its fsync. */
const COMPACT_LINES = 64;

export type SidecarChange = "unchanged" | "grown" | "replaced";

export class Sidecar {
  readonly #mailboxPath: string;
  readonly #path: string;
  /** Empty until read, and after the file was found missing or replaced. */
  list = new UniqueIdList();
  /** Whole lines up to here are in `list`. */
  #offset = 0;
  #witness = "";
  /** Inode, size and times at the last reading; "" when there was no file. */
  #identity: string | undefined;
  /** Something in the file is no line of the format; a rewrite mends it. */
  #damaged = false;

  constructor(mailboxPath: string) {
    this.#mailboxPath = mailboxPath;
    this.#path = `${mailboxPath}/${SIDECAR_NAME}`;
  }

  get lockPath(): string {
    return `${this.#path}.lock`;
  }

  /** Whether there was a file at the last `refresh`. */
  get exists(): boolean {
    return this.#identity !== undefined && this.#identity !== "";
  }

  get damaged(): boolean {
    return this.#damaged;
  }

  /** Brings `list` up to what the file says. Costs one stat when nothing changed. */
  async refresh(): Promise<SidecarChange> {
    const identity = await this.#identify();
    if (identity === this.#identity) return "unchanged";
    if (identity === "") {
      const first = this.#identity === undefined;
      this.#identity = "";
      this.#offset = 0;
      this.#witness = "";
      // What this process remembers of a file that vanished stays in `list`, and the
      // next rewrite puts it back.
      return first ? "unchanged" : "replaced";
    }
    const handle = await retryStale(() => open(this.#path, constants.O_RDONLY));
    try {
      const grown = this.#offset > 0 && await this.#isSameFile(handle);
      if (!grown) this.#forget();
      await this.#readLines(handle);
      this.#identity = identity;
      return grown ? "grown" : "replaced";
    } finally {
      await handle.close();
    }
  }

  async #identify(): Promise<string> {
    try {
      const { ino, size, mtimeMs, ctimeMs } = await retryStale(() => stat(this.#path));
      return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    } catch (error) {
      if (isMissing(error)) return "";
      throw error;
    }
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
    const chunk = Buffer.allocUnsafe(READ_OCTETS);
    let torn = "";
    for (let position = this.#offset;; await nextTurn()) {
      const { bytesRead } = await handle.read(chunk, 0, READ_OCTETS, position);
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
    const lines = text.split("\n");
    lines.pop();
    let first = 0;
    if (this.#offset === 0) {
      first = lines[0] === HEADER.trimEnd() ? 1 : 0;
      if (first === 0) this.#damaged = true;
      this.#refuseNewerVersion(lines[0] ?? "");
    }
    for (let i = first; i < lines.length; i++) {
      if (!this.list.apply(lines[i] as string)) this.#damaged = true;
    }
    this.#offset += text.length;
    this.#witness = (this.#witness + text).slice(-WITNESS_OCTETS);
  }

  /** A file of a later popkeep may say things that a rebuild by this one would lose. */
  #refuseNewerVersion(header: string): void {
    const version = /^popkeep-uidlist ([0-9]{1,9})$/.exec(header)?.[1];
    if (version !== undefined && version !== "1") {
      throw new StorageFailure(
        "SYS/PERM",
        `${this.#path} is of version ${version}; this popkeep knows version 1`,
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
    const handle = await open(this.#path, constants.O_RDWR | constants.O_APPEND);
    try {
      if (!await this.#cutTornLine(handle)) return false;
      await writeAll(handle, Buffer.from(lines, "latin1"));
      if (durable) await handle.datasync();
      const { ino, size, mtimeMs, ctimeMs } = await handle.stat();
      if (size !== this.#offset + lines.length) return false;
      this.#takeLines(lines);
      this.#identity = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
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

  /** Whether enough of the file says nothing any more that a shorter one should replace it. */
  needsCompaction(nowMs: number): boolean {
    if (this.#damaged) return true;
    const nowS = Math.floor(nowMs / 1000);
    let useless = this.list.spareLines;
    for (const entry of this.list.entries) {
      if (isDead(entry, nowS)) useless++;
    }
    return useless >= COMPACT_LINES && useless * 2 >= this.list.entries.length;
  }

  /**
   * Replaces the file by one that holds what is in force, and `more` after it. The caller holds the
   * lock and has just refreshed. Durable when it returns; a crash at any point leaves the old file or
   * the new one.
   *
   * Returns false, having replaced nothing, when the lock was lost meanwhile.
   */
  async rewrite(lock: DotLock, nowMs: number, more = ""): Promise<boolean> {
    const text = HEADER + encodeNext(this.list.next) + this.#entriesInForce(nowMs) + more;
    const folder = `${this.#mailboxPath}/tmp`;
    const made = `${folder}/${SIDECAR_NAME}.${process.pid}.${randomBytes(8).toString("hex")}`;
    await mkdir(folder, { mode: 0o700 }).catch((error) => {
      if ((error as { code?: string }).code !== "EEXIST") throw error;
    });
    try {
      const handle = await open(
        made,
        constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
        0o600,
      );
      try {
        await writeAll(handle, Buffer.from(text, "latin1"));
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await this.#giveToOwner(made);
      if (!await lock.isHeld()) return false;
      if (this.#damaged) await this.#keepDamaged();
      await rename(made, this.#path);
    } finally {
      await unlink(made).catch(() => {});
    }
    await syncFolder(this.#mailboxPath);
    return true;
  }

  #entriesInForce(nowMs: number): string {
    const nowS = Math.floor(nowMs / 1000);
    const lines: string[] = [];
    for (const entry of this.list.entries) {
      if (isDead(entry, nowS)) continue;
      lines.push(encodeMessage(entry));
      if (entry.folder === undefined) {
        lines.push(encodeMissing(entry, entry.missingSinceS ?? nowS));
      }
    }
    return lines.join("");
  }

  /** A server that runs as root makes files that belong to the mailbox's owner. */
  async #giveToOwner(path: string): Promise<void> {
    if (process.getuid?.() !== 0) return;
    const { uid, gid } = await stat(this.#mailboxPath);
    if (uid !== 0 || gid !== 0) await chown(path, uid, gid);
  }

  /** A damaged file is put aside, once, for whoever wants to know what happened to it. */
  async #keepDamaged(): Promise<void> {
    const kept = `${this.#path}.damaged`;
    log.warn("unique-id list was damaged; rebuilt from what is readable", {
      mailbox: this.#mailboxPath,
      kept,
    });
    await rename(this.#path, kept).catch(() => {});
  }
}

/** True for an entry that no longer needs a line: its message is removed, or missing for long enough. */
function isDead(entry: Entry, nowS: number): boolean {
  if (entry.folder !== undefined) return false;
  if (entry.removed) return true;
  return entry.missingSinceS !== undefined && nowS - entry.missingSinceS > MISSING_GRACE_S;
}

async function writeAll(handle: FileHandle, octets: Buffer): Promise<void> {
  for (let at = 0; at < octets.length;) {
    const { bytesWritten } = await handle.write(octets, at, octets.length - at);
    at += bytesWritten;
  }
}

/** Makes a rename in the folder durable. Filesystems that cannot sync a folder do it by themselves. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EBADF"].includes((error as { code?: string }).code ?? "")) {
      throw error;
    }
  } finally {
    await handle.close();
  }
}
