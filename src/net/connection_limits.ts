/**
 * How many connections and sessions there may be: in all, from one address, of one user.
 *
 * *Knows*: which limits there are. *Does not know*: sockets, what a client is told, who else counts.
 */

import { countedAddress } from "../counted_address.ts";
import { REFUSALS_TOLD } from "../limits.ts";
import type { AdmitUser } from "../session/services.ts";
import { OwnPlaceCounts, type PlaceCounts } from "./place_counts.ts";

export interface ConnectionMaxima {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxConnectionsPerUser: number;
}

/**
 * - `admitted`: serve it.
 * - `tell`: say that there are too many, then close.
 * - `drop`: close at once.
 */
export type Admission = "admitted" | "tell" | "drop";

/** What is counted as a whole; names of addresses and users have a blank in front of them. */
const ADMITTED = "admitted";
const TOLD = "told";
const PROXIED = "proxied";

export class ConnectionLimits {
  #maxima: ConnectionMaxima;
  readonly #places: PlaceCounts;
  #connections = 0;

  /** @param places Shared with whoever has the same limits. */
  constructor(maxima: ConnectionMaxima, places: PlaceCounts = new OwnPlaceCounts()) {
    this.#maxima = maxima;
    this.#places = places;
  }

  /** Replaces the maxima. What is there stays, also when it is more than the new ones allow. */
  set maxima(maxima: ConnectionMaxima) {
    this.#maxima = maxima;
  }

  /** Connections that were admitted here and are not over. */
  get connections(): number {
    return this.#connections;
  }

  /**
   * Asks for a place for a connection from `address`, in the spelling of `plainAddress`. What is
   * admitted or told must be given back once, by `releaseConnection`.
   */
  admitConnection(address: string): Admission {
    const { maxConnections, maxConnectionsPerAddress } = this.#maxima;
    const places = this.#places;
    if (places.take(ADMITTED, maxConnections)) {
      if (places.take(addressKey(address), maxConnectionsPerAddress)) {
        this.#connections++;
        return "admitted";
      }
      places.giveBack(ADMITTED);
    }
    return places.take(TOLD, REFUSALS_TOLD) ? "tell" : "drop";
  }

  /**
   * Asks for a place for a connection of a proxy that has not said yet whose it is; there are as many as
   * for connections. What is given must be given back once, by `releaseProxied`.
   */
  admitProxied(): boolean {
    return this.#places.take(PROXIED, this.#maxima.maxConnections);
  }

  releaseProxied(): void {
    this.#places.giveBack(PROXIED);
  }

  /** Gives back the place that `admitConnection` gave for this address. */
  releaseConnection(address: string, admission: Admission): void {
    if (admission === "tell") this.#places.giveBack(TOLD);
    if (admission !== "admitted") return;
    this.#connections--;
    this.#places.giveBack(ADMITTED);
    this.#places.giveBack(addressKey(address));
  }

  /** Asks for a place for a session of `user`, the name as the directory spells it. */
  readonly admitUser: AdmitUser = (user) => {
    const key = `user ${user}`;
    if (!this.#places.take(key, this.#maxima.maxConnectionsPerUser)) return undefined;
    let held = true;
    return {
      // A place given back twice would let one more in than the limit says.
      release: () => {
        if (held) this.#places.giveBack(key);
        held = false;
      },
    };
  };
}

function addressKey(address: string): string {
  return `address ${countedAddress(address)}`;
}
