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
  /** To be handed to other processes when they are started. Names under /proc would not do for all users. */
  readonly fileDescriptor: number;
  readonly octets: ArrayBuffer;
}

const MFD_CLOEXEC = 1;
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
  return { fileDescriptor: fd, octets: map(fd, octets) };
}

/**
 * Opens what another process made and handed to this one, under the number that it has here. The file
 * descriptor stays open: Deno takes those it was started with for its own.
 *
 * @throws {Error} If it is not there.
 */
export function joinSharedMemory(fileDescriptor: number, octets: number): ArrayBuffer {
  return map(fileDescriptor, octets);
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
    mmap: { takes: ["pointer", "size", "i32", "i32", "i32", "u64"], gives: "pointer" },
  }).functions;
}
