/**
 * How many logins are under way at once of each user from one address, for those who are let in without
 * standing in line.
 *
 * *Knows* keys and a number. *Does not know* who is let in.
 */

export class UnderWay {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  /** @param most Of one key, at least 1. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Keys that have any. */
  get size(): number {
    return this.#counts.size;
  }

  /** Whether there was room for one more; it then must `leave` once. */
  enter(key: string): boolean {
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.#most) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  leave(key: string): void {
    const count = this.#counts.get(key) ?? 0;
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
  }
}
