/**
 * The counts that all workers share, and where each finds its own: the number of sessions so far, and the
 * places that are taken.
 *
 * *Knows*: shared memory. *Does not know*: limits.
 */

import { joinSharedMemory, makeSharedMemory } from "../../platform/shared_memory.ts";
import { SharedPlaces } from "./shared_places.ts";
import { SharedTable, TABLE_WORDS } from "./shared_table.ts";

/** The first eight octets count sessions; then the tables, one a worker. */
const HEAD_OCTETS = 64;
const TABLE_OCTETS = TABLE_WORDS * Int32Array.BYTES_PER_ELEMENT;

/** What a worker needs to know of them, besides being handed the memory. */
export interface SharedCountsPlace {
  readonly workers: number;
  readonly secret: string;
}

export class SharedCounts {
  readonly #octets: ArrayBuffer;
  readonly #place: SharedCountsPlace;
  readonly #sessions: BigInt64Array;

  private constructor(octets: ArrayBuffer, place: SharedCountsPlace) {
    this.#octets = octets;
    this.#place = place;
    this.#sessions = new BigInt64Array(octets, 0, 1);
  }

  /**
   * By the supervisor, who hands the file descriptor to each worker.
   *
   * @param secret Random, of this run alone.
   * @throws {Error} If the system shares no memory.
   */
  static make(
    workers: number,
    secret: string,
  ): { readonly counts: SharedCounts; readonly fileDescriptor: number } {
    const { octets, fileDescriptor } = makeSharedMemory(octetsFor(workers));
    return { counts: new SharedCounts(octets, { workers, secret }), fileDescriptor };
  }

  /** By a worker. @throws {Error} If it was not handed them. */
  static join(place: SharedCountsPlace, fileDescriptor: number): SharedCounts {
    return new SharedCounts(joinSharedMemory(fileDescriptor, octetsFor(place.workers)), place);
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
    return new SharedTable(new Int32Array(this.#octets, from, TABLE_WORDS));
  }
}

function octetsFor(workers: number): number {
  return HEAD_OCTETS + workers * TABLE_OCTETS;
}
