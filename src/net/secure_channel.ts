/**
 * What login mechanisms may know of a TLS connection, read from its socket.
 *
 * Bun and Deno differ in it: only Bun exports keying material. Neither tells whether TLS 1.2 ran with the
 * extended master secret, without which what it exports does not bind (RFC 9266 §4.2), so that under
 * TLS 1.2 there is no exporter either.
 *
 * *Knows*: node:tls. *Does not know*: mechanisms, users, revocation.
 */

import { Buffer } from "node:buffer";
import type { TLSSocket } from "node:tls";
import type { SecureChannel } from "../auth/secure_channel.ts";

/** RFC 9266 §2 and §4.1. */
const EXPORTER_LABEL = "EXPORTER-Channel-Binding";
const EXPORTER_OCTETS = 32;

/** Tells what there is to know of the TLS of a socket whose handshake is done. */
export function secureChannelOf(socket: TLSSocket): SecureChannel {
  return new SocketChannel(socket);
}

/** Reads each thing when it is asked for: most sessions ask for none. */
class SocketChannel implements SecureChannel {
  readonly #socket: TLSSocket;
  readonly clientCertificate: Uint8Array | undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    this.clientCertificate = verifiedCertificateOf(socket);
  }

  get serverCertificate(): Uint8Array | undefined {
    const shown = this.#socket.getCertificate();
    return shown !== null && "raw" in shown ? shown.raw : undefined;
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
