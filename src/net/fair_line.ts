/**
 * A waiting line in which addresses take their turns one after the other: whoever comes many times from one
 * address makes himself wait, and nobody else.
 *
 * *Knows*: what counts as one address. *Does not know*: what is waited for.
 */

import { countedAddress } from "../counted_address.ts";

export class FairLine<Waiting> {
  /** The address whose turn is next stands first. */
  readonly #lines = new Map<string, Waiting[]>();
  #length = 0;
  /** Addresses with more than one waiting. */
  #crowded = 0;

  get length(): number {
    return this.#length;
  }

  /** @param address In the spelling of `plainAddress`. */
  add(address: string, waiting: Waiting): void {
    const source = countedAddress(address);
    const line = this.#lines.get(source);
    if (line === undefined) this.#lines.set(source, [waiting]);
    else if (line.push(waiting) === 2) this.#crowded++;
    this.#length++;
  }

  /**
   * Makes room for another from `address`, where somebody takes more room than others do: returns the last of an
   * address that has more waiting than most. Undefined where `address` is such a one itself, or nobody is.
   */
  makeRoomFor(address: string): Waiting | undefined {
    if (this.#crowded === 0) return undefined;
    const own = this.#lines.get(countedAddress(address))?.length ?? 0;
    const usual = this.#length / (this.#lines.size + (own === 0 ? 1 : 0));
    if (own >= usual) return undefined;
    for (const line of this.#lines.values()) {
      if (line.length <= Math.max(1, usual)) continue;
      this.#length--;
      if (line.length === 2) this.#crowded--;
      return line.pop();
    }
    return undefined;
  }

  /** Takes out the one whose turn it is; undefined if nobody waits. */
  take(): Waiting | undefined {
    const first = this.#lines.entries().next();
    if (first.done === true) return undefined;
    const [source, line] = first.value;
    this.#length--;
    if (line.length === 2) this.#crowded--;
    const taken = line.shift();
    this.#lines.delete(source);
    // Behind all other addresses.
    if (line.length > 0) this.#lines.set(source, line);
    return taken;
  }
}
