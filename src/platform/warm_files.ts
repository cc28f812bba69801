/**
 * Files that the system has in memory already: looked at, opened and read at once, on this thread.
 *
 * The runtimes' own asynchronous calls cost some ten times the work itself, for a thread's wait that is
 * not needed where names and pages are in the caches. Linux can say so instead of waiting: openat2 with
 * RESOLVE_CACHED (since 5.12), preadv2 with RWF_NOWAIT. What would have to wait, is not there, fails in
 * any way, or cannot be asked for here, is `undefined` for all of it: the caller then takes the ordinary
 * way, which waits without holding anybody up and says what is the matter.
 *
 * Only for filesystems of this machine: on another machine's, even what is cached may be asked about
 * there, for as long as that one does not answer.
 *
 * *Knows*: system calls. *Does not know*: what the files are.
 */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { statfs } from "node:fs/promises";
import { endianness } from "node:os";
import process from "node:process";
import { addressOf, foreignMemory, openLibrary } from "./foreign_functions.ts";
import { deviceNumber, deviceOf, mountTable } from "./mount_table.ts";
import type { FileStats } from "./open_file.ts";

/** What is known of a file or folder; times in milliseconds since 1970, with fractions. */
export interface FileFacts {
  readonly kind: "file" | "folder" | "other";
  readonly octets: number;
  readonly inode: number;
  /** The device of its filesystem, as a mount table tells it (mount_table.ts). */
  readonly device: number;
  /** The last change of what is in it. */
  readonly modifiedMs: number;
  /** The last change of it or of what is said about it. */
  readonly changedMs: number;
  /** The user and the group that it belongs to, by their numbers. */
  readonly userId: number;
  readonly groupId: number;
}

/** The facts as `node:fs` tells them: the same as `warmFacts` does for the same state. */
export function factsOf(stats: FileStats): FileFacts {
  const { size, ino, dev, mtimeMs, ctimeMs, uid, gid } = stats;
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other";
  return {
    kind,
    octets: size,
    inode: ino,
    device: deviceOf(dev),
    modifiedMs: mtimeMs,
    changedMs: ctimeMs,
    userId: uid,
    groupId: gid,
  };
}

/** A file that was opened by `openWarm`. Its owner closes it. */
export interface WarmFile {
  readonly facts: FileFacts;
  /** By which `node:fs` can open the same file again, whatever has become of its name. */
  readonly path: string;
  /**
   * Reads octets from `position` on into `target`, whose memory must be `foreignMemory`'s or WebAssembly's.
   * Returns how many, 0 at the end, or undefined if they are not at hand.
   */
  read(target: Uint8Array, position: number): number | undefined;
  close(): void;
}

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_STATX_DONT_SYNC = 0x4000;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const RESOLVE_CACHED = 0x20n;
const RESOLVE_NO_SYMLINKS = 0x04n;
const RWF_NOWAIT = 8;
/** The number of openat2, which the C library has no function for, on every kind of machine. */
const SYS_OPENAT2 = 437;
const STATX_BASIC_STATS = 0x7ff;
const STATX_TYPE_AND_SIZE = 0x201;

const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | O_CLOEXEC;
const LOOK = O_PATH | O_CLOEXEC;
const LOOK_AT_LINK = LOOK | constants.O_NOFOLLOW;

const LOOK_AT_LINK_FLAGS = BigInt(LOOK_AT_LINK);

/** Linux's PATH_MAX, its NUL included. */
const PATH_OCTETS = 4_096;

/** statx(2): where the fields stand in its struct. */
const STATX = {
  octets: 256,
  userId: 20,
  groupId: 24,
  mode: 28,
  inode: 32,
  size: 40,
  changed: 96,
  modified: 112,
  device: 136,
};

/**
 * Filesystems whose names and pages are this machine's, as the table of mounts calls them. An overlay is not
 * there: what lies below may be anything.
 */
const LOCAL_KINDS = new Set(
  ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "bcachefs", "zfs", "tmpfs", "ramfs"],
);

/** The same by their numbers in statfs(2), for those whose parts have devices that the table does not know. */
const LOCAL_TYPES = new Set(
  [0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0xca451a4e, 0x2fc12fc1, 0x01021994, 0x858458f6],
);

/**
 * How long a device is known for what it is, ms: numbers of filesystems without a disk of their own are
 * given to others after an unmount.
 */
const KNOWN_MS = 60_000;

/** What warm calls there are; undefined where the system has none. */
const calls = openCalls();

function openCalls() {
  if (process.platform !== "linux" || endianness() !== "LE") return undefined;
  try {
    return openLibrary(["libc.so.6"], {
      syscall: { takes: ["size", "i32", "buffer", "buffer", "size"], gives: "i32" },
      statx: { takes: ["i32", "buffer", "i32", "u32", "buffer"], gives: "i32" },
      preadv2: { takes: ["i32", "buffer", "i32", "size", "i32"], gives: "i32" },
      close: { takes: ["i32"], gives: "i32" },
    }).functions;
  } catch {
    return undefined;
  }
}

