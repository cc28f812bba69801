/**
 * A lock file that several processes on several hosts agree on.
 *
 * The file is made with O_CREAT|O_EXCL, which is atomic on local filesystems and on NFS since version 3.
 * Its holder writes who it is and touches it while it works. Who waits takes it over when
 * - the holder was a process of this host's running kernel and pid namespace, and is gone; or
 * - the file has not changed for `staleMs` while we watched, by our own clock (hosts' clocks differ, so
 *   no two are ever compared).
 *
 * A lock of this kind cannot be perfect: a holder that was asleep for longer than `staleMs` wakes up
 * and writes. That is why the format of the sidecar does not depend on it (rule 2 in
 * unique_id_list.ts), and why `isHeld` is asked again before a file is replaced.
 *
 * *Knows* processes and clocks. *Does not know* what is guarded.
 */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { constants, readFileSync, readlinkSync } from "node:fs";
import { link, lstat, open, rename, unlink, utimes } from "node:fs/promises";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { foreignMemory } from "../platform/foreign_functions.ts";
import { openWarm } from "../platform/warm_files.ts";
import { isMissing, openOwnFile } from "./disk.ts";
import { diskWork } from "./disk_work.ts";

/** Watched for this long without a change, a lock is taken over. */
export const LOCK_STALE_MS = 15_000;

/** How often a holder shows that it lives: several times within `LOCK_STALE_MS`. */
const TOUCH_MS = 3_000;

/** First and longest pause between two tries. */
const RETRY_MS = { first: 2, longest: 50 } as const;

export interface DotLock {
  /** Whether the file still says that we hold it. Costs one read. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

export interface DotLockOptions {
  readonly staleMs?: number;
  /** Give up after this long; undefined waits until the lock is free or stale. 0 tries once. */
  readonly waitMs?: number;
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
  const { staleMs = LOCK_STALE_MS, waitMs = Infinity } = options;
  const identity = `${holderIdentity()} ${randomBytes(8).toString("hex")}\n`;
  diskWork.locks++;
  const startedMs = performance.now();
  let watched: string | undefined;
  let watchedSinceMs = startedMs;
  for (let pauseMs: number = RETRY_MS.first;; pauseMs = Math.min(pauseMs * 2, RETRY_MS.longest)) {
    if (await make(path, identity)) return hold(path, identity);
    const seen = await look(path);
    if (seen?.state !== watched) {
      watched = seen?.state;
      watchedSinceMs = performance.now();
    }
    if (seen !== undefined && isStale(seen.content, performance.now() - watchedSinceMs, staleMs)) {
      await takeAway(path, seen.content);
      continue;
    }
    if (performance.now() - startedMs >= waitMs) return undefined;
    await sleep(pauseMs * (0.5 + Math.random()));
  }
}

/** Makes the lock file; false when there is one already. */
async function make(path: string, identity: string): Promise<boolean> {
  let handle;
  try {
    handle = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") return false;
    throw error;
  }
  try {
    await handle.write(identity);
    return true;
  } catch (error) {
    // A full disk: an unsigned lock would hold everybody up until it is stale.
    await unlink(path).catch(() => {});
    throw error;
  } finally {
    await handle.close();
  }
}

function hold(path: string, identity: string): DotLock {
  const touch = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, TOUCH_MS);
  touch.unref();
  const isHeld = async () => {
    try {
      return await contentOf(path) === identity;
    } catch {
      return false;
    }
  };
  return {
    isHeld,
    async release() {
      clearInterval(touch);
      if (await isHeld()) await unlink(path).catch(() => {});
    },
  };
}

/** What stands at the lock's path now, whatever it is; undefined when nothing does. */
async function look(path: string): Promise<{ state: string; content: string } | undefined> {
  try {
    const { ino, mtimeMs } = await lstat(path);
    const content = await contentOf(path).catch(() => "");
    return { state: `${ino} ${mtimeMs} ${content}`, content };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** @throws {Error} If it is gone or no file. */
async function contentOf(path: string): Promise<string> {
  const atOnce = contentAtOnce(path);
  if (atOnce !== undefined) return atOnce;
  const handle = await openOwnFile(path, constants.O_RDONLY);
  try {
    return await handle.readFile("latin1");
  } finally {
    await handle.close();
  }
}

/** Longer than any holder's identity. */
const contentMemory = foreignMemory(256);

/** Undefined says nothing at all. */
function contentAtOnce(path: string): string | undefined {
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

function isStale(content: string, unchangedMs: number, staleMs: number): boolean {
  return unchangedMs >= staleMs || isDeadHere(content);
}

/**
 * Takes a stale lock file out of the way. Two waiters may do so at once, and the second could move away
 * what a third has just made: then what was moved is not what was watched, and it is put back.
 */
async function takeAway(path: string, content: string): Promise<void> {
  const aside = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  try {
    const moved = await contentOf(aside).catch(() => "");
    if (moved !== content) await link(aside, path).catch(() => {});
  } finally {
    await unlink(aside).catch(() => {});
  }
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
  return startOf(Number(pid)) !== start;
}
