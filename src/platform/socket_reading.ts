/**
 * Leaving what a peer sends with the peer, so that it fills the peer's buffers and not our memory.
 *
 * `pause` of `node:net` stops the system's reads, under Bun also those of a socket under TLS. Deno (2.9)
 * goes on reading those, decrypts, and keeps everything: what stops it is only the handle of the plain
 * socket beneath. Neither is in Deno's documented interface; where they are missing, `pause` is all.
 *
 * *Knows*: sockets of `node:net` and `node:tls`. *Does not know*: when to stop.
 */

import type { Socket } from "node:net";

/** A socket under TLS as Deno has it. */
interface OverPlainSocket {
  readonly _parent?: { readonly _handle?: { readStop?(): void; readStart?(): void } | null };
}

/** Reads no more from the peer until `resumeReading`. A little that was read already may still come. */
export function pauseReading(socket: Socket): void {
  socket.pause();
  handleBeneath(socket)?.readStop?.();
}

/** Reads again, also where nothing was paused. */
export function resumeReading(socket: Socket): void {
  handleBeneath(socket)?.readStart?.();
  socket.resume();
}

function handleBeneath(socket: Socket) {
  return "Deno" in globalThis ? (socket as OverPlainSocket)._parent?._handle : undefined;
}
