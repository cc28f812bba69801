/**
 * Connects to an old server over TCP or TLS. Certificates are always checked where there is TLS.
 *
 * *Knows* sockets and TLS. *Does not know* POP3, but for STLS, which `startTls` follows.
 */

import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { OldServerFault } from "./old_server_fault.ts";

export interface OldServerAddress {
  readonly host: string;
  readonly port: number;
  /** PEM of certificates that are trusted instead of the system's: an authority's, or the server's own. */
  readonly certificates?: string;
}

/** Time for a connection, and for the handshake of TLS, ms. */
const CONNECT_MS = 30_000;

/** @throws {OldServerFault} If there is no connection. */
export async function connectPlain({ host, port }: OldServerAddress): Promise<Socket> {
  const socket = connect({ host, port });
  await until(socket, "connect", `no connection to ${host}:${port}`);
  socket.setNoDelay(true);
  return socket;
}

/** @throws {OldServerFault} If there is no connection, or its certificate is not to be trusted. */
export async function connectOverTls(address: OldServerAddress): Promise<TLSSocket> {
  const { host, port } = address;
  const socket = connectTls({ host, port, ...tlsOptions(address) });
  await until(socket, "secureConnect", `no TLS connection to ${host}:${port}`);
  return socket;
}

/** TLS on a connection that there is. @throws {OldServerFault} As `connectOverTls`. */
export async function startTls(socket: Socket, address: OldServerAddress): Promise<TLSSocket> {
  const secure = connectTls({ socket, ...tlsOptions(address) });
  await until(secure, "secureConnect", `no TLS with ${address.host}:${address.port}`);
  return secure;
}

function tlsOptions({ host, certificates }: OldServerAddress) {
  return {
    ...(isIP(host) === 0 ? { servername: host } : { host }),
    ...(certificates === undefined ? {} : { ca: certificates }),
    minVersion: "TLSv1.2" as const,
  };
}

function until(socket: Socket, event: string, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      socket.destroy();
      // A certificate that cannot be trusted today cannot be so in an hour.
      const code = "code" in error ? String(error.code) : "";
      const isOfCertificate = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO/i.test(
        `${code} ${error.message}`,
      );
      const kind = isOfCertificate ? "unusable" : "unreachable";
      reject(new OldServerFault(kind, `${what}: ${error.message}`, { cause: error }));
    };
    const late = () => fail(new Error(`nothing within ${CONNECT_MS / 1_000} s`));
    const timer = setTimeout(late, CONNECT_MS);
    socket.once("error", fail);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off("error", fail);
      // Whoever reads hears of it; until then it must not be a crash.
      socket.on("error", () => {});
      resolve();
    });
    socket.once("error", () => clearTimeout(timer));
  });
}
