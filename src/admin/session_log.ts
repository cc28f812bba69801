/**
 * What one session leaves in the log: a line for each failed login, one for what went wrong, and one
 * at its end. docs/log.md lists the fields; their names are a promise to whoever parses them.
 *
 * *Knows*: LogTape, what a session tells. *Does not know*: sockets.
 */

import { getLogger } from "@logtape/logtape";
import type { RemovedMessages } from "../maildrop/removed_messages.ts";
import type {
  LoggedIn,
  LoginFailureCause,
  SessionEvents,
  SessionSummary,
  TurnAwayReason,
} from "../session/services.ts";

const log = getLogger(["popkeep", "session"]);

/** Why a connection ended. */
export type EndReason =
  /** The client said QUIT. */
  | "quit"
  /** Its end of the connection closed or broke without QUIT. */
  | "disconnected"
  /** Inactivity (V0003). */
  | "timeout"
  /** We closed after an -ERR: see TurnAwayReason. */
  | TurnAwayReason
  /** There were too many connections. */
  | "limit"
  /** Octets stood behind STLS. */
  | "stls_injection"
  /** The TLS handshake failed, which the field `detail` explains, or took too long. */
  | "tls_failed"
  /** A message could not be read to its end. */
  | "storage_failed"
  /** The server stops. */
  | "shutdown"
  /** A fault of ours; a line of level error has its stack. */
  | "error";

/** How a connection ended. */
export interface SessionEnd {
  readonly reason: EndReason;
  readonly durationMs: number;
  readonly detail?: string | undefined;
}

/** Who a session is with. */
export interface LoggedClient {
  readonly address: string;
  /** The address of the load balancer that handed the connection on. */
  readonly proxy?: string;
}

let lastSession = 0;

let nextSession = () => ++lastSession;

/** Numbers sessions by `next` from now on: where several processes write one log, they count together. */
export function numberSessionsBy(next: () => number): void {
  nextSession = next;
}

export class SessionLog implements SessionEvents {
  /** The number that all lines of this session have, 1 and up, anew with each start of the server. */
  readonly session = nextSession();
  readonly #client: LoggedClient;
  readonly #port: number;
  /** Why the session turned the client away, once it has. */
  turnedAwayFor: TurnAwayReason | undefined;
  /** As the client gave it, once logged in. */
  user: string | undefined;
  #login: LoggedIn | undefined;
  /** The TLS version once there is one, such as "TLSv1.3". */
  tls: string | undefined;

  /** @param port The port of ours that the client came to. */
  constructor(client: LoggedClient, port: number) {
    this.#client = client;
    this.#port = port;
  }

  /** What a client sent comes last, so that who reads the line from its front meets only what is ours. */
  loginFailed(user: string, mechanism: string, reason: string, cause: LoginFailureCause): void {
    log.warning("login failed", { ...this.#who(), cause, mechanism, user, reason });
  }

  loggedIn(user: string, mechanism: string, opened: LoggedIn): void {
    const { actedBy, ...login } = opened;
    this.user = user;
    this.#login = opened;
    log.debug("logged in", { ...this.#who(), user, mechanism });
    if (actedBy === undefined) return;
    log.info("logged in for another user", {
      ...this.#who(),
      user: login.user,
      actedBy,
      mechanism,
    });
  }

  /** What became of somebody's mail, and by whom. */
  messagesRemoved({ messages, octets, uniqueIds, uniqueIdsLeftOut }: RemovedMessages): void {
    const { user, actedBy, folder } = this.#login ?? {};
    log.info("messages removed", {
      ...this.#who(),
      user,
      actedBy,
      folder,
      by: "client",
      messages,
      octets,
      uniqueIds,
      ...(uniqueIdsLeftOut > 0 ? { uniqueIdsLeftOut } : {}),
    });
  }

  turnedAway(reason: TurnAwayReason): void {
    this.turnedAwayFor = reason;
  }

  storageFailed(doing: string, error: unknown): void {
    log.warning("storage failed", { ...this.#who(), doing, error });
  }

  erred(error: unknown): void {
    log.error("fault in popkeep", { ...this.#who(), error });
  }

  /** The line at the end. */
  ended(end: SessionEnd, summary: SessionSummary): void {
    const level = end.reason === "limit" ? "warning" : "info";
    log[level]("session ended", {
      session: this.session,
      address: this.#client.address,
      proxy: this.#client.proxy,
      port: this.#port,
      tls: this.tls,
      user: summary.user,
      actedBy: summary.actedBy,
      folder: summary.folder,
      mechanism: summary.mechanism,
      reason: end.reason,
      detail: end.detail,
      durationMs: Math.round(end.durationMs),
      ...(summary.user === undefined ? undefined : countsOf(summary)),
    });
  }

  #who() {
    const { address, proxy } = this.#client;
    return { session: this.session, address, proxy, port: this.#port, tls: this.tls };
  }
}

/** Counts say something only once there was a maildrop. */
function countsOf(summary: SessionSummary) {
  return {
    messages: summary.messages,
    retrieved: summary.retrieved,
    retrievedOctets: summary.retrievedOctets,
    topped: summary.topped,
    toppedOctets: summary.toppedOctets,
    marked: summary.marked,
    markedOctets: summary.markedOctets,
    removed: summary.removed,
    remaining: summary.remaining,
    droppedMarks: summary.droppedMarks,
  };
}
