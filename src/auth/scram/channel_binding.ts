/**
 * The channel bindings that SCRAM-SHA-256-PLUS takes: tls-exporter (RFC 9266) and tls-server-end-point
 * (RFC 5929 §4). The proof then holds for this TLS channel alone, and who sits in the middle of it cannot
 * pass it on.
 *
 * There is no tls-unique: TLS 1.3 has none, and that of TLS 1.2 can be forged without the extended master
 * secret (RFC 9266 §1).
 */

import { serverEndPoint } from "../server_end_point.ts";
import type { SecureChannel } from "../secure_channel.ts";

/**
 * Whether -PLUS is to be offered: only where tls-exporter is to be had. RFC 9266 §3 makes it the one that
 * clients take unless they know better, and who takes it fails where only the other one is there.
 */
export function canBind(channel: SecureChannel | undefined): boolean {
  return channel?.exporter() !== undefined;
}

/** The data of a binding by its registered name; undefined for one that is not to be had here. */
export function bindingData(
  name: string,
  channel: SecureChannel | undefined,
): Uint8Array | undefined {
  switch (name) {
    case "tls-exporter":
      return channel?.exporter();
    case "tls-server-end-point": {
      const certificate = channel?.serverCertificate;
      return certificate === undefined ? undefined : serverEndPoint(certificate);
    }
    default:
      return undefined;
  }
}
