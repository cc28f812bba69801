/**
 * The server: its listeners, its connections, and what they share.
 *
 * A reload changes all or nothing, and sessions that run keep what they began with. Stopping goes in
 * steps: no new connections; those that are not logged in are sent away; the others get a time to
 * QUIT; then they are told, and closed without UPDATE.
 *
 * *Knows*: connections, limits, listeners. *Does not know*: files, settings, signals.
 */

import { getLogger } from "@logtape/logtape";
import type { Socket } from "node:net";
import { CLOSE_LINGER_MS } from "../limits.ts";
import { errLine } from "../wire/reply.ts";
import { plainAddress } from "./address.ts";
import { Connection } from "./connection.ts";
import type { Admission, ConnectionLimits } from "./connection_limits.ts";
import type { Binding, Listener } from "./listener.ts";
import { Listeners } from "./listeners.ts";
import type { Serving } from "./serving.ts";
import { Sweep, tickFor } from "./sweep.ts";

const log = getLogger(["popkeep", "net"]);

/** fetchmail reads "wait" as "come back later"; without it the refusal would look like a bad login. */
const REFUSAL = errLine("too many connections, wait and try again", "SYS/TEMP");

export class Pop3Server {
  readonly #limits: ConnectionLimits;
  readonly #listeners: Listeners;
  readonly #connections = new Set<Connection>();
  #serving: Serving | undefined;
  #sweep = new Sweep(1_000);
  /** Ends the present wait of `stop` early. */
  #goOn: (() => void) | undefined;

  /** @param sharedPorts Other workers listen on the same ports. */
  constructor(
    limits: ConnectionLimits,
    { sharedPorts = false }: { readonly sharedPorts?: boolean } = {},
  ) {
    this.#limits = limits;
    this.#listeners = new Listeners((socket, listener) => this.#accepted(socket, listener), {
      shared: sharedPorts,
    });
  }

  /**
   * Listens on `bindings` and no others, and serves new connections by `serving`. Called again, it
   * changes that while connections go on; if it throws, nothing has changed.
   *
   * @param listening Called when it listens: a server that does not serve yet serves nobody before. Who comes
   *   meanwhile is closed.
   * @throws {ListenFailure} If one of the bindings cannot be had.
   */
  async serve(
    bindings: readonly Binding[],
    serving: Serving,
    listening?: () => void,
  ): Promise<void> {
    // Before the first client can come, who must find something to be served by.
    if (listening === undefined) this.#serving ??= serving;
    await this.#listeners.change(bindings);
    try {
      listening?.();
    } catch (error) {
      this.#listeners.closeAll();
      throw error;
    }
    this.#serving = serving;
    const { preAuthenticatedIdleMs, authenticatedIdleMs, tlsHandshakeMs } = serving;
    const tickMs = tickFor([preAuthenticatedIdleMs, authenticatedIdleMs, tlsHandshakeMs]);
    if (tickMs !== this.#sweep.tickMs) this.#sweep = new Sweep(tickMs);
  }

  /** Stops; resolves when no connection is left. Sessions get up to `graceMs` to QUIT. */
  async stop(graceMs: number): Promise<void> {
    this.#listeners.closeAll();
    for (const connection of this.#connections) connection.stopSoon();
    await this.#noneLeftWithin(graceMs);
    for (const connection of this.#connections) connection.stopNow();
    await this.#noneLeftWithin(CLOSE_LINGER_MS);
    for (const connection of this.#connections) connection.destroy();
  }

  /** Cuts short the time that `stop` is giving. */
  hasten(): void {
    this.#goOn?.();
  }

  #noneLeftWithin(ms: number): Promise<void> {
    if (this.#connections.size === 0 || ms === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#goOn = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #accepted(socket: Socket, listener: Listener): void {
    // A client that has gone already has no address any more.
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || this.#serving === undefined) return void socket.destroy();
    const address = plainAddress(remoteAddress);
    const admission = this.#limits.admitConnection(address);
    if (admission === "drop") {
      log.debug("connection dropped", { address, port: listener.port });
      return void socket.destroy();
    }
    this.#connect(socket, { address, admission, listener, serving: this.#serving });
  }

  #connect(
    socket: Socket,
    { address, admission, listener, serving }: {
      address: string;
      admission: Admission;
      listener: Listener;
      serving: Serving;
    },
  ): void {
    const connection = new Connection(socket, {
      serving,
      sweep: this.#sweep,
      address,
      localPort: listener.port,
      implicitTls: listener.binding.security === "implicit-tls",
      refusal: admission === "tell" ? REFUSAL : undefined,
      ended: () => this.#limits.releaseConnection(address, admission),
      gone: () => {
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#goOn?.();
      },
    });
    this.#connections.add(connection);
    connection.begin();
  }
}
