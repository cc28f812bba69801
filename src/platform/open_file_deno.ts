/**
 * Open files under Deno, for open_file.ts. Needs --allow-ffi.
 *
 * Deno's own writes to an open file, and its closes, are made on the thread that asks; for its other calls it
 * makes a second descriptor, which it closes on that thread: and a filesystem in user space is asked at each
 * close. So the system's own functions are called here, on a thread that may wait. They leave what went wrong
 * in `errno` of that thread, which cannot be asked for: a call that failed is made once more by Deno, which
 * says what the matter is; that one may wait, but the filesystem has just answered.
 */

import { Buffer } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import type { FileStats, OpenFile } from "./open_file.ts";

const SYMBOLS = {
  pread: call("i64", "i32", "buffer", "usize", "i64"),
  write: call("i64", "i32", "buffer", "usize"),
  statx: call("i32", "i32", "buffer", "i32", "u32", "buffer"),
  fdatasync: call("i32", "i32"),
  fsync: call("i32", "i32"),
  ftruncate: call("i32", "i32", "i64"),
  fchown: call("i32", "i32", "u32", "u32"),
  fchmod: call("i32", "i32", "u32"),
  dup3: call("i32", "i32", "i32", "i32"),
} as const;

type Calls = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** `<fcntl.h>`, `<sys/stat.h>` and `<sys/eventfd.h>` of Linux. */
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_BTIME = 0x800;
const STATX_OCTETS = 256;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const CLOSED_ON_EXEC = 0o2000000;

/** Processors that Deno runs on have the least octet first. */
const IS_LITTLE = true;

const EMPTY_PATH = new Uint8Array(new ArrayBuffer(1));

/** Octets that are read at a time where the length is not known. */
const PIECE_OCTETS = 65_536;

/** How open files are made of handles; as they are where the system's functions cannot be had. */
export function openFilesUnderDeno(): (handle: FileHandle) => OpenFile {
  try {
    const { symbols } = Deno.dlopen("libc.so.6", SYMBOLS);
    const made = Deno.dlopen("libc.so.6", {
      eventfd: { parameters: ["u32", "i32"], result: "i32" },
    });
    const spare = made.symbols.eventfd(0, CLOSED_ON_EXEC);
    made.close();
    if (spare >= 0) return (handle) => new DenoFile(handle, symbols, spare);
  } catch {
    // No --allow-ffi, or another system.
  }
  return (handle) => handle;
}

function call<
  const Result extends Deno.NativeResultType,
  const Parameters extends readonly Deno.NativeType[],
>(result: Result, ...parameters: Parameters) {
  return { parameters, result, nonblocking: true } as const;
}

class DenoFile implements OpenFile {
  /** -1 once its close has begun: the system gives the number to the next file that is opened. */
  #fd: number;
  readonly #handle: FileHandle;
  readonly #calls: Calls;
  /** Of nothing: takes the place of a file that is closed, until Deno closes it under its number. */
  readonly #spare: number;

  constructor(handle: FileHandle, calls: Calls, spare: number) {
    this.#fd = handle.fd;
    this.#handle = handle;
    this.#calls = calls;
    this.#spare = spare;
  }

  get fd(): number {
    return this.#fd;
  }

  async read(
    target: Uint8Array,
    from: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }> {
    const memory = memoryOf(length);
    const octets = Number(
      await this.#calls.pread(this.#open, memory, BigInt(length), BigInt(position)),
    );
    if (octets < 0) return this.#handle.read(target, from, length, position);
    target.set(memory.subarray(0, octets), from);
    return { bytesRead: octets };
  }

  async readFile(encoding: "latin1"): Promise<string> {
    const pieces: Buffer[] = [];
    for (let at = 0;;) {
      const piece = Buffer.allocUnsafeSlow(PIECE_OCTETS);
      const { bytesRead } = await this.read(piece, 0, PIECE_OCTETS, at);
      if (bytesRead === 0) return Buffer.concat(pieces).toString(encoding);
      pieces.push(piece.subarray(0, bytesRead));
      at += bytesRead;
    }
  }

