/**
 * One client's connection from accept to close: its socket, its TLS, how long it may be idle, and how
 * it ends. What is said in between is the command loop's.
 *
 * Rules:
 * - What a client sends ahead is bounded: beyond INPUT_PENDING_OCTETS its socket is paused.
 * - Inactivity counts from the last command, or from the last octets that the client took (V0002).
 *   While we owe an answer the client is not inactive, whatever it sends or does not.
 * - Nothing that arrived before TLS is used under it.
 * - Half-closed is not gone: commands that came before a FIN are answered.
 * - The end is told to the log once, and gives back what the connection held, whatever ended it.
 *
 * *Knows*: sockets, TLS by its acceptor, the loop. *Does not know*: commands, maildrops, listeners.
 */

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { EndReason } from "../admin/session_log.ts";
import {
  CLOSE_LINGER_MS,
  CLOSE_LINGER_OCTETS,
  INPUT_PENDING_OCTETS,
  STRANGER_BATCH_OCTETS,
} from "../limits.ts";
import { MessageGone, StorageFailure } from "../maildrop/store.ts";
import { pauseReading, resumeReading } from "../platform/socket_reading.ts";
import { Session } from "../session/session.ts";
import { CommandLoop, type Halt } from "./command_loop.ts";
import { ConnectionRecord } from "./connection_record.ts";
import { Output } from "./output.ts";
import { secureChannelOf } from "./secure_channel.ts";
import { haveDoneEnough, nextTurn } from "./session_turns.ts";
import type { ConnectionOptions } from "./serving.ts";
import type { Swept } from "./sweep.ts";
import { type HandshakeOutcome, holdsOnlyTls } from "./tls_acceptor.ts";

/**
 * - `handshake`: TLS is being set up; nothing of POP3 is read or written.
 * - `serving`: lines are read and answered.
 * - `closing`: all has been said; the client gets a moment to close its end.
 * - `over`: the socket is gone.
 */
type Phase = "handshake" | "serving" | "closing" | "over";

/** The work of hanging up, in octets of output that take as long: a tenth of a millisecond. */
const HANGING_UP_OCTETS_WORTH = 32_768;