const pathOctets = Buffer.from(foreignMemory(PATH_OCTETS).buffer);
const noPath = foreignMemory(1);
/** struct open_how: flags, mode, resolve. */
const openHow = new BigUint64Array(foreignMemory(24).buffer);
const openHowOctets = new Uint8Array(openHow.buffer);
openHow[2] = RESOLVE_CACHED;
const statxOctets = foreignMemory(STATX.octets);
const statxFields = new DataView(statxOctets.buffer);
/** struct iovec: address, length. */
const vector = new BigUint64Array(foreignMemory(16).buffer);
const vectorOctets = new Uint8Array(vector.buffer);

/**
 * What is known of the file or folder at `path`, the last link in it followed only if `follow` says so.
 * Undefined says nothing at all.
 */
export function warmFacts(
  path: string | Uint8Array,
  { follow }: { readonly follow: boolean },
): FileFacts | undefined {
  return factsByOpening(path, openCached(path, follow ? LOOK : LOOK_AT_LINK));
}

/** The same for a path that leads through no symbolic link. Undefined says nothing at all. */
export function warmFactsWithoutLinks(path: string): FileFacts | undefined {
  return factsByOpening(path, openWithoutLinks(path));
}

/** Whether a path, on whatever filesystem, is there and leads through no symbolic link; false says nothing. */
export function isLinkFree(path: string): boolean {
  const fd = openWithoutLinks(path);
  if (fd === undefined) return false;
  calls!.close(fd);
  return true;
}

function openWithoutLinks(path: string): number | undefined {
  openHow[2] = RESOLVE_CACHED | RESOLVE_NO_SYMLINKS;
  const fd = openCached(path, LOOK);
  openHow[2] = RESOLVE_CACHED;
  return fd;
}

function factsByOpening(path: string | Uint8Array, fd: number | undefined): FileFacts | undefined {
  if (calls === undefined || fd === undefined) return undefined;
  const facts = lookAt(fd);
  calls.close(fd);
  if (facts === undefined) return undefined;
  return isLocal(deviceSeen(), path) ? facts : undefined;
}

/**
 * Opens a plain file for reading; undefined says nothing at all. To be asked only for what is in a folder
 * that `warmFacts` has just told of, so that the open itself waits for nobody.
 */
export function openWarm(path: string | Uint8Array): WarmFile | undefined {
  const fd = openCached(path, READ);
  if (calls === undefined || fd === undefined) return undefined;
  const facts = lookAt(fd);
  if (facts?.kind === "file" && isLocal(deviceSeen(), path)) return new OpenFile(fd, facts);
  calls.close(fd);
  return undefined;
}

/** A folder that was opened by `openWarmFolder`. Its owner closes it. */
export interface WarmFolder {
  /**
   * Octets of the plain file whose name stands before `end` in `name`, which has room for one octet more;
   * "other" for what is there and no plain file. Undefined says nothing at all.
   */
  octetsOf(name: Uint8Array, end: number): number | "other" | undefined;
  close(): void;
}

/** Opens a folder, for looks at many of its files; undefined says nothing at all. */
export function openWarmFolder(path: string): WarmFolder | undefined {
  const fd = openCached(path, LOOK);
  if (calls === undefined || fd === undefined) return undefined;
  const facts = lookAt(fd);
  if (facts?.kind === "folder" && isLocal(deviceSeen(), path)) return new OpenFolder(fd);
  calls.close(fd);
  return undefined;
}

class OpenFolder implements WarmFolder {
  readonly #fd: number;
  /** As it is in the answers about the folder: another one's files are not of this filesystem. */
  readonly #deviceLow = statxFields.getUint32(STATX.device, true);
  readonly #deviceHigh = statxFields.getUint32(STATX.device + 4, true);

  constructor(fd: number) {
    this.#fd = fd;
  }

