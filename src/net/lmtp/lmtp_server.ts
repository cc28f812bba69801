/**
 * The server for LMTP: where it listens, who may connect, and how that changes with a reload and ends.
 *
 * A change is prepared, which opens what is new and may fail, and then kept or undone: whoever changes more than
 * this can have all of it or nothing. Stopping goes in steps: nobody new; those who are in no message are sent
 * away; the others get a time to bring it to its end and hear the answers; then they are cut off.
 *
 * *Knows*: listeners, the dialogue. *Does not know*: files, settings, signals.
 */

import type { Socket } from "node:net";
import { getLogger } from "@logtape/logtape";
import { CLOSE_LINGER_MS, LMTP_CONNECTIONS } from "../../limits.ts";
import { plainAddress } from "../address.ts";
import type { Binding, Listener } from "../listener.ts";
import { Listeners } from "../listeners.ts";
import { LmtpDialogue, type LmtpServing } from "./lmtp_dialogue.ts";
import type { LmtpClient } from "./lmtp_services.ts";
import { SocketListener } from "./socket_listener.ts";

const log = getLogger(["popkeep", "net"]);

/** A stranger can connect as often as he likes: one line of the log in this time, ms. */
const TELL_EVERY_MS = 60_000;

const TOO_MANY = "421 4.3.2 too many connections, try again later\r\n";

export interface LmtpListening extends LmtpServing {
  readonly bindings: readonly Binding[];
  /** Sockets of this machine, absolute. */
  readonly sockets: readonly string[];
  /** Whether an address may hand mail over. */
  readonly isTrusted: (address: string) => boolean;
}

/** What has been prepared: kept or undone, once. */
export interface LmtpChange {
  keep(): void;
  undo(): Promise<void>;
}

export class LmtpServer {
  readonly #listeners: Listeners;
  #sockets: readonly SocketListener[] = [];
  #listening: LmtpListening | undefined;
  #dialogue: LmtpDialogue | undefined;
  #connections = 0;
  /** Of those who were one too many, how many have not gone yet. */
  #refused = 0;
  #toldMs = -Infinity;
  /** Ends the present wait of `stop` early. */
  #goOn: (() => void) | undefined;

  /** @param sharedPorts Other workers listen on the same ports. */
  constructor({ sharedPorts }: { readonly sharedPorts: boolean }) {
    this.#listeners = new Listeners((socket, listener) => this.#fromNetwork(socket, listener), {
      shared: sharedPorts,
    });
  }

  /**
   * Listens where it is to; nobody is served there yet, and who comes meanwhile is closed.
   *
   * @throws {PlaceFailure} If a place cannot be had; then everything is as before.
   */
  async prepare(listening: LmtpListening): Promise<LmtpChange> {
    const { bindings, sockets } = listening;
    const before = this.#listeners.all.map(({ binding }) => binding);
    const kept = this.#sockets.filter(({ path }) => sockets.includes(path));
    const opened: SocketListener[] = [];
    try {
      for (const path of sockets) {
        if (kept.some((one) => one.path === path)) continue;
        opened.push(
          await SocketListener.open(path, (socket) => this.#accepted(socket, { socket: path })),
        );
      }
      await this.#listeners.change(bindings);
    } catch (error) {
      for (const one of opened) one.close();
      throw error;
    }
    return {
      keep: () => this.#keep(listening, { kept, opened }),
      undo: async () => {
        for (const one of opened) one.close();
        await this.#listeners.change(before);
      },
    };
  }

  /** Stops; resolves when no connection is left. A message gets up to `graceMs` to come to its end. */
  async stop(graceMs: number): Promise<void> {
    this.#listeners.closeAll();
    for (const one of this.#sockets) one.close();
    this.#sockets = [];
    this.#listening = undefined;
    for (const connection of this.#dialogue?.all ?? []) connection.stopSoon();
    await this.#noneLeftWithin(graceMs);
    for (const connection of this.#dialogue?.all ?? []) connection.destroy();
  }

  /** Cuts short the time that `stop` is giving. */
  hasten(): void {
    this.#goOn?.();
  }

  #keep(
    listening: LmtpListening,
    { kept, opened }: Record<"kept" | "opened", readonly SocketListener[]>,
  ): void {
    for (const one of this.#sockets) {
      if (kept.includes(one)) continue;
      one.close();
      log.info("no longer listening", one.described);
    }
    for (const one of opened) log.info("listening", one.described);
    this.#sockets = [...kept, ...opened];
    this.#listening = listening;
    if (this.#dialogue !== undefined) this.#dialogue.serving = listening;
    else this.#dialogue = new LmtpDialogue(listening, tellOfFault);
  }

  #fromNetwork(socket: Socket, { port }: Listener): void {
    const address = plainAddress(socket.remoteAddress ?? "");
    if (this.#listening === undefined || this.#listening.isTrusted(address)) {
      return this.#accepted(socket, { address });
    }
    socket.on("error", () => {});
    socket.destroy();
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < TELL_EVERY_MS) return;
    this.#toldMs = nowMs;
    log.warning("not among lmtp_remote_ip_ranges", { address, port });
  }

  #accepted(socket: Socket, client: LmtpClient): void {
    const dialogue = this.#dialogue;
    if (dialogue === undefined || this.#listening === undefined) {
      socket.on("error", () => {});
      return void socket.destroy();
    }
    if (this.#connections >= LMTP_CONNECTIONS) return this.#refuse(socket);
    this.#connections++;
    dialogue.serve(socket, client, () => {
      this.#connections--;
      if (this.#connections === 0) this.#goOn?.();
    });
  }

  /**
   * Tells one too many so. His end is waited for, since one who is cut off at once may hear nothing but that; as many
   * as are served are waited for, more are not.
   */
  #refuse(socket: Socket): void {
    socket.on("error", () => {});
    if (this.#refused >= LMTP_CONNECTIONS) return void socket.destroy();
    this.#refused++;
    const cutOff = setTimeout(() => socket.destroy(), CLOSE_LINGER_MS).unref();
    socket.once("close", () => {
      clearTimeout(cutOff);
      this.#refused--;
    });
    socket.resume();
    socket.end(TOO_MANY);
  }

  #noneLeftWithin(ms: number): Promise<void> {
    if (this.#connections === 0 || ms === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#goOn = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function tellOfFault(error: unknown): void {
  log.error("fault in popkeep", { error });
}
