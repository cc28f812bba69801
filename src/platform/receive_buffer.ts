/**
 * How much the system takes from each client ahead of us.
 *
 * Under Bun one reading brings as much as the system has, up to 512 KiB, whoever sends it: what stops a client
 * is the room that the system has for it. Deno reads 64 KiB at most, and does not say what its listeners' numbers are.
 *
 * *Knows*: Linux (socket(7)), Bun's listeners. *Does not know*: who listens.
 */

import type { Server } from "node:net";
import { openLibrary } from "./foreign_functions.ts";

/** asm-generic/socket.h. */
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;

/** A listener as Bun has it. */
interface Numbered {
  readonly _handle?: { readonly fd?: unknown } | null;
}

/**
 * Bounds it for each client that comes from now on, with the system's own additions. Where it may not be, or
 * under Deno, nothing changes.
 *
 * @param server One that listens.
 */
export function boundReceiving(server: Server, octets: number): void {
  const fd = (server as Numbered)._handle?.fd;
  if (typeof fd !== "number" || fd < 0) return;
  try {
    const { functions } = openLibrary(["libc.so.6"], {
      setsockopt: { takes: ["i32", "i32", "i32", "buffer", "u32"], gives: "i32" },
    });
    const value = new Uint8Array(Int32Array.of(octets).buffer);
    functions.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, value.length);
  } catch {
    // Then it is as the system has it.
  }
}
