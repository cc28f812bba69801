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
import { CLOSED_A_TURN, NEWCOMERS_A_TURN, NEWCOMERS_WAITING, TLS_NEWCOMER } from "../limits.ts";
import { plainAddress } from "./address.ts";
import { FairLine } from "./fair_line.ts";
import type { Listener } from "./listener.ts";

interface Newcomer {
  readonly socket: Socket;
  readonly listener: Listener;
}

export interface NewcomersOptions {
  /** How many may wait. */
  readonly most?: number;
  /** How many sockets there may be here at present, with those that are about to be closed. */
  readonly room?: () => number;
}

export class Newcomers {
  readonly #begin: (socket: Socket, listener: Listener) => void;
  readonly #most: number;
  readonly #room: () => number;
  /** Those that are to be closed. */
  readonly #tooMany: Socket[] = [];
  readonly #waiting = new FairLine<Newcomer>();
  /** Begun with in this turn. While somebody waits there may be no more. */
  #begun = 0;

  /** @param begin Gets each socket once; one that had to wait is paused. */
  constructor(
    begin: (socket: Socket, listener: Listener) => void,
    { most = NEWCOMERS_WAITING, room = () => Infinity }: NewcomersOptions = {},
  ) {
    this.#begin = begin;
    this.#most = most;
    this.#room = room;
  }

  /** Begins with a client, or has it wait; one too many, of those who come most, is closed later. */
  came(socket: Socket, listener: Listener): void {
    if (this.#begun < NEWCOMERS_A_TURN) return this.#beginWith({ socket, listener });
    const { remoteAddress } = socket;
    // One that has gone already has no address any more.
    const held = this.#waiting.length + this.#tooMany.length;
    if (remoteAddress === undefined || held >= this.#room()) return void socket.destroy();
    // What it sends stays with it. That it breaks off is no news, but must find a listener.
    socket.pause();
    socket.on("error", ignore);
    const address = plainAddress(remoteAddress);
    if (this.#waiting.length >= this.#most) {
      const tooMany = this.#waiting.makeRoomFor(address);
      this.#tooMany.push(tooMany?.socket ?? socket);
      if (tooMany === undefined) return;
    }
    this.#waiting.add(address, { socket, listener });
  }

  /** Closes all who wait. */
  destroyAll(): void {
    for (let one; (one = this.#waiting.take()) !== undefined;) one.socket.destroy();
    for (const socket of this.#tooMany.splice(0)) socket.destroy();
  }

  #beginWith({ socket, listener }: Newcomer): void {
    const hadRoom = this.#begun < NEWCOMERS_A_TURN;
    this.#begun += listener.binding.security === "implicit-tls" ? TLS_NEWCOMER : 1;
    if (hadRoom && this.#begun >= NEWCOMERS_A_TURN) setImmediate(this.#goOn);
    this.#begin(socket, listener);
  }

  readonly #goOn = (): void => {
    this.#begun = 0;
    for (const socket of this.#tooMany.splice(0, CLOSED_A_TURN)) socket.destroy();
    try {
      while (this.#begun < NEWCOMERS_A_TURN) {
        const newcomer = this.#waiting.take();
        if (newcomer === undefined) break;
        if (newcomer.socket.destroyed) continue;
        newcomer.socket.off("error", ignore);
        this.#beginWith(newcomer);
      }
    } finally {
      // Also where one could not be begun with: nobody is to wait until others come.
      const isOver = this.#waiting.length === 0 && this.#tooMany.length === 0;
      if (!isOver && this.#begun < NEWCOMERS_A_TURN) {
        this.#begun = NEWCOMERS_A_TURN;
        setImmediate(this.#goOn);
      }
    }
  };
}

function ignore(): void {}
