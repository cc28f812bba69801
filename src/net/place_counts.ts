/**
 * How many places of a kind are taken: all connections, those from one address, the sessions of one user.
 *
 * *Knows*: counts by key. *Does not know*: what a key stands for.
 */

export interface PlaceCounts {
  /** Takes a place under `key` if fewer than `most` are taken. What it took is given back once. */
  take(key: string, most: number): boolean;

  giveBack(key: string): void;
}

/** Of one process alone. */
export class OwnPlaceCounts implements PlaceCounts {
  /** Only who is here now: nobody counts as 0. */
  readonly #counts = new Map<string, number>();

  take(key: string, most: number): boolean {
    const count = this.#counts.get(key) ?? 0;
    if (count >= most) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  giveBack(key: string): void {
    const left = (this.#counts.get(key) ?? 0) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}
