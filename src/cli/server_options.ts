/** What the settings say of places to listen on and of the protocol log, as the rooms take it. */

import type { ProtocolLogOptions } from "../admin/protocol_log.ts";
import type { Binding } from "../net/listener.ts";
import { isSocketPath, type Settings } from "../settings.ts";

/** All places to listen on for POP3. */
export function bindingsOf(settings: Settings): Binding[] {
  return [
    ...settings.unencryptedOrTlsBindings.map((binding): Binding => ({
      ...binding,
      security: "plain",
    })),
    ...settings.sslBindings.map((binding): Binding => ({ ...binding, security: "implicit-tls" })),
  ];
}

/** All addresses to listen on for LMTP. */
export function lmtpAddressesOf({ lmtpBindings }: Settings): Binding[] {
  return lmtpBindings.flatMap((binding): Binding[] =>
    isSocketPath(binding) ? [] : [{ ...binding, security: "plain", protocol: "lmtp" }]
  );
}

/** The paths of all sockets of this machine to listen on for LMTP. */
export function lmtpSocketsOf({ lmtpBindings }: Settings): string[] {
  return lmtpBindings.flatMap((binding) => isSocketPath(binding) ? [binding.path] : []);
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
