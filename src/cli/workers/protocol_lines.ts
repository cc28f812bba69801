/**
 * The protocol log of a worker: its lines go to the supervisor, who writes the one file of all, and so knows
 * when it is full or its period over. Lines that it does not take fast enough are dropped and counted: a
 * server that stops because its log does would be worse.
 *
 * *Does not know* files.
 */

import { getLogger } from "@logtape/logtape";
import type { ProtocolLines } from "../../admin/protocol_log.ts";
import { PROTOCOL_LINES, type ProtocolLine } from "./task.ts";

const log = getLogger(["popkeep", "cli"]);

/** Lines that wait while others are on their way, UTF-16 code units; as many may be on their way. */
const WAITING_UNITS = 1_048_576;

export class ProtocolLinesToSupervisor implements ProtocolLines {
  readonly #link: { ask(question: string, value: unknown): Promise<unknown> };
  #lines: ProtocolLine[] = [];
  #units = 0;
  #dropped = 0;
  #sending: Promise<void> | undefined;

  constructor(link: { ask(question: string, value: unknown): Promise<unknown> }) {
    this.#link = link;
  }

  append(line: string, time: Date): void {
    if (this.#units + line.length > WAITING_UNITS) {
      this.#dropped++;
      return;
    }
    this.#lines.push([line, time.getTime()]);
    this.#units += line.length;
    this.#sending ??= this.#sendAll();
  }

  /** Resolves when the supervisor has all lines, or is gone. */
  async close(): Promise<void> {
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    // The line that began this may have company before the turn is over.
    await Promise.resolve();
    while (this.#lines.length > 0) {
      const lines = this.#lines;
      this.#lines = [];
      this.#units = 0;
      // A supervisor that is gone writes nothing any more; the worker is about to stop.
      await this.#link.ask(PROTOCOL_LINES, lines).catch(() => {});
      if (this.#dropped > 0) log.warning("protocol log lines dropped", { count: this.#dropped });
      this.#dropped = 0;
    }
    this.#sending = undefined;
  }
}
