/**
 * A connection to another server, read line by line: bounded in what it holds, and each line in time.
 *
 * *Knows* sockets. *Does not know* POP3.
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { OldServerFault } from "./old_server_fault.ts";

/** A line that is longer is cut to this; the rest of it is read and dropped. */
const LONGEST_LINE_OCTETS = 65_536;

/** While so much waits to be read, no more is taken from the network. */
const HELD_OCTETS = 1_048_576;

const LF = 0x0a;
const CR = 0x0d;

export class LineSocket {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  #held = Buffer.alloc(0);
  /** Where in `#held` the next line begins. */
  #from = 0;
  #failure: Error | undefined;
  #wake: () => void = () => {};

  readonly #onData = (chunk: Uint8Array) => {
    this.#held = Buffer.concat([this.#held.subarray(this.#from), chunk]);
    this.#from = 0;
    if (this.#held.length > HELD_OCTETS) this.#socket.pause();
    this.#wake();
  };
  readonly #onError = (error: Error) => this.#fail(error);
  readonly #onEnd = () => this.#fail(new Error("the old server closed the connection"));

  /** @param timeoutMs How long each line may take as a whole. */
  constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.on("data", this.#onData);
    socket.on("error", this.#onError);
    socket.on("close", this.#onEnd);
    socket.on("end", this.#onEnd);
  }

  /**
   * The next line without its line end; of an over-long one the beginning.
   *
   * @throws {OldServerFault} If none comes in time, or the connection ends.
   */
  async readLine(): Promise<Buffer> {
    const giveUpAtMs = performance.now() + this.#timeoutMs;
    let looked = this.#from;
    let cut: Buffer | undefined;
    for (;;) {
      const end = this.#held.indexOf(LF, looked);
      if (end >= 0) {
        const line = cut ?? this.#held.subarray(this.#from, end);
        this.#from = end + 1;
        if (this.#socket.isPaused() && this.#held.length - this.#from < HELD_OCTETS) {
          this.#socket.resume();
        }
        return line.at(-1) === CR ? line.subarray(0, -1) : line;
      }
      if (this.#held.length - this.#from > LONGEST_LINE_OCTETS) {
        cut ??= Buffer.from(this.#held.subarray(this.#from, this.#from + LONGEST_LINE_OCTETS));
        this.#from = this.#held.length;
      }
      const read = this.#held.length - this.#from;
      if (this.#failure !== undefined) throw this.#unreachable(this.#failure);
      this.#socket.resume();
      await this.#more(giveUpAtMs - performance.now());
      // What was held stands at the beginning now.
      looked = this.#from + read;
    }
  }

  async #more(leftMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      const late = () => this.#fail(new Error(`no answer within ${this.#timeoutMs / 1_000} s`));
      // Data that is there goes before a timer: who never ends a line never lets one come.
      if (leftMs <= 0) late();
      else timer = setTimeout(late, leftMs);
    });
    clearTimeout(timer);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  #unreachable(error: Error): OldServerFault {
    return new OldServerFault("unreachable", error.message, { cause: error });
  }

  /** @throws {OldServerFault} If the connection has ended. */
  write(octets: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#unreachable(this.#failure);
    this.#socket.write(octets);
  }

  /** Gives the socket back, for TLS. @throws {OldServerFault} If more came than was read: somebody put it there. */
  release(): Socket {
    if (this.#held.length > this.#from) {
      throw new OldServerFault(
        "unusable",
        "the old server said more than it may before TLS begins",
      );
    }
    this.#socket.off("data", this.#onData);
    this.#socket.off("error", this.#onError);
    this.#socket.off("close", this.#onEnd);
    this.#socket.off("end", this.#onEnd);
    return this.#socket;
  }

  close(): void {
    this.#socket.destroy();
  }
}
