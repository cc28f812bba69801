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
  /** Undefined where there is no certificate. */
  readonly tls: TlsAcceptor | undefined;
  readonly protocolLog: ProtocolLog | undefined;
}

export interface ConnectionOptions {
  readonly serving: Serving;
  readonly sweep: Sweep;
  /** The client's, as `plainAddress` spells it. */
  readonly address: string;
  readonly localPort: number;
  readonly implicitTls: boolean;
  /** A line that is said instead of the greeting; then the connection closes. */
  readonly refusal?: string | undefined;
  /** Called once, when the session is over, so that another may take its place. */
  ended(): void;
  /** Called once, when the socket is gone. */
  gone(): void;
}
