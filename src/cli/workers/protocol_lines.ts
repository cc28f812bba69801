/**
 * The protocol log of a worker: its lines go to the supervisor, who writes the one file of all, and so knows
 * when it is full or its period over.
 *
 * *Does not know* files.
 */

import type { ProtocolLines } from "../../admin/protocol_log.ts";
import { PROTOCOL_LINES, type ProtocolLine } from "./task.ts";

export class ProtocolLinesToSupervisor implements ProtocolLines {
  readonly #link: { tell(event: string, value: unknown): void };
  #lines: ProtocolLine[] = [];

  constructor(link: { tell(event: string, value: unknown): void }) {
    this.#link = link;
  }

  append(line: string, time: Date): void {
    this.#lines.push([line, time.getTime()]);
    if (this.#lines.length === 1) queueMicrotask(() => this.#send());
  }

  close(): Promise<void> {
    this.#send();
    return Promise.resolve();
  }

  #send(): void {
    if (this.#lines.length === 0) return;
    this.#link.tell(PROTOCOL_LINES, this.#lines);
    this.#lines = [];
  }
}