  async write(octets: Uint8Array, from: number, length: number): Promise<{ bytesWritten: number }> {
    const memory = memoryOf(length);
    memory.set(octets.subarray(from, from + length));
    const written = Number(await this.#calls.write(this.#open, memory, BigInt(length)));
    // Nothing was written, then.
    if (written < 0) return this.#handle.write(octets, from, length);
    // The memory is named here so that it is kept for as long as the other thread reads it.
    return { bytesWritten: Math.min(written, memory.length) };
  }

  async stat(): Promise<FileStats> {
    const facts = memoryOf(STATX_OCTETS);
    const mask = STATX_BASIC_STATS | STATX_BTIME;
    const failed = await this.#calls.statx(this.#open, EMPTY_PATH, AT_EMPTY_PATH, mask, facts);
    return failed === 0 ? statsOf(new DataView(facts.buffer)) : this.#handle.stat();
  }

  async datasync(): Promise<void> {
    if (await this.#calls.fdatasync(this.#open) === 0) return;
    await this.#handle.datasync();
    throw unwritten();
  }

  async sync(): Promise<void> {
    if (await this.#calls.fsync(this.#open) === 0) return;
    await this.#handle.sync();
    throw unwritten();
  }

  async truncate(octets: number): Promise<void> {
    if (await this.#calls.ftruncate(this.#open, BigInt(octets)) === 0) return;
    await this.#handle.truncate(octets);
  }

  async chown(userId: number, groupId: number): Promise<void> {
    if (await this.#calls.fchown(this.#open, userId, groupId) === 0) return;
    await this.#handle.chown(userId, groupId);
  }

  async chmod(mode: number): Promise<void> {
    if (await this.#calls.fchmod(this.#open, mode) === 0) return;
    await this.#handle.chmod(mode);
  }

  /** What the filesystem has to say at the end is not heard; what must be on the disk was synced. */
  async close(): Promise<void> {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    await this.#calls.dup3(this.#spare, fd, CLOSED_ON_EXEC);
    await this.#handle.close();
  }

  /** Its number. @throws {Error} EBADF if it was closed, since the number may be another file's by now. */
  get #open(): number {
    if (this.#fd >= 0) return this.#fd;
    throw Object.assign(new Error("EBADF: bad file descriptor"), { code: "EBADF" });
  }
}

/** Memory that stays where it is while another thread uses it. */
function memoryOf(octets: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(octets));
}

/** The system says once only that something could not be written: that it says so no more is no comfort. */
function unwritten(): Error {
  return Object.assign(new Error("EIO: i/o error, sync"), { code: "EIO", syscall: "sync" });
}

/** `struct statx` of Linux; times as exact as Deno has them, since they are compared with its own. */
function statsOf(view: DataView): FileStats {
  const u32 = (at: number) => view.getUint32(at, IS_LITTLE);
  const u64 = (at: number) => Number(view.getBigUint64(at, IS_LITTLE));
  const seconds = (at: number) => Number(view.getBigInt64(at, IS_LITTLE)) * 1_000;
  const milliseconds = (at: number) => seconds(at) + Math.floor(u32(at + 8) / 1_000_000);
  const mode = view.getUint16(28, IS_LITTLE);
  const hasBirth = (u32(0) & STATX_BTIME) !== 0;
  return {
    dev: deviceOf(u32(136), u32(140)),
    ino: u64(32),
    mode,
    nlink: u32(16),
    uid: u32(20),
    gid: u32(24),
    size: u64(40),
    mtimeMs: milliseconds(112),
    ctimeMs: seconds(96),
    birthtimeMs: hasBirth ? milliseconds(80) : 0,
    isFile: () => (mode & S_IFMT) === S_IFREG,
    isDirectory: () => (mode & S_IFMT) === S_IFDIR,
  };
}

/** `dev_t` of the GNU C library. */
function deviceOf(major: number, minor: number): number {
  const low = (major & 0xfff) * 0x100 + (minor & 0xff);
  return low + (minor >>> 8) * 2 ** 20 + (major >>> 12) * 2 ** 44;
}
