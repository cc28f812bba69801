/**
 * What is written down of one connection: in the log, and command by command where the protocol log is
 * on. Its end is told once, by the first reason there was.
 *
 * *Knows*: both logs. *Does not know*: sockets beyond their addresses.
 */

import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { ProtocolLog } from "../admin/protocol_log.ts";
import { type EndReason, SessionLog } from "../admin/session_log.ts";
import type { SessionSummary } from "../session/services.ts";
import { addressAndPort, plainAddress } from "./address.ts";
import { ProtocolTap } from "./protocol_tap.ts";
import type { ConnectionOptions } from "./serving.ts";

export class ConnectionRecord {
  readonly log: SessionLog;
  /** Undefined where the protocol log is off. */
  readonly tap: ProtocolTap | undefined;
  readonly #sinceMs = performance.now();
  #end: { readonly reason: EndReason; readonly detail: string | undefined } | undefined;
  #told = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.log = new SessionLog(options.client, options.localPort);
    const { protocolLog } = options.serving;
    if (protocolLog !== undefined) this.tap = this.#openTap(socket, options, protocolLog);
  }

  /** Notes why the connection ends, if that is not known yet. */
  endsBy(reason: EndReason, detail?: string): void {
    this.#end ??= { reason, detail };
  }

  /** Whether it is known how the connection ends, and nobody has been told. */
  get isToBeTold(): boolean {
    return this.#end !== undefined && !this.#told;
  }

  /** Tells the end. */
  tell(summary: SessionSummary): void {
    if (this.#end === undefined || this.#told) return;
    this.#told = true;
    const { reason, detail } = this.#end;
    this.log.ended({ reason, detail, durationMs: performance.now() - this.#sinceMs }, summary);
    this.tap?.closed(this.#end.reason);
  }

  #openTap(
    { localAddress = "" }: Socket,
    { client, localPort }: ConnectionOptions,
    protocolLog: ProtocolLog,
  ): ProtocolTap {
    const session = protocolLog.session(
      this.log.session,
      addressAndPort(plainAddress(localAddress), localPort),
      addressAndPort(client.address, client.port),
    );
    return new ProtocolTap(session, this.log);
  }
}
