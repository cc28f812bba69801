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
import { CLOSE_LINGER_MS, REFUSALS_MS } from "../limits.ts";
import { giveMemoryBack } from "../platform/spare_memory.ts";
import { errLine } from "../wire/reply.ts";
import { plainAddress } from "./address.ts";
import { AfterRush } from "./after_rush.ts";
import { Connection } from "./connection.ts";
import type { Admission, ConnectionLimits } from "./connection_limits.ts";
import type { Binding, Listener } from "./listener.ts";
import { Listeners } from "./listeners.ts";
import { Newcomers } from "./newcomers.ts";
import { Proxied } from "./proxied.ts";
import type { ConnectionClient, Serving } from "./serving.ts";
import { socketRoom } from "./socket_room.ts";
import { Sweep, tickFor } from "./sweep.ts";

const log = getLogger(["popkeep", "net"]);

/** fetchmail reads "wait" as "come back later"; without it the refusal would look like a bad login. */
const REFUSAL = errLine("too many connections, wait and try again", "SYS/TEMP");

export class Pop3Server {
  readonly #limits: ConnectionLimits;
  readonly #listeners: Listeners;
  readonly #room = socketRoom();
  readonly #newcomers = new Newcomers((socket, listener) => this.#accepted(socket, listener), {
    most: this.#room.waiting,
    room: () => this.#room.sockets - this.#connections.size - this.#proxied.size,
  });
  readonly #connections = new Set<Connection>();
  /** Those whose proxy has not said yet whose they are. */
  readonly #proxied = new Set<Proxied>();
  readonly #rush = new AfterRush(giveMemoryBack);
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
    this.#listeners = new Listeners((socket, listener) => this.#newcomers.came(socket, listener), {
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
    this.#newcomers.destroyAll();
    for (const proxied of this.#proxied) proxied.destroy();
    this.#proxied.clear();
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
    const { remoteAddress, remotePort = 0 } = socket;
    const serving = this.#serving;
    if (remoteAddress === undefined || serving === undefined) return void socket.destroy();
    const address = plainAddress(remoteAddress);
    if (this.#connections.size + this.#proxied.size >= this.#room.connections) {
      log.debug("connection dropped", { address, port: listener.port });
      return void socket.destroy();
    }
    if (serving.isProxy(address)) {
      return this.#awaitClient(socket, { proxy: address, listener, serving });
    }
    this.#admit(socket, { client: { address, port: remotePort }, listener, serving });
  }

  /** Waits for a proxy's word on whose connection it is. */
  #awaitClient(
    socket: Socket,
    { proxy, listener, serving }: { proxy: string; listener: Listener; serving: Serving },
  ): void {
    const where = { address: proxy, port: listener.port };
    if (!this.#limits.admitProxied()) {
      log.debug("connection dropped", where);
      return void socket.destroy();
    }
    const over = () => {
      this.#proxied.delete(proxied);
      this.#limits.releaseProxied();
    };
    const proxied = new Proxied(socket, {
      sweep: this.#sweep,
      limitMs: serving.tlsHandshakeMs,
      outcome: {
        introduced: (named) => {
          over();
          const client = named === undefined
            ? { address: proxy, port: socket.remotePort ?? 0 }
            : { ...named, proxy };
          this.#admit(socket, { client, listener, serving });
        },
        notIntroduced: (reason) => {
          over();
          // Many a monitor opens a connection and closes it.
          if (reason === undefined) log.debug("connection without a proxy header", where);
          else log.warning("proxy header refused", { ...where, reason });
        },
      },
    });
    this.#proxied.add(proxied);
  }

  #admit(
    socket: Socket,
    { client, listener, serving }: {
      client: ConnectionClient;
      listener: Listener;
      serving: Serving;
    },
  ): void {
    const { address } = client;
    const admission = this.#limits.admitConnection(address);
    if (admission === "drop") {
      log.debug("connection dropped", { address, port: listener.port });
      return void socket.destroy();
    }
    this.#connect(socket, { client, admission, listener, serving });
  }

  #connect(
    socket: Socket,
    { client, admission, listener, serving }: {
      client: ConnectionClient;
      admission: Admission;
      listener: Listener;
      serving: Serving;
    },
  ): void {
    const connection = new Connection(socket, {
      serving,
      sweep: this.#sweep,
      client,
      localPort: listener.port,
      implicitTls: listener.binding.security === "implicit-tls",
      refusal: admission === "tell" ? REFUSAL : undefined,
      ended: () => this.#release(client.address, admission),
      gone: () => {
        this.#connections.delete(connection);
        this.#rush.went(this.#connections.size);
        if (this.#connections.size === 0) this.#goOn?.();
      },
    });
    this.#connections.add(connection);
    this.#rush.came(this.#connections.size);
    connection.begin();
  }

  #release(address: string, admission: Admission): void {
    const release = () => this.#limits.releaseConnection(address, admission);
    if (admission !== "tell") return release();
    // Else who comes back as soon as he is refused would be told, and logged, as often as he likes.
    setTimeout(release, REFUSALS_MS).unref();
  }
}
