/**
 * Memory that several processes see at once, for as long as one of them runs. Nothing of it is on a disk:
 * it is gone with the last process, however that ended.
 *
 * Linux only (memfd_create). Pages that nobody has touched take no room, so it may be larger than what is
 * ever needed.
 *
 * *Knows*: system calls. *Does not know*: what is in it.
 */

import { Buffer } from "node:buffer";
import process from "node:process";
import { memoryAt, openLibrary } from "./foreign_functions.ts";

export interface SharedMemory {
  /** By which `joinSharedMemory` finds it in another process of the same user, while this one runs. */
  readonly path: string;
  readonly octets: ArrayBuffer;
}

const MFD_CLOEXEC = 1;
const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/**
 * Makes some, all zero.
 *
 * @throws {Error} If the system has none to give, or is not one that can.
 */
export function makeSharedMemory(octets: number): SharedMemory {
  const { memfd_create, ftruncate } = library();
  const fd = memfd_create(Buffer.from("popkeep\0"), MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, BigInt(octets)) !== 0) throw new Error("There is no memory to share");
  return { path: `/proc/${process.pid}/fd/${fd}`, octets: map(fd, octets) };
}

/**
 * Opens what another process made.
 *
 * @throws {Error} If it is not there, or not ours to open.
 */
export function joinSharedMemory(path: string, octets: number): SharedMemory {
  const { open, close } = library();
  const fd = open(Buffer.from(`${path}\0`), O_RDWR | O_CLOEXEC);
  if (fd < 0) throw new Error(`The shared memory "${path}" cannot be opened`);
  const joined = { path, octets: map(fd, octets) };
  close(fd);
  return joined;
}

function map(fd: number, octets: number): ArrayBuffer {
  const address = library().mmap(0n, octets, PROT_READ_WRITE, MAP_SHARED, fd, 0n);
  if (address === MAP_FAILED) throw new Error("Shared memory cannot be mapped");
  return memoryAt(address, octets);
}

let opened: ReturnType<typeof openFunctions> | undefined;

function library() {
  return opened ??= openFunctions();
}

function openFunctions() {
  if (process.platform !== "linux") throw new Error("Only Linux shares memory as popkeep needs it");
  return openLibrary(["libc.so.6"], {
    memfd_create: { takes: ["buffer", "u32"], gives: "i32" },
    ftruncate: { takes: ["i32", "u64"], gives: "i32" },
    open: { takes: ["buffer", "i32"], gives: "i32" },
    close: { takes: ["i32"], gives: "i32" },
    mmap: { takes: ["pointer", "size", "i32", "i32", "i32", "u64"], gives: "pointer" },
  }).functions;
}
