/**
 * LMTP as a part of a running server: what the settings say of it, as the rooms take it. Loaded only where the
 * settings have it.
 *
 * *Knows*: settings. *Does not know*: when they change.
 */

import { addressesIn } from "../../auth/allowed_networks.ts";
import type { AccountDirectory } from "../../auth/directory.ts";
import { type LmtpChange, LmtpServer } from "../../net/lmtp/lmtp_server.ts";
import type { Settings } from "../../settings.ts";
import { lmtpAddressesOf, lmtpSocketsOf } from "../server_options.ts";
import { LmtpDeliveries } from "./lmtp_deliveries.ts";

/** Whom nobody has to trust: it is this machine. */
const THIS_MACHINE = ["127.0.0.0/8", "::1"];

export class LmtpPart {
  readonly #server: LmtpServer;

  /** @param sharedPorts Other workers listen on the same ports. */
  constructor({ sharedPorts }: { readonly sharedPorts: boolean }) {
    this.#server = new LmtpServer({ sharedPorts });
  }

  /**
   * Prepares to serve by these settings.
   *
   * @param hasSockets Whether the sockets of this machine are this process's to serve.
   * @throws {PlaceFailure} If a place cannot be had; then everything is as before.
   */
  prepare(
    settings: Settings,
    directories: readonly AccountDirectory[],
    { hasSockets }: { readonly hasSockets: boolean },
  ): Promise<LmtpChange> {
    return this.#server.prepare({
      bindings: lmtpAddressesOf(settings),
      sockets: hasSockets ? lmtpSocketsOf(settings) : [],
      isTrusted: addressesIn([...THIS_MACHINE, ...settings.lmtpRemoteIpRanges]),
      services: new LmtpDeliveries(settings, directories),
      serverName: settings.serverName,
      mostOctets: settings.maxReceiveOctets,
      maxBadCommands: settings.maxBadCommands,
    });
  }

  /** Stops; a message under way gets so much time. */
  stop(graceMs: number): Promise<void> {
    return this.#server.stop(graceMs);
  }

  hasten(): void {
    this.#server.hasten();
  }
}
