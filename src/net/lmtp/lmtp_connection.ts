/**
 * One LMTP connection (RFC 2033), by the package smtp-server, and what popkeep does otherwise than that:
 * - addresses are read by wire/mail_path.ts: no mail is given back to its sender because the sender is odd;
 * - an answer that begins with an enhanced status code (RFC 2034) has that one, and not the usual one of its code;
 * - the greeting does not wait: whoever is too eager here is one's own mail system;
 * - dots of a message are taken off a chunk at a time: smtp-server hands each line on alone that had one, and a
 *   small message of such lines would keep everybody waiting; and it takes one off where no line begins;
 * - commands that are none, or wrong, are counted together;
 * - a client that has closed its end hears all that it has asked for before ours is closed, and a message that
 *   has not come to its end by then is none.
 *
 * What is named with an underscore is not promised by the package, whose version is fixed: the tests of LMTP
 * tell when a later one does otherwise.
 *
 * *Knows*: smtp-server. *Does not know*: where mail goes, who may connect.
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { SMTPServer, SMTPServerDataStream } from "smtp-server";
import { SMTPConnection } from "smtp-server/lib/smtp-connection.js";
import { DotUnstuffing } from "../../wire/dot_unstuffing.ts";
import { parseMailPath } from "../../wire/mail_path.ts";
import type { LmtpClient } from "./lmtp_services.ts";

const OWN_STATUS = /^[245]\.\d{1,3}\.\d{1,3} /;

const SHUTTING_DOWN = "4.3.2 the server is shutting down";
const TOO_SLOW = "4.4.2 the message comes too slowly";
const TOO_MANY_BAD_COMMANDS = "4.7.0 too many bad commands";

export interface LmtpConnectionOptions {
  readonly client: LmtpClient;
  readonly maxBadCommands: number;
}

export class LmtpConnection extends SMTPConnection {
  readonly client: LmtpClient;
  readonly #maxBadCommands: number;
  #badCommands = 0;
  #isStopping = false;

  constructor(server: SMTPServer, socket: Socket, options: LmtpConnectionOptions) {
    const { client, maxBadCommands } = options;
    super(server, answerable(socket), { remoteAddress: client.address ?? "" });
    this.client = client;
    this.#maxBadCommands = maxBadCommands;
  }

  /** Ends it, with a word, as soon as no message is under way. */
  stopSoon(): void {
    this.#isStopping = true;
    if (!this._dataStream) this.send(421, SHUTTING_DOWN);
  }

  /** Ends it at once: of a message that is under way nothing is promised. */
  destroy(): void {
    this._socket.destroy();
  }

  /** Ends it, with a word, while a message is coming that takes too long: it is given up. */
  endTooSlow(): void {
    const message = this._dataStream;
    this.send(421, TOO_SLOW);
    if (message) message.destroy(new Error("the client sends too slowly"));
  }

  override init(): void {
    this._setListeners(() => this.connectionReady());
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    const hasOwnStatus = typeof data === "string" && OWN_STATUS.test(data);
    super.send(code, data, hasOwnStatus ? false : context);
    // Of all of them, not of ten that are unknown.
    this._unrecognizedCommands = 0;
    if (code < 500 || code > 504 || ++this.#badCommands < this.#maxBadCommands) return;
    super.send(421, TOO_MANY_BAD_COMMANDS, false);
  }

  override _createParser() {
    const parser = super._createParser();
    let dots = new DotUnstuffing();
    parser._feedDataStream = (chunk, done) => {
      const { octets, rest } = dots.push(chunk);
      parser._countDataBytes(octets.length);
      if (rest === undefined) return handOn(octets, parser._dataStream!, done);
      dots = new DotUnstuffing();
      parser._endDataMode(
        Buffer.from(octets.buffer, octets.byteOffset, octets.length),
        Buffer.from(rest),
        done,
      );
    };
    parser.on("finish", () => {
      if (parser._dataMode) this.destroy();
      else this.close();
    });
    return parser;
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    if (this.#isStopping) return this.send(421, SHUTTING_DOWN);
    super._onCommand(command, callback);
  }

  /** Called when a transaction is over, too. */
  override _resetSession(): void {
    super._resetSession();
    // Behind the answers to the message.
    if (this.#isStopping) setImmediate(() => this.send(421, SHUTTING_DOWN));
  }

  override _parseAddressCommand(rawName: string, rawCommand: Buffer | string) {
    const command = rawName.toUpperCase() === "MAIL FROM" ? "MAIL FROM" : "RCPT TO";
    const path = parseMailPath(rawCommand.toString(), command);
    if (path === undefined) return false;
    const { address, parameters, duplicate } = path;
    return {
      address,
      args: parameters.size === 0 ? false as const : Object.fromEntries(parameters),
      ...(duplicate === undefined ? {} : { duplicate }),
    };
  }
}

/** Calls `done` when the message takes more, or is given up. */
function handOn(octets: Uint8Array, message: SMTPServerDataStream, done: () => void): void {
  const isTakingMore = octets.length === 0 || !message.writable || message.write(octets);
  if (isTakingMore || message.destroyed) return done();
  const goOn = () => {
    message.off("drain", goOn);
    message.off("close", goOn);
    done();
  };
  message.once("drain", goOn);
  message.once("close", goOn);
}

/** smtp-server writes to sockets only that are open both ways; a client that has closed its end still listens. */
function answerable(socket: Socket): Socket {
  return Object.defineProperty(socket, "readyState", {
    get: () => socket.writable ? "open" : "closed",
  });
}
