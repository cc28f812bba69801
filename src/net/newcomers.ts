/**
 * Begins with those who connect, a few in each turn of the event loop.
 *
 * Bun accepts in one go whoever is there, also those who come while it does. A client that comes again as
 * soon as it is greeted, refused or closed thereby kept all sessions waiting for seconds: there was always
 * one more to accept. Here the first few of a turn are begun with at once, which is everybody as long as
 * nobody floods; the others wait, unread, for the next turns, and their next attempt with them. Addresses
 * take turns, so that a flood from one of them makes nobody else wait.
 *
 * *Knows*: sockets, turns of the event loop. *Does not know*: limits, what is done with a socket.
 */

import type { Socket } from "node:net";
import { setImmediate } from "node:timers";
import { NEWCOMERS_A_TURN, NEWCOMERS_WAITING, TLS_NEWCOMER } from "../limits.ts";
import { plainAddress } from "./address.ts";
import { FairLine } from "./fair_line.ts";
import type { Listener } from "./listener.ts";

interface Newcomer {
  readonly socket: Socket;
  readonly listener: Listener;
}

export class Newcomers {
  readonly #begin: (socket: Socket, listener: Listener) => void;
  readonly #most: number;
  readonly #waiting = new FairLine<Newcomer>();
  /** Begun with in this turn. While somebody waits there may be no more. */
  #begun = 0;

  /**
   * @param begin Gets each socket once; one that had to wait is paused.
   * @param options.most How many may wait.
   */
  constructor(
    begin: (socket: Socket, listener: Listener) => void,
    { most = NEWCOMERS_WAITING }: { readonly most?: number } = {},
  ) {
    this.#begin = begin;
    this.#most = most;
  }

  /** Begins with a client, or has it wait; one too many, of those who come most, is closed. */
  came(socket: Socket, listener: Listener): void {
    if (this.#begun < NEWCOMERS_A_TURN) return this.#beginWith({ socket, listener });
    const { remoteAddress } = socket;
    // One that has gone already has no address any more.
    if (remoteAddress === undefined) return void socket.destroy();
    const address = plainAddress(remoteAddress);
    if (this.#waiting.length >= this.#most) {
      const tooMany = this.#waiting.makeRoomFor(address);
      if (tooMany === undefined) return void socket.destroy();
      tooMany.socket.destroy();
    }
    // What it sends stays with it. That it breaks off is no news, but must find a listener.
    socket.pause();
    socket.on("error", ignore);
    this.#waiting.add(address, { socket, listener });
  }

  /** Closes all who wait. */
  destroyAll(): void {
    for (let one; (one = this.#waiting.take()) !== undefined;) one.socket.destroy();
  }

  #beginWith({ socket, listener }: Newcomer): void {
    const hadRoom = this.#begun < NEWCOMERS_A_TURN;
    this.#begun += listener.binding.security === "implicit-tls" ? TLS_NEWCOMER : 1;
    if (hadRoom && this.#begun >= NEWCOMERS_A_TURN) setImmediate(this.#goOn);
    this.#begin(socket, listener);
  }

  readonly #goOn = (): void => {
    this.#begun = 0;
    while (this.#begun < NEWCOMERS_A_TURN) {
      const newcomer = this.#waiting.take();
      if (newcomer === undefined) return;
      if (newcomer.socket.destroyed) continue;
      newcomer.socket.off("error", ignore);
      this.#beginWith(newcomer);
    }
  };
}

function ignore(): void {}