  octetsOf(name: Uint8Array, end: number): number | "other" | undefined {
    name[end] = 0;
    openHow[0] = LOOK_AT_LINK_FLAGS;
    const fd = calls!.syscall(SYS_OPENAT2, this.#fd, name, openHowOctets, openHowOctets.length);
    if (fd < 0) return undefined;
    const flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
    const failed = calls!.statx(fd, noPath, flags, STATX_TYPE_AND_SIZE, statxOctets) !== 0;
    calls!.close(fd);
    if (failed || statxFields.getUint32(STATX.device, true) !== this.#deviceLow) return undefined;
    if (statxFields.getUint32(STATX.device + 4, true) !== this.#deviceHigh) return undefined;
    const type = statxFields.getUint16(STATX.mode, true) & constants.S_IFMT;
    return type === constants.S_IFREG ? wholeNumberAt(STATX.size) : "other";
  }

  close(): void {
    calls!.close(this.#fd);
  }
}

class OpenFile implements WarmFile {
  readonly facts: FileFacts;
  readonly #fd: number;

  constructor(fd: number, facts: FileFacts) {
    this.#fd = fd;
    this.facts = facts;
  }

  get path(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  read(target: Uint8Array, position: number): number | undefined {
    vector[0] = addressOf(target);
    vector[1] = BigInt(target.length);
    const octets = calls!.preadv2(this.#fd, vectorOctets, 1, position, RWF_NOWAIT);
    return octets < 0 ? undefined : octets;
  }

  close(): void {
    calls!.close(this.#fd);
  }
}

function openCached(path: string | Uint8Array, flags: number): number | undefined {
  if (calls === undefined || !putPath(path)) return undefined;
  openHow[0] = BigInt(flags);
  const fd = calls.syscall(SYS_OPENAT2, AT_FDCWD, pathOctets, openHowOctets, openHowOctets.length);
  return fd < 0 ? undefined : fd;
}

/** Puts a path where the calls find it, ended by NUL; false if it is none that they can take. */
function putPath(path: string | Uint8Array): boolean {
  let end: number;
  if (typeof path === "string") {
    // A character has at most three octets for each of its units.
    if (path.length * 3 >= PATH_OCTETS && Buffer.byteLength(path) >= PATH_OCTETS) return false;
    if (path.includes("\0")) return false;
    end = pathOctets.write(path, 0, "utf8");
  } else {
    if (path.length >= PATH_OCTETS || path.includes(0)) return false;
    pathOctets.set(path);
    end = path.length;
  }
  pathOctets[end] = 0;
  return true;
}

function lookAt(fd: number): FileFacts | undefined {
  const flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  if (calls!.statx(fd, noPath, flags, STATX_BASIC_STATS, statxOctets) !== 0) return undefined;
  const type = statxFields.getUint16(STATX.mode, true) & constants.S_IFMT;
  return {
    kind: type === constants.S_IFREG ? "file" : type === constants.S_IFDIR ? "folder" : "other",
    octets: wholeNumberAt(STATX.size),
    inode: wholeNumberAt(STATX.inode),
    device: deviceSeen(),
    modifiedMs: timeMsAt(STATX.modified),
    changedMs: timeMsAt(STATX.changed),
    userId: statxFields.getUint32(STATX.userId, true),
    groupId: statxFields.getUint32(STATX.groupId, true),
  };
}

function wholeNumberAt(offset: number): number {
  const low = statxFields.getUint32(offset, true);
  return statxFields.getUint32(offset + 4, true) * 0x1_0000_0000 + low;
}

function timeMsAt(offset: number): number {
  // Seconds are signed: a file may be older than 1970, or say so.
  const seconds = statxFields.getInt32(offset + 4, true) * 0x1_0000_0000 +
    statxFields.getUint32(offset, true);
  return seconds * 1_000 + statxFields.getUint32(offset + 8, true) / 1_000_000;
}

/** The device of what `lookAt` saw last. */
function deviceSeen(): number {
  const major = statxFields.getUint32(STATX.device, true);
  return deviceNumber(major, statxFields.getUint32(STATX.device + 4, true));
}

interface Device {
  readonly local: boolean;
  readonly untilMs: number;
}

const devices = new Map<number, Device | "asked">();

/** Questions that are not answered yet. */
const questions = new Map<number, Promise<void>>();

/**
 * Waits until it is known whether the filesystem that `path` is on is this machine's: worth it before many
 * of its files are looked at.
 */
export async function filesystemKnown(path: string): Promise<void> {
  const fd = openCached(path, LOOK);
  if (calls === undefined || fd === undefined) return;
  const facts = lookAt(fd);
  calls.close(fd);
  if (facts === undefined) return;
  const device = deviceSeen();
  if (!isLocal(device, path)) await questions.get(device);
}

/**
 * Whether a device is this machine's. The table of mounts tells without waiting. Of a device that it does not
 * have, such as a part of a Btrfs, the filesystem is asked, which may take long: that is done besides, and
 * meanwhile it is not known for one.
 */
export function isLocal(device: number, path: string | Uint8Array): boolean {
  const known = devices.get(device);
  if (known === "asked") return false;
  if (known !== undefined && performance.now() < known.untilMs) return known.local;
  const mount = mountTable.mountOfDevice(device);
  if (mount !== undefined) {
    const local = LOCAL_KINDS.has(mount.kind);
    devices.set(device, { local, untilMs: performance.now() + KNOWN_MS });
    return local;
  }
  devices.set(device, "asked");
  const answered = statfs(path as string).then(
    ({ type }) => {
      const local = LOCAL_TYPES.has(type >>> 0);
      devices.set(device, { local, untilMs: performance.now() + KNOWN_MS });
    },
    () => void devices.delete(device),
  ).finally(() => questions.delete(device));
  questions.set(device, answered);
  return false;
}
