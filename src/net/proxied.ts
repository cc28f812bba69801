/**
 * A connection that a trusted proxy opened, until its header has said whose it is.
 *
 * Nothing is sent before. What stands behind the header is left in the socket, in one piece, for whoever
 * reads it next: it may be the beginning of a TLS handshake.
 *
 * *Knows*: sockets, the header. *Does not know*: which addresses are proxies', limits, sessions.
 */

import type { Socket } from "node:net";
import { Buffer } from "node:buffer";
import { type ProxiedClient, readProxyHeader } from "./proxy_header.ts";
import type { Sweep, Swept } from "./sweep.ts";

/** What comes of it; exactly one of them is called, or none after `destroy`. */
export interface ProxiedOutcome {
  /** The socket is paused. Without a client the connection is the proxy's own. */
  introduced(client: ProxiedClient | undefined): void;
  /** No header came, and the socket is gone. `reason` is undefined where nothing came at all. */
  notIntroduced(reason: string | undefined): void;
}

export class Proxied implements Swept {
  readonly #socket: Socket;
  readonly #sweep: Sweep;
  readonly #limitMs: number;
  readonly #outcome: ProxiedOutcome;
  readonly #sinceMs: number;
  #octets: Uint8Array = new Uint8Array(0);
  #over = false;

  /** @param limitMs How long the header may take, ms. */
  constructor(
    socket: Socket,
    { sweep, limitMs, outcome }: { sweep: Sweep; limitMs: number; outcome: ProxiedOutcome },
  ) {
    this.#socket = socket;
    this.#sweep = sweep;
    this.#limitMs = limitMs;
    this.#outcome = outcome;
    this.#sinceMs = sweep.nowMs;
    sweep.add(this);
    socket.on("error", this.#failed).on("end", this.#closed).on("close", this.#closed)
      .on("data", this.#received);
    // Who had to wait for his turn is not read until now.
    if (socket.isPaused()) socket.resume();
  }

  sweep(): void {
    if (this.#sweep.hasPassed(this.#sinceMs, this.#limitMs)) this.#refuse("it took too long");
  }

  /** Closes the connection. */
  destroy(): void {
    if (this.#letGo()) this.#socket.on("error", this.#failed).destroy();
  }

  readonly #received = (octets: Uint8Array): void => {
    this.#octets = this.#octets.length === 0 ? octets : Buffer.concat([this.#octets, octets]);
    const header = readProxyHeader(this.#octets);
    if (header.kind === "more") return;
    if (header.kind === "fault") return this.#refuse(header.reason);
    if (!this.#letGo()) return;
    this.#socket.pause();
    const behind = this.#octets.subarray(header.octets);
    if (behind.length > 0) this.#socket.unshift(behind);
    this.#outcome.introduced(header.client);
  };

  readonly #closed = (): void =>
    this.#refuse(this.#octets.length === 0 ? undefined : "the connection ended within it");

  /** "close" follows; without a listener it would end the process. */
  readonly #failed = (): void => {};

  #refuse(reason: string | undefined): void {
    if (!this.#letGo()) return;
    // An error that comes after it must find a listener too.
    this.#socket.on("error", this.#failed).destroy();
    this.#outcome.notIntroduced(reason);
  }

  /** Lets go of the socket; false if that was done before. */
  #letGo(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#sweep.delete(this);
    this.#socket.off("error", this.#failed).off("end", this.#closed).off("close", this.#closed)
      .off("data", this.#received);
    return true;
  }
}
