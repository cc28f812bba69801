/** What a connection is given: what it shares with others, and what is its own. */

import type { ProtocolLog } from "../admin/protocol_log.ts";
import type { SessionServices } from "../session/services.ts";
import type { Sweep } from "./sweep.ts";
import type { TlsAcceptor } from "./tls_acceptor.ts";

/** What all connections that were accepted under the same settings share. */
export interface Serving {
  /** What a session from this address can reach. */
  servicesFor(address: string): SessionServices;
  readonly maxCommandOctets: number;
  readonly preAuthenticatedIdleMs: number;
  readonly authenticatedIdleMs: number;
  readonly tlsHandshakeMs: number;
  /** Whether a connection from this address begins with a header that says whose it is. */
  isProxy(address: string): boolean;
  /** Undefined where there is no certificate. */
  readonly tls: TlsAcceptor | undefined;
  readonly protocolLog: ProtocolLog | undefined;
}

/** Who a connection is with. */
export interface ConnectionClient {
  /** As `plainAddress` spells it. */
  readonly address: string;
  readonly port: number;
  /** The proxy's address, where there is one between. */
  readonly proxy?: string;
  /** The TLS version between the client and the proxy, where the proxy ended it. */
  readonly tls?: string | undefined;
}

export interface ConnectionOptions {
  readonly serving: Serving;
  readonly sweep: Sweep;
  readonly client: ConnectionClient;
  readonly localPort: number;
  readonly implicitTls: boolean;
  /** A line that is said instead of the greeting; then the connection closes. */
  readonly refusal?: string | undefined;
  /** Called once, when the session is over, so that another may take its place. */
  ended(): void;
  /** Called once, when the socket is gone. */
  gone(): void;
}
