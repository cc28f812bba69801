import type { MessageNumber } from "./message_number.ts";
import type { Snapshot } from "./snapshot.ts";

/** The messages of one session that DELE marked; nothing is removed before UPDATE (RFC 1939 §5 DELE). */
export class Marks {
  readonly #snapshot: Snapshot;
  readonly #marked = new Set<MessageNumber>();
  #octets = 0;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** Marks a message; false if it was marked already. */
  mark(number: MessageNumber): boolean {
    if (this.#marked.has(number)) return false;
    this.#marked.add(number);
    this.#octets += this.#snapshot.octetsOf(number);
    return true;
  }

  has(number: MessageNumber): boolean {
    return this.#marked.has(number);
  }

  /** Unmarks all (RFC 1939 §5 RSET). */
  reset(): void {
    this.#marked.clear();
    this.#octets = 0;
  }

  get count(): number {
    return this.#marked.size;
  }

  /** Octets of the marked messages, by the snapshot's figures. */
  get octets(): number {
    return this.#octets;
  }

  /** The marked numbers in the order they were marked. */
  [Symbol.iterator](): IterableIterator<MessageNumber> {
    return this.#marked.values();
  }
}
