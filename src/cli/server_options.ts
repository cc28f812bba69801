/** What the settings say of places to listen on and of the protocol log, as the rooms take it. */

import type { ProtocolLogOptions } from "../admin/protocol_log.ts";
import type { Binding } from "../net/listener.ts";
import type { Settings } from "../settings.ts";

/** All places to listen on. */
export function bindingsOf(settings: Settings): Binding[] {
  return [
    ...settings.unencryptedOrTlsBindings.map((binding): Binding => ({
      ...binding,
      security: "plain",
    })),
    ...settings.sslBindings.map((binding): Binding => ({ ...binding, security: "implicit-tls" })),
  ];
}

/** Undefined where the protocol log is off. */
export function protocolLogOptions(settings: Settings): ProtocolLogOptions | undefined {
  if (!settings.protocolLog) return undefined;
  return {
    folder: settings.logFileLocation,
    period: settings.logFileRollOverSettings,
    quotaOctets: settings.logPerFileSizeQuotaOctets,
  };
}
