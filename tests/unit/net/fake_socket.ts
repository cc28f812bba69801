/** What `Output` needs of a socket. Writes are kept as a socket's buffers keep them. */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Output } from "../../../src/net/output.ts";

export class FakeSocket {
  readonly writes: Buffer[] = [];
  destroyed = false;
  writableLength = 0;
  /** When false, a write stays with the socket until `take`. */
  takesAtOnce = true;
  #untaken: { octets: Uint8Array; done: () => void }[] = [];

  write(octets: Uint8Array, done: () => void): boolean {
    if (!this.takesAtOnce) {
      this.writableLength += octets.length;
      this.#untaken.push({ octets, done });
      return false;
    }
    this.writes.push(Buffer.from(octets));
    queueMicrotask(done);
    return true;
  }

  /** The peer has read: what was written before leaves, as its octets are now. */
  take(): void {
    const untaken = this.#untaken;
    this.#untaken = [];
    this.writableLength = 0;
    for (const { octets, done } of untaken) {
      this.writes.push(Buffer.from(octets));
      done();
    }
  }

  /** All that has left, as text. */
  get all(): string {
    return Buffer.concat(this.writes).toString("latin1");
  }
}

export function outputTo(socket: FakeSocket, batchOctets?: number): Output {
  return new Output(socket as unknown as Socket, batchOctets);
}

/** Lets promises that are settled go on. */
export function turns(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
