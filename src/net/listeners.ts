/**
 * All places that the server listens on, and how they change on a reload: what is new is opened before
 * what is gone is closed, so that a reload which fails leaves everything as it was.
 *
 * *Knows*: listeners. *Does not know*: what is done with a client's socket.
 */

import { getLogger } from "@logtape/logtape";
import type { Socket } from "node:net";
import { type Binding, Listener, ListenFailure } from "./listener.ts";

const log = getLogger(["popkeep", "net"]);

export class Listeners {
  readonly #accepted: (socket: Socket, listener: Listener) => void;
  readonly #shared: boolean;
  #all: Listener[] = [];

  /** @param shared Other workers listen on the same places. */
  constructor(
    accepted: (socket: Socket, listener: Listener) => void,
    { shared = false }: { readonly shared?: boolean } = {},
  ) {
    this.#accepted = accepted;
    this.#shared = shared;
  }

  get all(): readonly Listener[] {
    return this.#all;
  }

  /**
   * Listens on `bindings` and on nothing else. A binding that is there already is not touched.
   *
   * @throws {ListenFailure} If one cannot be had; then everything is as before.
   */
  async change(bindings: readonly Binding[]): Promise<void> {
    const kept = new Map<Binding, Listener>();
    for (const listener of this.#all) {
      const binding = bindings.find((binding) => listener.isAt(binding) && !kept.has(binding));
      if (binding !== undefined) kept.set(binding, listener);
    }
    const gone = this.#all.filter((listener) => ![...kept.values()].includes(listener));
    const wanted = bindings.filter((binding) => !kept.has(binding));
    const opened = await this.#openInstead(wanted, gone);
    for (const listener of gone) {
      listener.close();
      log.info("no longer listening", listener.described);
    }
    for (const listener of opened) log.info("listening", listener.described);
    for (const [binding, listener] of kept) listener.binding = binding;
    this.#all = [...kept.values(), ...opened];
  }

  closeAll(): void {
    for (const listener of this.#all) listener.close();
    this.#all = [];
  }

  /**
   * Opens `wanted`. Where one is hidden by a listener that is to go, as 127.0.0.1:110 is by
   * 0.0.0.0:110, that one has to be closed first, and is opened again if it comes to nothing.
   */
  async #openInstead(wanted: readonly Binding[], gone: readonly Listener[]): Promise<Listener[]> {
    try {
      return await this.#openAll(wanted);
    } catch (error) {
      const { port } = error as ListenFailure;
      const inTheWay = gone.filter((listener) => listener.port === port);
      if (!(error instanceof ListenFailure) || inTheWay.length === 0) throw error;
      for (const listener of inTheWay) listener.close();
      try {
        return await this.#openAll(wanted);
      } catch (stillFails) {
        const reopened = await this.#openAll(inTheWay.map(({ binding }) => binding));
        this.#all = [...this.#all.filter((one) => !inTheWay.includes(one)), ...reopened];
        throw stillFails;
      }
    }
  }

  /** All of them or none. */
  async #openAll(bindings: readonly Binding[]): Promise<Listener[]> {
    const opened: Listener[] = [];
    try {
      for (const binding of bindings) {
        const listener = await this.#open(binding, bindings.length);
        if (listener !== undefined) opened.push(listener);
      }
    } catch (error) {
      for (const listener of opened) listener.close();
      throw error;
    }
    return opened;
  }

  async #open(binding: Binding, ofHowMany: number): Promise<Listener | undefined> {
    try {
      return await Listener.open(binding, this.#accepted, { shared: this.#shared });
    } catch (error) {
      if (!isForLackOfIpv6(error, binding, ofHowMany)) throw error;
      log.warning("not listening on IPv6, which this machine does not have", {
        port: binding.port,
      });
      return undefined;
    }
  }
}

/** Whether it is no fault: the default bindings name IPv6 too, and not every machine has it. */
export function isForLackOfIpv6(error: unknown, binding: Binding, ofHowMany: number): boolean {
  const hasNoIpv6 = error instanceof ListenFailure && NO_IPV6.has(error.code);
  return hasNoIpv6 && binding.address === "::" && ofHowMany > 1;
}

/** EINVAL is Deno's. */
const NO_IPV6 = new Set(["EAFNOSUPPORT", "EADDRNOTAVAIL", "EINVAL"]);
