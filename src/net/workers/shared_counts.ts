/**
 * The counts that all workers share, and where each finds its own: the number of sessions so far, and the
 * places that are taken.
 *
 * *Knows*: shared memory. *Does not know*: limits.
 */

import {
  joinSharedMemory,
  makeSharedMemory,
  type SharedMemory,
} from "../../platform/shared_memory.ts";
import { SharedPlaces } from "./shared_places.ts";
import { SharedTable, TABLE_WORDS } from "./shared_table.ts";

/** The first eight octets count sessions; then the tables, one a worker. */
const HEAD_OCTETS = 64;
const TABLE_OCTETS = TABLE_WORDS * Int32Array.BYTES_PER_ELEMENT;

/** What a worker needs to find them. */
export interface SharedCountsPlace {
  readonly path: string;
  readonly workers: number;
  readonly secret: string;
}

export class SharedCounts {
  readonly #memory: SharedMemory;
  readonly #place: SharedCountsPlace;
  readonly #sessions: BigInt64Array;

  private constructor(memory: SharedMemory, place: SharedCountsPlace) {
    this.#memory = memory;
    this.#place = place;
    this.#sessions = new BigInt64Array(memory.octets, 0, 1);
  }

  /**
   * By the supervisor.
   *
   * @param secret Random, of this run alone.
   * @throws {Error} If the system shares no memory.
   */
  static make(workers: number, secret: string): SharedCounts {
    const memory = makeSharedMemory(octetsFor(workers));
    return new SharedCounts(memory, { path: memory.path, workers, secret });
  }

  /** By a worker. @throws {Error} If they are no more there. */
  static join(place: SharedCountsPlace): SharedCounts {
    return new SharedCounts(joinSharedMemory(place.path, octetsFor(place.workers)), place);
  }

  get place(): SharedCountsPlace {
    return this.#place;
  }

  /** A number that no session had before in any worker, from 1. */
  nextSession(): number {
    return Number(Atomics.add(this.#sessions, 0, 1n)) + 1;
  }

  /** @param worker From 1; one process alone may be this worker. */
  placesOf(worker: number): SharedPlaces {
    const numbers = Array.from({ length: this.#place.workers }, (_, at) => at + 1);
    return new SharedPlaces({
      secret: this.#place.secret,
      own: this.#tableOf(worker),
      others: numbers.filter((other) => other !== worker).map((other) => this.#tableOf(other)),
    });
  }

  /** Gives back all that a worker held which has ended. */
  clear(worker: number): void {
    this.#tableOf(worker).clear();
  }

  #tableOf(worker: number): SharedTable {
    const from = HEAD_OCTETS + (worker - 1) * TABLE_OCTETS;
    return new SharedTable(new Int32Array(this.#memory.octets, from, TABLE_WORDS));
  }
}

function octetsFor(workers: number): number {
  return HEAD_OCTETS + workers * TABLE_OCTETS;
}
