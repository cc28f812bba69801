/**
 * Listening sockets, one a binding.
 *
 * *Knows*: node:net. *Does not know*: what is done with a client's socket.
 */

import { getLogger } from "@logtape/logtape";
import { createServer, isIPv6, type Server, type Socket } from "node:net";
import { RECEIVE_OCTETS } from "../limits.ts";
import { boundReceiving } from "../platform/receive_buffer.ts";
import { addressAndPort } from "./address.ts";
import { PlaceFailure } from "./place_failure.ts";

const log = getLogger(["popkeep", "net"]);

/** - `plain`: TLS by STLS, where there is a certificate. - `implicit-tls`: from the first octet. */
export type Security = "plain" | "implicit-tls";

/** Port 0 takes any free port. */
export interface Binding {
  readonly address: string;
  readonly port: number;
  readonly security: Security;
  /** POP3 unless it says otherwise. */
  readonly protocol?: "lmtp";
}

/** An address and port could not be listened on. */
export class ListenFailure extends PlaceFailure {
  override readonly name = "ListenFailure";
  readonly port: number;

  constructor({ address, port }: Binding, cause: NodeJS.ErrnoException) {
    super(addressAndPort(address, port), reason(cause), cause.code ?? "", { cause });
    this.port = port;
  }
}

export class Listener {
  /** A reload may change its security; address and port stay. */
  binding: Binding;
  readonly #server: Server;
  /** Kept, since each connection asks for it, and the system would be asked twice. */
  #port: number;

  private constructor(binding: Binding, server: Server) {
    this.binding = binding;
    this.#port = binding.port;
    this.#server = server;
  }

  /**
   * Begins to listen; `accepted` gets each client's socket.
   *
   * @param shared Other workers listen there too, and the system gives each connection to one of us.
   * @throws {ListenFailure} If the place is taken, not ours to take, or not there.
   */
  static open(
    binding: Binding,
    accepted: (socket: Socket, listener: Listener) => void,
    { shared = false }: { readonly shared?: boolean } = {},
  ): Promise<Listener> {
    // Half open: a client that has said all it wants still gets its answers.
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const listener = new Listener(binding, server);
    server.on("connection", (socket) => accepted(socket, listener));
    return new Promise((resolve, reject) => {
      server.once("error", (error) => reject(new ListenFailure(binding, error)));
      server.listen({
        host: binding.address,
        port: binding.port,
        // "[::]" is IPv6 only, whatever the system's default, so that "0.0.0.0" beside it is no clash.
        ipv6Only: isIPv6(binding.address),
        backlog: BACKLOG,
        ...(shared ? { reusePort: true } : {}),
      }, () => {
        const address = server.address();
        if (typeof address === "object" && address !== null) listener.#port = address.port;
        server.on("error", (error) => log.warning("cannot accept", { port: listener.port, error }));
        // Mail comes in by LMTP, and is long.
        if (binding.protocol !== "lmtp") boundReceiving(server, RECEIVE_OCTETS);
        resolve(listener);
      });
    });
  }

  /** The port that is listened on, also when any was asked for. */
  get port(): number {
    return this.#port;
  }

  /** Whether it is what `binding` asks for, but perhaps for its security. */
  isAt({ address, port }: Binding): boolean {
    return address === this.binding.address && port === this.binding.port;
  }

  /** For the log. */
  get described() {
    const { address, security, protocol } = this.binding;
    return { address, port: this.port, security, ...(protocol === undefined ? {} : { protocol }) };
  }

  /** Stops listening, at once. Connections that were accepted go on. */
  close(): void {
    this.#server.close();
  }
}

/**
 * Connections that the system holds until we accept them: a burst of polling clients fits. Who finds no room
 * tries again after a second. Not more, since Bun accepts all of them at once, while everybody waits; it has as many
 * whatever is asked of it.
 */
const BACKLOG = 512;

function reason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "EADDRINUSE":
      return "another program is listening there already";
    case "EACCES":
      return "this user may not; ports below 1024 need the capability CAP_NET_BIND_SERVICE";
    case "EADDRNOTAVAIL":
    // Deno's word for it.
    case "EINVAL":
      return "this machine has no such address";
    case "EAFNOSUPPORT":
      return "this machine has no IPv6";
    default:
      return error.message;
  }
}
