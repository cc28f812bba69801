/**
 * The places that workers listen on, held by the supervisor: so no other program gets one while no worker
 * listens, one that is there already is found, and "any port" is the same port for all workers.
 *
 * *Knows*: bindings. *Does not know*: workers.
 */

import { getLogger } from "@logtape/logtape";
import { type HeldPort, holdPort } from "../../platform/held_port.ts";
import { type Binding, Listener } from "../listener.ts";
import { isForLackOfIpv6 } from "../listeners.ts";

const log = getLogger(["popkeep", "net"]);

interface Place {
  readonly wanted: Binding;
  /** Undefined where the system cannot hold one. */
  readonly held: HeldPort | undefined;
  readonly port: number;
}

export class HeldPlaces {
  #places: readonly Place[] = [];

  /**
   * Holds `bindings` and no others; returns them with their ports.
   *
   * @throws {ListenFailure} If one cannot be had; then everything is as before.
   */
  async change(bindings: readonly Binding[]): Promise<HeldChange> {
    const before = this.#places;
    const kept = new Set<Place>();
    const made: Place[] = [];
    const places: Place[] = [];
    try {
      for (const wanted of bindings) {
        const old = before.find((place) => !kept.has(place) && isSame(place.wanted, wanted));
        if (old !== undefined) {
          kept.add(old);
          places.push({ ...old, wanted });
          continue;
        }
        const place = await this.#hold(wanted, bindings.length);
        if (place === undefined) continue;
        made.push(place);
        places.push(place);
      }
    } catch (error) {
      for (const { held } of made) held?.close();
      throw error;
    }
    return {
      bindings: places.map(({ wanted, port }) => ({ ...wanted, port })),
      keep: () => {
        this.#places = places;
        for (const place of before) if (!kept.has(place)) place.held?.close();
      },
      undo: () => {
        for (const { held } of made) held?.close();
      },
    };
  }

  closeAll(): void {
    for (const { held } of this.#places) held?.close();
    this.#places = [];
  }

  async #hold(wanted: Binding, ofHowMany: number): Promise<Place | undefined> {
    const { address, port } = wanted;
    // One of ours may hide the place, as 0.0.0.0 does all others at its port.
    const shared = port !== 0 && this.#places.some((place) => place.port === port);
    const held = holdPort(address, port, { shared });
    if (held !== undefined) return { wanted, held, port: held.port };
    try {
      return { wanted, held: undefined, port: await portOfTrial(wanted) };
    } catch (error) {
      if (!isForLackOfIpv6(error, wanted, ofHowMany)) throw error;
      log.warning("not listening on IPv6, which this machine does not have", { port });
      return undefined;
    }
  }
}

/** What comes of a change: it is kept or undone, once. */
export interface HeldChange {
  /** With the ports that are held. */
  readonly bindings: readonly Binding[];
  keep(): void;
  undo(): void;
}

/** Listens for a moment: who cannot hold a place learns whether it can be had, or why not. */
async function portOfTrial(binding: Binding): Promise<number> {
  const listener = await Listener.open(binding, (socket) => socket.destroy());
  const { port } = listener;
  listener.close();
  return port;
}

function isSame(one: Binding, other: Binding): boolean {
  return one.address === other.address && one.port === other.port;
}
