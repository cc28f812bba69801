/**
 * A bounded queue in which those who wait take turns by where they come from, so that a thousand jobs of
 * one client address make one other client wait for one of them, not for all.
 *
 * Sources that are known to be good have a round of their own, which is served every second time: however
 * many strangers there are (a botnet comes from as many addresses as it likes), those who are known wait
 * for each other only, and for as many of the strangers as they are themselves.
 *
 * A full queue takes from whom it has most: the newest of the source with the longest line leaves, so a
 * bound for each source, which would be too small for an office and too large for a guesser, is not
 * needed. Strangers leave before the known.
 *
 * *Does not know* what waits.
 */

/** Whose turn something waits for. */
export interface Turn {
  /** Things of the same source wait for each other. */
  readonly source: string;
  /** Somebody of that source proved lately who he is. */
  readonly known: boolean;
}

export class FairQueue<T> {
  readonly #known = new Round<T>();
  readonly #strangers = new Round<T>();
  readonly #limit: number;
  #lastWasKnown = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#known.length + this.#strangers.length;
  }

  /** Puts an item in line. Returns the one that has no place, which may be this one. */
  push(item: T, { source, known }: Turn): T | undefined {
    const round = known ? this.#known : this.#strangers;
    const full = this.length >= this.#limit;
    if (full && !known && round.wouldBeLongest(source)) return item;
    if (full && known && this.#strangers.length === 0 && round.wouldBeLongest(source)) return item;
    const leaves = full
      ? (this.#strangers.length > 0 ? this.#strangers : this.#known).popLongest()
      : undefined;
    round.push(source, item);
    return leaves;
  }

  /** Takes out whose turn it is; undefined if nobody waits. */
  shift(): T | undefined {
    const [first, second] = this.#lastWasKnown
      ? [this.#strangers, this.#known]
      : [this.#known, this.#strangers];
    const round = first.length > 0 ? first : second;
    this.#lastWasKnown = round === this.#known;
    return round.shift();
  }

  /** Takes out all. */
  clear(): T[] {
    return [...this.#known.clear(), ...this.#strangers.clear()];
  }
}

/** Lines by source; the first source in the map is the next one served. */
class Round<T> {
  readonly #lines = new Map<string, T[]>();
  length = 0;

  push(source: string, item: T): void {
    const line = this.#lines.get(source);
    if (line === undefined) this.#lines.set(source, [item]);
    else line.push(item);
    this.length++;
  }

  shift(): T | undefined {
    for (const [source, line] of this.#lines) {
      const item = line.shift() as T;
      // Goes behind all others, or is forgotten.
      this.#lines.delete(source);
      if (line.length > 0) this.#lines.set(source, line);
      this.length--;
      return item;
    }
    return undefined;
  }

  /** Whether with one more no source would have more in line than this one. */
  wouldBeLongest(source: string): boolean {
    return (this.#lines.get(source)?.length ?? 0) + 1 >= this.#longest().length;
  }

  popLongest(): T {
    const { source, length } = this.#longest();
    const item = this.#lines.get(source)!.pop() as T;
    if (length === 1) this.#lines.delete(source);
    this.length--;
    return item;
  }

  clear(): T[] {
    const all = [...this.#lines.values()].flat();
    this.#lines.clear();
    this.length = 0;
    return all;
  }

  #longest(): { source: string; length: number } {
    let longest = { source: "", length: 0 };
    for (const [source, { length }] of this.#lines) {
      if (length > longest.length) longest = { source, length };
    }
    return longest;
  }
}
