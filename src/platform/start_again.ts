/**
 * The same program begun anew in the same process: the number, the words, the environment and the standard
 * streams stay, and all threads but one end. So what one thread gave up holds for every thread there is to
 * be: the kernel hands it down.
 *
 * *Knows*: execv(3). *Does not know*: what was given up.
 */

import { Buffer } from "node:buffer";
import { readFileSync, readlinkSync, statSync } from "node:fs";
import { addressOf, foreignMemory, openLibrary } from "./foreign_functions.ts";

/** Leads to what runs, also where that has no name any more. */
const PROGRAM = "/proc/self/exe";

/** Returns only where it cannot be done; then nothing has changed. */
export function startAgain(): void {
  let words: Buffer;
  try {
    words = readFileSync("/proc/self/cmdline");
  } catch {
    return;
  }
  // Each ends in NUL, as C has it.
  const memory = foreignMemory(words.length);
  memory.set(words);
  const begins = [0];
  for (let at = 0; at < words.length - 1; at++) if (words[at] === 0) begins.push(at + 1);
  const addresses = new BigUint64Array(foreignMemory((begins.length + 1) * 8).buffer);
  for (const [at, begin] of begins.entries()) addresses[at] = addressOf(memory) + BigInt(begin);
  const { execv } = openLibrary(["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"], {
    execv: { takes: ["buffer", "buffer"], gives: "i32" },
  }).functions;
  execv(Buffer.from(`${programPath()}\0`), new Uint8Array(addresses.buffer));
  // Or it could be given back before.
  memory.fill(0);
}

/**
 * The program by its own name, since the kernel calls the process by the last part of what it is started by,
 * and `exe` says nothing in a list of processes. Where it has been replaced or removed since it was started,
 * by the link that still leads to it.
 */
function programPath(): string {
  try {
    const path = readlinkSync(PROGRAM);
    const [named, own] = [statSync(path), statSync(PROGRAM)];
    return named.dev === own.dev && named.ino === own.ino ? path : PROGRAM;
  } catch {
    return PROGRAM;
  }
}
