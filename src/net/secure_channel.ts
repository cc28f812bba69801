/**
 * What login mechanisms may know of a TLS connection, read from its socket.
 *
 * Bun and Deno differ in it. Only Bun exports keying material. Neither tells whether TLS 1.2 ran with the
 * extended master secret, without which what it exports does not bind (RFC 9266 §4.2), so that under
 * TLS 1.2 there is no exporter either. Of several certificates Deno's sockets name the first, whichever
 * the client was shown, so that the acceptor, who chose it, says which it was.
 *
 * *Knows*: node:tls. *Does not know*: mechanisms, users, revocation.
 */

import { Buffer } from "node:buffer";
import type { TLSSocket } from "node:tls";
import type { SecureChannel } from "../auth/secure_channel.ts";

/** RFC 9266 §2 and §4.1. */
const EXPORTER_LABEL = "EXPORTER-Channel-Binding";
const EXPORTER_OCTETS = 32;

interface Handshake {
  /** DER of the certificate that was shown. */
  readonly certificate: Uint8Array;
  /** PEM of the authorities that a client's certificate was held against; undefined if none was asked for. */
  readonly clientAuthorities: string | undefined;
}

const handshakes = new WeakMap<TLSSocket, Handshake>();

/** Notes what a handshake that is done was about. */
export function noteHandshake(socket: TLSSocket, handshake: Handshake): void {
  handshakes.set(socket, handshake);
}

/** Tells what there is to know of the TLS of a socket whose handshake is done. */
export function secureChannelOf(socket: TLSSocket): SecureChannel {
  return new SocketChannel(socket);
}

class SocketChannel implements SecureChannel {
  readonly #socket: TLSSocket;
  readonly serverCertificate: Uint8Array | undefined;
  readonly clientCertificate: Uint8Array | undefined;
  readonly clientAuthorities: string | undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    const handshake = handshakes.get(socket);
    this.serverCertificate = handshake?.certificate;
    this.clientAuthorities = handshake?.clientAuthorities;
    this.clientCertificate = verifiedCertificateOf(socket);
  }

  get untrustedCertificate(): { readonly reason: string } | undefined {
    const socket = this.#socket;
    if (this.clientAuthorities === undefined || socket.authorized) return undefined;
    if (socket.getPeerX509Certificate() === undefined) return undefined;
    return { reason: String(socket.authorizationError ?? "not verified") };
  }

  exporter(): Uint8Array | undefined {
    // Deno's sockets do not have the method.
    const socket: Partial<Pick<TLSSocket, "exportKeyingMaterial">> & TLSSocket = this.#socket;
    if (socket.getProtocol() !== "TLSv1.3") return undefined;
    return socket.exportKeyingMaterial?.(EXPORTER_OCTETS, EXPORTER_LABEL, Buffer.alloc(0));
  }
}

function verifiedCertificateOf(socket: TLSSocket): Uint8Array | undefined {
  // True only if the client's certificate was asked for and its chain ends at one of our authorities.
  if (!socket.authorized) return undefined;
  return socket.getPeerX509Certificate()?.raw;
}
