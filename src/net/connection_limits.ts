/**
 * How many connections and sessions there may be: in all, from one address, of one user.
 *
 * *Knows*: counts. *Does not know*: sockets, what a client is told.
 */

import { countedAddress } from "../counted_address.ts";
import type { AdmitUser } from "../session/services.ts";

export interface ConnectionMaxima {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxConnectionsPerUser: number;
}

/**
 * Connections beyond a limit that are told so before they are closed. Under implicit TLS that takes a
 * handshake, so they cost something too: beyond this margin a connection is closed without a word.
 */
const TELL_MARGIN = 64;

/**
 * - `admitted`: serve it.
 * - `tell`: say that there are too many, then close.
 * - `drop`: close at once.
 */
export type Admission = "admitted" | "tell" | "drop";

export class ConnectionLimits {
  #maxima: ConnectionMaxima;
  #admitted = 0;
  #told = 0;
  readonly #ofAddress = new Map<string, number>();
  readonly #ofUser = new Map<string, number>();

  constructor(maxima: ConnectionMaxima) {
    this.#maxima = maxima;
  }

  /** Replaces the maxima. What is there stays, also when it is more than the new ones allow. */
  set maxima(maxima: ConnectionMaxima) {
    this.#maxima = maxima;
  }

  /** Connections that were admitted and are not over. */
  get connections(): number {
    return this.#admitted;
  }

  /**
   * Asks for a place for a connection from `address`, in the spelling of `plainAddress`. What is
   * admitted or told must be given back once, by `releaseConnection`.
   */
  admitConnection(address: string): Admission {
    const { maxConnections, maxConnectionsPerAddress } = this.#maxima;
    const counted = countedAddress(address);
    const ofAddress = this.#ofAddress.get(counted) ?? 0;
    if (this.#admitted < maxConnections && ofAddress < maxConnectionsPerAddress) {
      this.#admitted++;
      this.#ofAddress.set(counted, ofAddress + 1);
      return "admitted";
    }
    if (this.#told >= TELL_MARGIN) return "drop";
    this.#told++;
    return "tell";
  }

  /** Gives back the place that `admitConnection` gave for this address. */
  releaseConnection(address: string, admission: Admission): void {
    if (admission === "tell") this.#told--;
    if (admission !== "admitted") return;
    this.#admitted--;
    takeOne(this.#ofAddress, countedAddress(address));
  }

  /** Asks for a place for a session of `user`, the name as the directory spells it. */
  readonly admitUser: AdmitUser = (user) => {
    const ofUser = this.#ofUser.get(user) ?? 0;
    if (ofUser >= this.#maxima.maxConnectionsPerUser) return undefined;
    this.#ofUser.set(user, ofUser + 1);
    let held = true;
    return {
      // A place given back twice would let one more in than the limit says.
      release: () => {
        if (held) takeOne(this.#ofUser, user);
        held = false;
      },
    };
  };
}

/** Counts one less, and forgets who has none: the maps hold only who is here now. */
function takeOne(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 0) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}
