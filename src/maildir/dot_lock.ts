/**
 * A lock file that several processes on several hosts agree on.
 *
 * The file is made with O_CREAT|O_EXCL, which is atomic on local filesystems and on NFS since version 3.
 * Its holder writes who it is and touches it while it works. Who waits takes it over when
 * - the holder was a process of this host's running kernel and pid namespace, and is gone; or
 * - the file has not changed for `staleMs` while we watched, by our own clock (hosts' clocks differ, so
 *   no two are ever compared); or
 * - it has stood there empty for `unsignedMs`: its maker was killed before it could write who it is, which takes
 *   no longer than a call to the disk. A maker who was slower than that looks whether the lock is still his.
 *
 * A lock of this kind cannot be perfect: a holder that was asleep for longer than `staleMs` wakes up
 * and writes. That is why the format of the sidecar does not depend on it (rule 2 in
 * unique_id_list.ts), and why `isHeld` is asked again before a file is replaced.
 *
 * Where the disk does not answer, what was asked of it under the lock may still come to pass. So the lock is
 * then given up only when it answers again, and until then goes on being touched.
 *
 * *Knows* processes and clocks. *Does not know* what is guarded.
 */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { constants, readFileSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { foreignMemory } from "../platform/foreign_functions.ts";
import { openWarm, warmFacts } from "../platform/warm_files.ts";
import { DiskTimeout, errnoOf, isMissing } from "./disk.ts";
import type { DiskFile } from "./disk_file.ts";
import { diskWork } from "./disk_work.ts";
import { MailboxDisk } from "./mailbox_disk.ts";

/** Watched for this long without a change, a lock is taken over. */
export const LOCK_STALE_MS = 15_000;

/**
 * Watched for this long without a holder's name in it, too. More than clients of shared filesystems may go on
 * saying that a file is empty.
 */
export const UNSIGNED_STALE_MS = 3_000;

/** How often a holder shows that it lives: several times within `LOCK_STALE_MS`. */
const TOUCH_MS = 3_000;

/** First and longest pause between two tries. */
const RETRY_MS = { first: 2, longest: 50 } as const;

/** Not touched for so long, by the clock of whoever looks, a lock has no holder: an hour, ms. */
const LEFT_MS = 3_600_000;

/** Stale locks taken away at once, one after the other; then others are let have their turn. */
const MOST_TAKEN_AWAY = 5;

export interface DotLock {
  /** Whether a stale lock was taken away for it, whose holder may wake up yet. */
  readonly tookOver: boolean;
  /**
   * Whether the file still says that we hold it. Costs one read; on a filesystem that others share also a touch,
   * which no client answers from what it remembers of a file that is gone.
   *
   * @throws {Error} EIO, where the disk cannot tell: who takes that for a no tries again, and meets his own lock.
   */
  isHeld(): Promise<boolean>;
  /** Gives the lock up; while the disk does not answer, later. */
  release(): Promise<void>;
}

export interface DotLockOptions {
  readonly staleMs?: number;
  readonly unsignedMs?: number;
  /** Give up after this long; undefined waits until the lock is free or stale. 0 tries once. */
  readonly waitMs?: number;
  /** Of the folder that the lock is in; a new one if undefined. */
  readonly disk?: MailboxDisk;
}

interface LockFile {
  readonly disk: MailboxDisk;
  readonly path: string;
}

/**
 * Takes the lock at `path`, or returns undefined when `waitMs` ran out.
 *
 * @throws {Error} What `node:fs` says when the file cannot be made at all: ENOSPC, EROFS, EACCES, ...
 */
export async function takeDotLock(
  path: string,
  options: DotLockOptions = {},
): Promise<DotLock | undefined> {
  const { staleMs = LOCK_STALE_MS, unsignedMs = UNSIGNED_STALE_MS, waitMs = Infinity } = options;
  const { disk = new MailboxDisk(dirname(path)) } = options;
  const file: LockFile = { disk, path };
  const identity = `${holderIdentity()} ${randomBytes(8).toString("hex")}\n`;
  diskWork.locks++;
  const startedMs = performance.now();
  let watched: string | undefined;
  let watchedSinceMs = startedMs;
  let takenAway = 0;
  for (let pauseMs: number = RETRY_MS.first;; pauseMs = Math.min(pauseMs * 2, RETRY_MS.longest)) {
    const triedMs = performance.now();
    if (await make(file, identity)) {
      const isInTime = performance.now() - triedMs < unsignedMs / 3;
      const lock = hold(file, identity, { staleMs, tookOver: takenAway > 0 });
      if (isInTime || await lock.isHeld().catch(() => false)) return lock;
      await lock.release();
    }
    const seen = await look(file);
    // Taken away while it was signed, and put back.
    if (seen?.content === identity) {
      return hold(file, identity, { staleMs, tookOver: takenAway > 0 });
    }
    if (seen?.state !== watched) {
      watched = seen?.state;
      watchedSinceMs = performance.now();
    }
    const unchangedMs = performance.now() - watchedSinceMs;
    const limitMs = seen?.isUnsigned === true ? Math.min(unsignedMs, staleMs) : staleMs;
    if (seen !== undefined && (unchangedMs >= limitMs || isDeadHere(seen.content))) {
      await takeAway(file, seen);
      if (++takenAway < MOST_TAKEN_AWAY) continue;
    }
    if (performance.now() - startedMs >= waitMs) return undefined;
    await sleep(pauseMs * (0.5 + Math.random()));
  }
}

/**
 * Whether a lock file was left by somebody who is gone: by a process of this machine that has ended, or by whom
 * nothing was heard of for so long that clocks of hosts are not to blame. Changes nothing.
 *
 * @throws {Error} What `node:fs` says.
 */
export async function isLeftLock(path: string, { disk }: { disk: MailboxDisk }): Promise<boolean> {
  const seen = await look({ disk, path });
  if (seen === undefined) return false;
  if (isDeadHere(seen.content)) return true;
  const found = await disk.lstat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > LEFT_MS;
}

/** Makes the lock file; false when there is one already. */
async function make({ disk, path }: LockFile, identity: string): Promise<boolean> {
  let made: DiskFile;
  try {
    const { O_CREAT, O_EXCL, O_WRONLY } = constants;
    const late = (file: DiskFile) => void takeBack({ disk, path }, file);
    made = await disk.open(path, O_CREAT | O_EXCL | O_WRONLY, { mode: 0o600, late });
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
  try {
    await made.write(Buffer.from(identity, "latin1"));
  } catch (error) {
    // A full disk: an unsigned lock would hold everybody up until it is stale.
    await takeBack({ disk, path }, made);
    throw error;
  }
  await made.close();
  return true;
}

/** Removes a lock file that we made and do not hold, if it is still the one that stands there. */
async function takeBack({ disk, path }: LockFile, made: DiskFile): Promise<void> {
  await disk.eventually(async () => {
    const { ino } = await made.stat();
    if ((await disk.lstat(path)).ino === ino) await disk.unlink(path);
  });
  await made.close().catch(() => {});
}

function hold(
  file: LockFile,
  identity: string,
  { staleMs, tookOver }: { readonly staleMs: number; readonly tookOver: boolean },
): DotLock {
  const heldSinceMs = performance.now();
  const { disk, path } = file;
  const touching = { isOn: false };
  const touch = setInterval(() => disk.touch(path, touching), TOUCH_MS);
  touch.unref();
  const isOurs = async () => await contentOf(file) === identity;
  return {
    tookOver,
    async isHeld() {
      try {
        if (!isShared(file)) return await isOurs();
        await disk.setTimes(path, new Date());
        return await isOurs();
      } catch (error) {
        if (errnoOf(error) === "EIO") throw error;
        return false;
      }
    },
    async release() {
      await disk.eventually(async () => {
        try {
          if (await isOurs()) await disk.unlink(path);
        } catch (error) {
          unlessTimeout(error);
          // Nobody can have watched it for long enough to take it over, so it is ours, unread.
          const isYoung = performance.now() - heldSinceMs < staleMs / 2;
          if (errnoOf(error) === "EIO" && isYoung) await disk.unlink(path).catch(unlessTimeout);
        }
        clearInterval(touch);
      });
    },
  };
}

interface Seen {
  readonly state: string;
  readonly inode: number;
  /** Empty where it cannot be read. */
  readonly content: string;
  /** Whether it is a file with nothing in it. */
  readonly isUnsigned: boolean;
  /** Whether something is in it that the disk does not tell. */
  readonly isUnreadable: boolean;
  readonly mtimeMs: number;
}

/** What stands at the lock's path now, whatever it is; undefined when nothing does. */
async function look(file: LockFile): Promise<Seen | undefined> {
  try {
    const found = await file.disk.lstat(file.path);
    const { ino, mtimeMs } = found;
    const content = await contentOf(file).catch(emptyUnlessTimeout);
    const isUnsigned = content === "" && found.size === 0 && found.isFile();
    const isUnreadable = content === "" && !isUnsigned;
    const state = `${ino} ${mtimeMs} ${content}`;
    return { state, inode: ino, content, isUnsigned, isUnreadable, mtimeMs };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function emptyUnlessTimeout(error: unknown): string {
  unlessTimeout(error);
  return "";
}

function unlessTimeout(error: unknown): void {
  if (error instanceof DiskTimeout) throw error;
}

/** @throws {Error} If it is gone or no file. */
async function contentOf(lock: LockFile): Promise<string> {
  const { disk, path } = lock;
  const atOnce = contentAtOnce(lock);
  if (atOnce !== undefined) return atOnce;
  const file = await disk.openOwn(path, constants.O_RDONLY);
  try {
    return await file.readText();
  } finally {
    await file.close();
  }
}

/** Whether it is not known that only this machine writes there. */
function isShared({ disk }: LockFile): boolean {
  return warmFacts(disk.path, { follow: true }) === undefined;
}

/** Longer than any holder's identity. */
const contentMemory = foreignMemory(256);

/** Undefined says nothing at all. */
function contentAtOnce(lock: LockFile): string | undefined {
  const { path } = lock;
  // On a filesystem that is not this machine's the open itself would wait for another one.
  if (isShared(lock)) return undefined;
  const file = openWarm(path);
  if (file === undefined) return undefined;
  try {
    const octets = file.read(contentMemory, 0);
    if (octets === undefined || octets === contentMemory.length) return undefined;
    return Buffer.from(contentMemory.buffer, 0, octets).toString("latin1");
  } finally {
    file.close();
  }
}

/**
 * Takes a stale lock file out of the way. Two waiters may do so at once, and the second could move away
 * what a third has just made: then what was moved is not what was watched, and it is put back.
 */
async function takeAway({ disk, path }: LockFile, watched: Seen): Promise<void> {
  const aside = `${path}.${randomBytes(8).toString("hex")}`;
  const settle = () =>
    disk.eventually(async () => {
      const moved = await look({ disk, path: aside });
      if (moved === undefined) return;
      const isSameFile = moved.inode === watched.inode && moved.mtimeMs === watched.mtimeMs;
      const isWatched = watched.isUnreadable ? isSameFile : moved.content === watched.content &&
        (moved.content !== "" || moved.inode === watched.inode);
      if (!isWatched) await disk.link(aside, path).catch(emptyUnlessTimeout);
      await disk.unlink(aside);
    });
  try {
    await disk.rename(path, aside);
  } catch (error) {
    if (isMissing(error)) return;
    // It may still come to pass.
    if (error instanceof DiskTimeout) void settle();
    throw error;
  }
  await settle();
}

let ownIdentity: string | undefined;

/** Who we are: kernel boot, pid namespace, pid, and when that pid started. */
function holderIdentity(): string {
  ownIdentity ??= `${kernelIdentity()} ${process.pid} ${startOf(process.pid) ?? "-"}`;
  return ownIdentity;
}

/** One running kernel's one pid namespace, where pids can be compared; "-" where /proc cannot tell. */
function kernelIdentity(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${boot}/${readlinkSync("/proc/self/ns/pid").replace(/[^0-9]/g, "")}`;
  } catch {
    return "-";
  }
}

/** When the process started, in clock ticks since boot: tells a process from a later one with its pid. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command name may hold spaces and parentheses; fields are counted after its last ")".
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function isDeadHere(content: string): boolean {
  const [kernel, pid, start] = content.trim().split(" ");
  if (kernel === undefined || kernel === "-" || kernel !== kernelIdentity()) return false;
  if (pid === undefined || !/^[0-9]+$/.test(pid)) return false;
  const seen = startOf(Number(pid));
  return seen === undefined ? !mayBeRunning(Number(pid)) : seen !== start;
}

/** Whether there may be a process that /proc does not show: systemd's ProtectProc hides those of other users. */
function mayBeRunning(pid: number): boolean {
  if (startOf(1) !== undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== "ESRCH";
  }
}
