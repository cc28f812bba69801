/**
 * Places counted over all workers, strictly and without a message: more than the limit are never taken,
 * however many come at once.
 *
 * A worker first adds to its own count, then sums those of all. Of two that add at the same time at least
 * one sees the other, since each looks after it has added. Who finds too many takes his own back; where
 * that was a race, which he sees from there being room afterwards, he tries again.
 *
 * *Knows*: the tables of the workers. *Does not know*: what places are for.
 */

import { hash } from "node:crypto";
import { Buffer } from "node:buffer";
import type { PlaceCounts } from "../place_counts.ts";
import { SharedTable, type TableKey } from "./shared_table.ts";

/** How often a lost race is run again. Each is a microsecond, and two seldom meet twice. */
const RACES = 16;

interface Row extends TableKey {
  /** Where the count stands in the table. */
  readonly at: number;
  count: number;
}

export class SharedPlaces implements PlaceCounts {
  readonly #secret: string;
  readonly #own: SharedTable;
  readonly #others: readonly SharedTable[];
  /** What this worker counts now, by key. */
  readonly #rows = new Map<string, Row>();

  /** @param secret The same for all workers, and not to be known: who knows it could make keys that meet. */
  constructor(
    { secret, own, others }: {
      readonly secret: string;
      readonly own: SharedTable;
      readonly others: readonly SharedTable[];
    },
  ) {
    this.#secret = secret;
    this.#own = own;
    this.#others = others;
  }

  take(key: string, most: number): boolean {
    for (let race = 0; race < RACES; race++) {
      const row = this.#add(key);
      if (row === undefined) return false;
      if (row.count + this.#elsewhere(row) <= most) return true;
      this.giveBack(key);
      if (row.count + this.#elsewhere(row) >= most) return false;
      pause(race);
    }
    return false;
  }

  giveBack(key: string): void {
    const row = this.#rows.get(key);
    if (row === undefined) return;
    if (--row.count === 0) this.#rows.delete(key);
    this.#own.add(row.at, -1);
  }

  /** Undefined where there is no room in the table: then the limits of files are far exceeded. */
  #add(key: string): Row | undefined {
    const row = this.#rows.get(key);
    if (row !== undefined) {
      row.count++;
      this.#own.add(row.at, 1);
      return row;
    }
    const digest = this.#digest(key);
    const at = this.#own.insert(digest);
    if (at === undefined) return undefined;
    const made = { ...digest, at, count: 1 };
    this.#rows.set(key, made);
    return made;
  }

  #elsewhere(key: TableKey): number {
    let count = 0;
    for (const table of this.#others) count += table.read(key);
    return count;
  }

  #digest(key: string): TableKey {
    const octets: Buffer = hash("sha256", this.#secret + key, "buffer");
    return { low: octets.readInt32LE(0), high: octets.readInt32LE(4) };
  }
}

/** Some microseconds at most, and not the same for two. */
function pause(race: number): void {
  for (let left = Math.random() * 2 ** Math.min(race + 6, 12); left > 0; left--);
}
