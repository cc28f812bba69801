/**
 * A wire with a session at its other end and nothing in between: no socket, no TLS, no timers.
 *
 * It does what src/net does and no more: cuts lines with the framer, gives them to the session one at a
 * time, draws bodies, obeys `next`. TLS is a word: after `startTls` the session is told that it is on.
 */

import { Buffer } from "node:buffer";
import { SASL_LINE_OCTETS } from "../../src/limits.ts";
import type { Answer } from "../../src/session/answer.ts";
import type { Session } from "../../src/session/session.ts";
import { LineFramer } from "../../src/wire/line_framer.ts";
import { piecesOf } from "./body_pieces.ts";
import type { Wire } from "./wire.ts";

export class MemoryWire implements Wire {
  readonly session: Session;
  readonly #maxCommandOctets: number;
  readonly #framer = new LineFramer();
  #said: Uint8Array[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #inputEnded = false;
  #handshake = false;
  #working: Promise<void> = Promise.resolve();

  constructor(session: Session, maxCommandOctets: number) {
    this.session = session;
    this.#maxCommandOctets = maxCommandOctets;
    this.#say(Buffer.from(`${session.greeting().line}\r\n`));
  }

  get pending(): number {
    return this.#said.reduce((sum, octets) => sum + octets.length, 0);
  }

  write(octets: Uint8Array): Promise<void> {
    if (this.#ended) return Promise.resolve();
    this.#framer.push(new Uint8Array(octets));
    this.#working = this.#working.then(() => this.#work());
    return Promise.resolve();
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.#said.length === 0 && !this.#ended) {
      const working = this.#working;
      await Promise.race([working, new Promise<void>((resolve) => this.#wake = resolve)]);
      if (this.#said.length > 0 || this.#ended) break;
      // Without a clock it is known at once that waiting would not help.
      if (working === this.#working) throw new Error("The session has nothing more to say");
    }
    return this.#said.shift();
  }

  startTls(): Promise<void> {
    if (!this.#handshake) throw new Error("The session did not ask for TLS");
    this.#handshake = false;
    this.session.tlsStarted();
    return Promise.resolve();
  }

  halfClose(): void {
    this.#inputEnded = true;
    this.#working = this.#working.then(() => this.#work());
  }

  destroy(): void {
    this.#end();
  }

  /** Says what the server says when the inactivity timer runs out. */
  timeOut(): void {
    this.#working = this.#working.then(() => this.#answer(this.session.timedOut()));
  }

  async #work(): Promise<void> {
    while (!this.#ended && !this.#handshake) {
      const isCommand = this.session.expects === "command";
      const line = this.#framer.next(isCommand ? this.#maxCommandOctets : SASL_LINE_OCTETS);
      if (line === undefined) break;
      const answer = line === "too-long"
        ? this.session.receiveTooLong()
        : this.session.receive(line);
      // What comes at once is lent: it must be said before anything is awaited.
      await this.#answer(answer instanceof Promise ? await answer : answer);
    }
    if (this.#inputEnded) this.#end();
  }

  async #answer(answer: Answer): Promise<void> {
    this.#say(Buffer.from(`${answer.line}\r\n`));
    try {
      for await (const octets of piecesOf(answer.body ?? [])) this.#say(octets);
    } catch {
      return this.#end();
    }
    if (answer.next === "close") return this.#end();
    if (answer.next !== "start-tls") return;
    // Nothing that was read before TLS is used after it.
    if (this.#framer.pending > 0) return this.#end();
    this.#handshake = true;
  }

  #say(octets: Uint8Array): void {
    this.#said.push(octets);
    this.#wakeReader();
  }

  #end(): void {
    this.#ended = true;
    this.session.end();
    this.#wakeReader();
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
