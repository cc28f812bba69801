/**
 * LMTP (RFC 2033) with all clients: MAIL, RCPT and DATA as they reach the services, and their answers.
 *
 * Each RCPT that was accepted has an answer of its own behind the message, in their order, also where one
 * recipient was named twice (§4.2). smtp-server keeps one of two that are named alike, so they are kept here.
 *
 * *Knows*: smtp-server, the services. *Does not know*: sockets that are listened on, where mail goes.
 */

import type { Socket } from "node:net";
import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerDataStream,
  type SMTPServerEnvelope,
  type SMTPServerSession,
} from "smtp-server";
import {
  LMTP_COMMAND_OCTETS,
  LMTP_IDLE_MS,
  LMTP_MESSAGE_MS,
  LMTP_PIECE_MS,
  LMTP_RECIPIENTS,
  LMTP_RECIPIENTS_AT_ONCE,
} from "../../limits.ts";
import { LmtpConnection } from "./lmtp_connection.ts";
import { isReply, type LmtpClient, type LmtpReply, type LmtpServices } from "./lmtp_services.ts";
import { begun, messagePieces } from "./message_pieces.ts";
import { PlacesAtOnce } from "./places_at_once.ts";

/** By what clients are served from now on. */
export interface LmtpServing {
  readonly services: LmtpServices;
  /** What we call ourselves. */
  readonly serverName: string;
  /** Announced as SIZE (RFC 1870), octets. */
  readonly mostOctets: number;
  readonly maxBadCommands: number;
  /** Inactivity after which a connection is closed, ms; tests do not wait as long. */
  readonly idleMs?: number;
  /** How long each piece of a message may take whose recipients have their places, ms; the same. */
  readonly pieceMs?: number;
  /** How long all its pieces may take together, ms; the same. */
  readonly messageMs?: number;
}

const TOO_MANY_RECIPIENTS: LmtpReply = {
  code: 452,
  status: "4.5.3",
  text: "too many recipients, send the message again for the others",
};
const FAULT: LmtpReply = { code: 451, status: "4.3.0", text: "a fault in popkeep, see its log" };

/** The transaction that one MAIL begins; smtp-server makes an envelope for each. */
type Transaction = SMTPServerEnvelope;

export class LmtpDialogue extends SMTPServer {
  #serving: LmtpServing;
  readonly #connections = new WeakMap<SMTPServerSession, LmtpConnection>();
  readonly #accepted = new WeakMap<Transaction, object[]>();
  readonly #places = new PlacesAtOnce(LMTP_RECIPIENTS_AT_ONCE);
  readonly #failed: (error: unknown) => void;

  /** @param failed Gets what is a fault of ours, for the log. */
  constructor(serving: LmtpServing, failed: (error: unknown) => void) {
    super({
      lmtp: true,
      name: serving.serverName,
      heloResponse: "%s",
      size: serving.mostOctets,
      hideENHANCEDSTATUSCODES: false,
      hideSTARTTLS: true,
      disabledCommands: ["AUTH", "STARTTLS", "XCLIENT", "XFORWARD", "WIZ", "SHELL", "KILL"],
      disableReverseLookup: true,
      logger: false,
      maxCommandLength: LMTP_COMMAND_OCTETS,
      socketTimeout: serving.idleMs ?? LMTP_IDLE_MS,
    });
    this.#serving = serving;
    this.#failed = failed;
    // A connection that broke; its message was given up.
    this.on("error", () => {});
  }

  /** Holds for connections that are there too. */
  set serving(serving: LmtpServing) {
    this.#serving = serving;
    this.options.size = serving.mostOctets;
    this.options.name = serving.serverName;
  }

  get all(): readonly LmtpConnection[] {
    return [...this.connections] as LmtpConnection[];
  }

  /** Serves a client; `gone` is called when its socket is closed. */
  serve(socket: Socket, client: LmtpClient, gone: () => void): void {
    const { maxBadCommands } = this.#serving;
    const connection = new LmtpConnection(this, socket, { client, maxBadCommands });
    this.#connections.set(connection.session, connection);
    this.connections.add(connection);
    connection.on("error", (error) => this.emit("error", error));
    socket.once("close", gone);
    connection.init();
  }

  override onRcptTo(
    { address }: SMTPServerAddress,
    session: SMTPServerSession,
    callback: (error?: Error | null) => void,
  ): void {
    const transaction = session.envelope;
    const accepted = this.#accepted.get(transaction) ?? [];
    this.#accepted.set(transaction, accepted);
    if (accepted.length >= LMTP_RECIPIENTS) return callback(asError(TOO_MANY_RECIPIENTS));
    const client = this.#connections.get(session)?.client ?? {};
    this.#serving.services.recipient(address, client).then((answer) => {
      if (isReply(answer)) return callback(asError(answer));
      accepted.push(answer);
      callback();
    }, (error) => {
      this.#failed(error);
      callback(asError(FAULT));
    });
  }

  override onData(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    callback: (error?: Error | null, answers?: (string | Error)[]) => void,
  ): void {
    // Else it would end as if it were over where the client goes before anybody reads.
    stream.on("error", () => {});
    const recipients = this.#accepted.get(session.envelope) ?? [];
    this.#deliver(stream, session, recipients).then((replies) => {
      callback(null, replies.map((reply) => reply.code < 400 ? textOf(reply) : asError(reply)));
    }, (error) => {
      // The client is gone, and hears nothing of this.
      if (stream.readableEnded) this.#failed(error);
      callback(null, recipients.map(() => asError(FAULT)));
    });
  }

  async #deliver(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    recipients: readonly object[],
  ): Promise<readonly LmtpReply[]> {
    const { mailFrom } = session.envelope;
    const connection = this.#connections.get(session);
    const { idleMs = LMTP_IDLE_MS, pieceMs = LMTP_PIECE_MS, messageMs = LMTP_MESSAGE_MS } =
      this.#serving;
    // Who sends nothing, or little, keeps no place from others.
    const octets = await begun(messagePieces(stream, {
      // Who sends nothing at all is sent away before.
      firstMs: 2 * idleMs,
      othersMs: pieceMs,
      allMs: messageMs,
      tooSlow: () => connection?.endTooSlow(),
    }));
    await this.#places.take(recipients.length);
    try {
      return await this.#serving.services.deliver({
        client: connection?.client ?? {},
        sender: mailFrom === false ? "" : mailFrom.address,
        recipients,
        octets,
      });
    } finally {
      this.#places.giveBack(recipients.length);
      // What nobody has read has to be, before the next command.
      await readToEnd(octets);
    }
  }
}

/** Never rejects. */
async function readToEnd(octets: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const _ of octets);
  } catch {
    // The client is gone.
  }
}

function textOf({ status, text }: LmtpReply): string {
  return `${status} ${text}`;
}

function asError(reply: LmtpReply): Error {
  return Object.assign(new Error(textOf(reply)), { responseCode: reply.code });
}
