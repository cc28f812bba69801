/**
 * Turns a plain socket into one under TLS, for STLS and for implicit TLS alike.
 *
 * There is one `tls.Server` that never listens: sockets are handed to it. So a session under TLS is
 * the same whichever way it came there, and new certificates are a new acceptor, while those whom the
 * old one served are not touched: nor can a TLS session that began with the old one be taken up again
 * with the new one, so that a client certificate is never trusted on the word of authorities gone by.
 *
 * *Knows*: node:tls. *Does not know*: POP3, timers; who hands a socket over bounds its handshake.
 */

import { createServer, type Server, type TLSSocket } from "node:tls";
import type { Socket } from "node:net";
import {
  certificateFor,
  type CertificatePair,
  prepareCertificate,
  splitCertificates,
} from "./certificates.ts";
import { noteHandshake } from "./secure_channel.ts";

/** What comes of a handshake; exactly one of the two is called, or none if the socket closes first. */
export interface HandshakeOutcome {
  secured(socket: TLSSocket): void;
  /** `reason` is the library's word for it. */
  handshakeFailed(reason: string): void;
}

/** TLS records of a handshake begin with this octet (RFC 8446 §5.1). */
const TLS_HANDSHAKE_RECORD = 22;

/** A TLS socket of node:tls remembers the socket it was made from, under this name on Bun and Deno. */
interface WithParent {
  readonly _parent?: Socket;
}

/** The name that the client asked for, on the server's side of a TLS socket (RFC 6066 §3). */
interface WithServerName {
  readonly servername?: unknown;
}

export interface TlsAcceptorOptions {
  /** PEM of the authorities whose certificates clients may show; without it they are not asked for one. */
  readonly clientAuthorities?: string;
}

export class TlsAcceptor {
  readonly #server: Server;
  readonly #waiting = new WeakMap<Socket, HandshakeOutcome>();

  /**
   * The first certificate is for clients that name no server.
   *
   * @throws {Error} If there is none, or one does not fit its key, or the authorities are no certificates.
   */
  constructor(
    pairs: readonly CertificatePair[],
    { clientAuthorities }: TlsAcceptorOptions = {},
  ) {
    const authorities = clientAuthorities === undefined ? [] : splitCertificates(clientAuthorities);
    const certificates = pairs.map((pair) => prepareCertificate(pair, authorities));
    const first = certificates[0];
    if (first === undefined) throw new Error("TLS needs a certificate");
    this.#server = createServer({
      cert: first.pair.certificate,
      key: first.pair.key,
      // RFC 8996: nothing older is to be negotiated.
      minVersion: "TLSv1.2",
      // RFC 7301; registered for POP3 by RFC 7301's registry as "pop3".
      ALPNProtocols: ["pop3"],
      allowHalfOpen: true,
      // Who has no certificate, or one that we do not trust, still has a password.
      ...(authorities.length === 0
        ? {}
        : { ca: authorities, requestCert: true, rejectUnauthorized: false }),
      SNICallback: (serverName, done) => {
        done(null, certificateFor(serverName, certificates)?.context);
      },
    });
    this.#server.on("secureConnection", (socket) => {
      const waiting = this.#outcomeFor(socket);
      // Without it nobody would ever read or close the socket.
      if (waiting === undefined) return void socket.destroy();
      const shown = certificateFor(serverNameOf(socket), certificates) ?? first;
      noteHandshake(socket, { certificate: shown.der, clientAuthorities });
      waiting.secured(socket);
    });
    this.#server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      // An error of a socket that nobody listens to would end the process.
      socket.on("error", () => {});
      this.#outcomeFor(socket)?.handshakeFailed(error.code ?? error.message);
      socket.destroy();
    });
  }

  /** Begins a handshake on `plain`, which must have no listeners for data any more. */
  accept(plain: Socket, outcome: HandshakeOutcome): void {
    this.#waiting.set(plain, outcome);
    this.#server.emit("connection", plain);
  }

  #outcomeFor(socket: TLSSocket): HandshakeOutcome | undefined {
    const plain = (socket as WithParent)._parent;
    if (plain === undefined) return undefined;
    const outcome = this.#waiting.get(plain);
    this.#waiting.delete(plain);
    return outcome;
  }
}

/** "" if the client named none. */
function serverNameOf(socket: TLSSocket): string {
  const { servername } = socket as WithServerName;
  return typeof servername === "string" ? servername : "";
}

/**
 * Whether what waits in a paused socket, if anything, is the beginning of a TLS handshake. The rest is
 * left there in one piece, as a handshake that fails on one of several would throw out of Deno.
 */
export function holdsOnlyTls(plain: Socket): boolean {
  if (plain.readableLength === 0) return true;
  const waiting: Uint8Array | null = plain.read();
  if (waiting === null) return true;
  plain.unshift(waiting);
  return waiting[0] === TLS_HANDSHAKE_RECORD;
}
