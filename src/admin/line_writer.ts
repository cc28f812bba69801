/**
 * Appends text to a file or pipe without ever making anybody wait, in bounded memory.
 *
 * One write is under way at a time. It takes whole lines, as many as a pipe takes at once, so that others
 * may append to the same file or pipe. If the other end stalls, a pipe nobody reads or a full disk, what
 * does not fit is dropped and counted: a server that stops because its log does would be worse.
 *
 * Under Deno, whose node:fs writes at once, a blocking pipe that nobody reads does hold up the process.
 *
 * *Knows*: file descriptors. *Does not know*: what a line says.
 */

import { Buffer } from "node:buffer";
import { write, writeSync } from "node:fs";

/** Text that may wait for a write, octets. */
const PENDING_OCTETS = 1_048_576;

/**
 * Octets a write: POSIX's PIPE_BUF on Linux, up to which a pipe takes all or nothing. Of a larger write
 * to a pipe that was made non-blocking, Deno does not tell how much was taken.
 */
const WRITE_OCTETS = 4_096;

const LF = 0x0a;

/**
 * Lines that come this soon after others, ms, wait for more: a write by a thread costs as much as twenty
 * lines, and who reads a log does not read it sooner.
 */
const GATHER_MS = 10;

/** How long to wait before a write that the other end had no room for is tried again, ms. */
const RETRY_MS = 20;

export class LineWriter {
  readonly #fd: number;
  readonly #gatherMs: number;
  #pending: string[] = [];
  #pendingOctets = 0;
  #writing: Promise<void> | undefined;
  /** Ends the gathering of lines. */
  #goOn: (() => void) | undefined;
  /** How many wait until all is written. */
  #hurrying = 0;
  #dropped = 0;

  /** @param gatherMs How long lines that follow others wait for more. */
  constructor(fd: number, { gatherMs = GATHER_MS } = {}) {
    this.#fd = fd;
    this.#gatherMs = gatherMs;
  }

  /** Lines that were dropped since this was last asked. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /**
   * Appends `line`, which ends in LF; false if it had to be dropped.
   *
   * @param isUrgent Whether it is not to wait for others, nor those before it.
   */
  append(line: string, isUrgent = false): boolean {
    if (this.#pendingOctets + line.length > PENDING_OCTETS) {
      this.#dropped++;
      return false;
    }
    this.#pending.push(line);
    this.#pendingOctets += line.length;
    this.#writing ??= this.#writeAll();
    if (isUrgent) this.#goOn?.();
    return true;
  }

  /** Resolves when all that was appended so far is written or has failed. */
  async idle(): Promise<void> {
    this.#hurrying++;
    this.#goOn?.();
    while (this.#writing !== undefined) await this.#writing;
    this.#hurrying--;
  }

  /** Writes what no write has begun with, at once: for a process that is about to end. */
  flushNow(): void {
    const octets = Buffer.from(this.#take(), "utf8");
    try {
      for (let at = 0; at < octets.length;) {
        at += writeSync(this.#fd, octets, at, lengthOfWrite(octets.subarray(at)));
      }
    } catch {
      // There is nobody left to tell.
    }
  }

  async #writeAll(): Promise<void> {
    // The line that began this may have company before the turn is over.
    await Promise.resolve();
    for (let text = this.#take(); text !== ""; text = this.#take()) {
      const octets = Buffer.from(text, "utf8");
      try {
        for (let at = 0; at < octets.length;) at += await this.#write(octets, at);
      } catch {
        this.#dropped += text.split("\n").length - 1;
      }
      if (this.#hurrying === 0 && this.#pendingOctets < WRITE_OCTETS) await this.#gather();
    }
    this.#writing = undefined;
  }

  /** Waits for the lines that follow at once. */
  async #gather(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#gatherMs);
    // A process that ends meanwhile writes what is left with `flushNow`.
    timer.unref();
    this.#goOn = resolve;
    await promise;
    clearTimeout(timer);
    this.#goOn = undefined;
  }

  #take(): string {
    const text = this.#pending.join("");
    this.#pending = [];
    this.#pendingOctets = 0;
    return text;
  }

  #write(octets: Buffer, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const length = lengthOfWrite(octets.subarray(at));
      write(this.#fd, octets, at, length, null, (error, written) => {
        if (error === null) resolve(written);
        // A terminal or pipe that somebody made non-blocking.
        else if (error.code === "EAGAIN") setTimeout(() => resolve(0), RETRY_MS);
        else reject(error);
      });
    });
  }
}

/** Whole lines where they fit; of a line that is longer, what fits. */
function lengthOfWrite(octets: Buffer): number {
  if (octets.length <= WRITE_OCTETS) return octets.length;
  const lines = octets.lastIndexOf(LF, WRITE_OCTETS - 1) + 1;
  return lines === 0 ? WRITE_OCTETS : lines;
}