export class Connection implements Swept, HandshakeOutcome {
  readonly #options: ConnectionOptions;
  readonly #record: ConnectionRecord;
  readonly #session: Session;
  readonly #loop: CommandLoop;
  #socket: Socket;
  #output: Output;
  #phase: Phase = "serving";
  /** When the present phase began, on the sweep's clock. */
  #phaseSinceMs: number;
  #inputEnded = false;
  /** The socket that is not read since the client has sent too much ahead; TLS over it is another one. */
  #paused: Socket | undefined;
  #discardedOctets = 0;
  #socketError: string | undefined;
  #stopping: "soon" | "now" | undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    const { serving, sweep, implicitTls, client } = options;
    const tls = implicitTls || client.tls !== undefined;
    this.#options = options;
    this.#socket = socket;
    this.#output = new Output(socket, STRANGER_BATCH_OCTETS);
    this.#phaseSinceMs = sweep.nowMs;
    this.#record = new ConnectionRecord(socket, options);
    this.#record.log.tls = client.tls;
    this.#session = new Session(
      serving.servicesFor(client.address),
      { tls, stlsPossible: !tls && serving.tls !== undefined },
      this.#record.log,
    );
    this.#loop = new CommandLoop({
      session: this.#session,
      output: this.#output,
      sweep,
      maxCommandOctets: serving.maxCommandOctets,
      address: client.address,
      tap: this.#record.tap,
    });
  }

  /** Greets the client, after the handshake where TLS comes first. */
  begin(): void {
    this.#options.sweep.add(this);
    this.#socket.on("error", this.#socketFailed).on("close", this.#gone);
    if (this.#options.implicitTls) return this.#startTls();
    this.#serve();
    // Whoever read a proxy's header from it left it so.
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** The server will stop: ends a connection that is not logged in, and lets the others finish. */
  stopSoon(): void {
    this.#stopping ??= "soon";
    if (this.#phase === "handshake") this.#destroy("shutdown");
    else if (!this.#loop.running) this.#stopIfDue();
  }

  /** The server stops: says so if something can be said, and closes without UPDATE. */
  stopNow(): void {
    this.#stopping = "now";
    if (this.#phase === "handshake") this.#destroy("shutdown");
    else if (!this.#loop.running) this.#stopIfDue();
    // In the middle of a message a line of ours would pass for a part of it.
    else if (this.#loop.sending) this.#destroy("shutdown");
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#destroy("shutdown");
  }

  sweep(): void {
    const { sweep, serving } = this.#options;
    const since = this.#phaseSinceMs;
    switch (this.#phase) {
      case "handshake":
        if (sweep.hasPassed(since, serving.tlsHandshakeMs)) this.handshakeFailed("timeout");
        break;
      case "serving":
        if (sweep.hasPassed(this.#loop.activeMs, this.#idleLimitMs)) this.#timeOut();
        break;
      case "closing":
        if (sweep.hasPassed(since, CLOSE_LINGER_MS)) this.#destroy("disconnected");
    }
  }

  secured(socket: TLSSocket): void {
    if (this.#phase !== "handshake") return void socket.destroy();
    // It closes when the TLS above it does, which may still have octets that were not read.
    this.#socket.off("close", this.#gone);
    this.#socket = socket;
    this.#record.log.tls = socket.getProtocol() ?? "TLS";
    this.#output = new Output(socket, STRANGER_BATCH_OCTETS);
    this.#loop.useOutput(this.#output);
    socket.on("error", this.#socketFailed).on("close", this.#gone);
    this.#session.tlsStarted(secureChannelOf(socket));
    if (this.#options.implicitTls) return this.#serve();
    this.#enter("serving");
    this.#listen();
  }

  handshakeFailed(reason: string): void {
    if (this.#phase !== "handshake") return;
    this.#destroy("tls_failed", reason);
  }

  get #idleLimitMs(): number {
    const { preAuthenticatedIdleMs, authenticatedIdleMs } = this.#options.serving;
    return this.#session.state === "AUTHORIZATION" ? preAuthenticatedIdleMs : authenticatedIdleMs;
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#phaseSinceMs = this.#options.sweep.nowMs;
  }

  #serve(): void {
    const { refusal } = this.#options;
    this.#enter("serving");
    this.#listen();
    if (refusal !== undefined) return this.#closeAfter("limit", refusal);
    const { line } = this.#session.greeting();
    this.#output.putLine(line);
    void this.#output.flush();
    this.#record.tap?.opened(line);
  }

  #listen(): void {
    this.#socket.on("data", this.#received).on("end", this.#inputOver);
  }

  readonly #received = (octets: Uint8Array): void => {
    if (this.#phase === "closing") {
      this.#discardedOctets += octets.length;
      if (this.#discardedOctets > CLOSE_LINGER_OCTETS) this.#destroy("disconnected");
    }
    if (this.#phase !== "serving") return;
    this.#loop.push(octets);
    if (!this.#loop.running) this.#work();
    if (this.#loop.discarding && octets.length > INPUT_PENDING_OCTETS) return this.#readOnLater();
    // Only an answer that is under way will have it read on.
    const isAhead = this.#loop.running && this.#loop.pending > INPUT_PENDING_OCTETS;
    if (isAhead && this.#paused !== this.#socket) {
      this.#paused = this.#socket;
      pauseReading(this.#socket);
    }
  };

  /** Lines without an end come as fast as they are read, and reading alone would keep others waiting. */
  #readOnLater(): void {
    const socket = this.#socket;
    pauseReading(socket);
    void nextTurn(this.#options.client.address).then(() => {
      if (this.#paused !== socket) resumeReading(socket);
    });
  }

  readonly #inputOver = (): void => {
    this.#inputEnded = true;
    if (this.#loop.running) return;
    if (!haveDoneEnough(HANGING_UP_OCTETS_WORTH)) return this.#hangUpIfDone();
    // Thousands may hang up in the same moment, as behind a network that fails.
    void nextTurn(this.#options.client.address).then(() => {
      if (!this.#loop.running) this.#hangUpIfDone();
    });
  };

  readonly #gone = (): void => this.#destroy("disconnected", this.#socketError);

  /** That a client vanishes is no news; "close" follows. */
  readonly #socketFailed = (error: NodeJS.ErrnoException): void => {
    this.#socketError = error.code ?? error.message;
  };

  /**
   * Runs the loop until it stands still, and does what its last answer asks for: at once, unless there is
   * something to wait for. Never throws or rejects.
   */
  #work(): void {
    try {
      const halt = this.#loop.run();
      if (halt instanceof Promise || halt === "start-tls") return void this.#workOn(halt);
      this.#halted(halt);
    } catch (error) {
      this.#failed(error);
    }
    this.#tellEnd();
  }

  async #workOn(running: Halt | Promise<Halt>): Promise<void> {
    try {
      const halt = await running;
      if (halt === "start-tls" && this.#phase === "serving") await this.#startTlsAfterReply();
      else this.#halted(halt);
    } catch (error) {
      this.#failed(error);
    }
    this.#tellEnd();
  }

  #halted(halt: Halt): void {
    if (this.#phase !== "serving") return;
    if (halt === "close") this.#closeAsAnswered();
    else this.#standStill();
  }

  #failed(error: unknown): void {
    // The session has told the log what storage did; a fault of ours it may not know.
    const isStorage = error instanceof StorageFailure || error instanceof MessageGone;
    if (!isStorage) this.#record.log.erred(error);
    this.#destroy(isStorage ? "storage_failed" : "error");
  }

  #standStill(): void {
    // More has come in the meantime, and its answer is under way.
    if (this.#loop.running || this.#stopIfDue()) return;
    if (this.#paused === this.#socket) resumeReading(this.#socket);
    this.#paused = undefined;
    this.#hangUpIfDone();
  }

  #hangUpIfDone(): void {
    if (this.#inputEnded && this.#phase === "serving") this.#close("disconnected");
  }

  #stopIfDue(): boolean {
    if (this.#stopping === undefined || this.#phase !== "serving") return false;
    if (this.#stopping === "soon" && this.#session.state !== "AUTHORIZATION") return false;
    this.#closeAfter("shutdown", this.#session.shuttingDown().line);
    return true;
  }

  #startTls(): void {
    this.#enter("handshake");
    this.#options.serving.tls?.accept(this.#socket, this);
  }

  /** After STLS: sends the +OK, makes sure that nothing stood behind the command, and hands over. */
  async #startTlsAfterReply(): Promise<void> {
    const plain = this.#socket;
    // From here on octets wait in the socket. "end" too: the handshake will find it.
    plain.pause();
    plain.off("data", this.#received).off("end", this.#inputOver);
    await this.#output.flush();
    if (this.#phase !== "serving") return;
    if (this.#loop.pending > 0 || this.#inputEnded || !holdsOnlyTls(plain)) {
      return this.#close("stls_injection");
    }
    this.#startTls();
  }

  #timeOut(): void {
    // What is under way without waiting for the client is ours to finish.
    if (this.#loop.running && !this.#loop.sending) return;
    if (this.#loop.running) return this.#destroy("timeout");
    this.#closeAfter("timeout", this.#session.timedOut().line);
  }

  #closeAsAnswered(): void {
    // Besides QUIT, a session closes when it has had enough of the client, or failed itself.
    const quit = this.#session.state === "UPDATE" || this.#loop.lastLine.startsWith("+OK");
    this.#close(this.#record.log.turnedAwayFor ?? (quit ? "quit" : "error"));
  }

  #closeAfter(reason: EndReason, line: string): void {
    this.#output.putLine(line);
    this.#close(reason);
  }

  /** Sends what is still to be sent, says that no more will come, and waits a moment for the client. */
  #close(reason: EndReason): void {
    this.#record.endsBy(reason);
    this.#enter("closing");
    void this.#output.flush();
    this.#socket.end();
    // What still comes is thrown away, so that the client's FIN behind it is seen.
    resumeReading(this.#socket);
    this.#tellEnd();
  }

  #destroy(reason: EndReason, detail?: string): void {
    if (this.#phase === "over") return;
    this.#record.endsBy(reason, detail);
    this.#phase = "over";
    this.#options.sweep.delete(this);
    this.#loop.stop();
    this.#socket.destroy();
    this.#tellEnd();
    this.#options.gone();
  }

  /** Lets go of what the session holds and tells the log, as soon as no command is under way. */
  #tellEnd(): void {
    if (!this.#record.isToBeTold || this.#loop.running) return;
    this.#options.ended();
    this.#record.tell(this.#session.end());
  }
}
