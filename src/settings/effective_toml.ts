/** The settings in force as a settings file would have them: TOML that reads back as the same. */

import { stringify } from "smol-toml";
import { formatBinding } from "./binding.ts";
import type { Settings } from "./effective.ts";
import type { SettingsFile } from "./schema.ts";
import { formatDuration } from "./units.ts";

/** A value as smol-toml writes it. */
type FileValue = string | number | boolean | string[] | Record<string, string>[];

/** The settings under the keys of the file, with all paths absolute. */
export function fileValues(settings: Settings): Record<keyof SettingsFile, FileValue> {
  return {
    server_name: settings.serverName,
    unencrypted_or_tls_bindings: settings.unencryptedOrTlsBindings.map(formatBinding),
    ssl_bindings: settings.sslBindings.map(formatBinding),
    banner: settings.banner,
    login_type: settings.loginType,
    user_file: settings.userFile,
    password_scheme: settings.passwordScheme,
    password_memory_time: formatDuration(settings.passwordMemoryMs),
    password_workers: settings.passwordWorkers,
    max_failed_logins: settings.maxFailedLogins,
    maildir: settings.maildir,
    message_retrieval_sort_order: settings.messageRetrievalSortOrder,
    enable_exact_rfc822_size: settings.enableExactRfc822Size,
    eight_bit_headers: settings.eightBitHeaders,
    mark_retrieved_as_seen: settings.markRetrievedAsSeen,
    authenticated_connection_timeout: formatDuration(settings.authenticatedConnectionTimeoutMs),
    pre_authenticated_connection_timeout: formatDuration(
      settings.preAuthenticatedConnectionTimeoutMs,
    ),
    tls_handshake_timeout: formatDuration(settings.tlsHandshakeTimeoutMs),
    max_connections: settings.maxConnections,
    max_connections_from_single_address: settings.maxConnectionsFromSingleAddress,
    max_connections_per_user: settings.maxConnectionsPerUser,
    max_command_size: settings.maxCommandSizeOctets,
    max_bad_commands: settings.maxBadCommands,
    shutdown_grace_period: formatDuration(settings.shutdownGracePeriodMs),
    log_level: settings.logLevel,
    log_format: settings.logFormat,
    protocol_log: settings.protocolLog,
    log_file_location: settings.logFileLocation,
    log_file_roll_over_settings: settings.logFileRollOverSettings,
    log_per_file_size_quota: settings.logPerFileSizeQuotaOctets,
    certificates: settings.certificates.map(({ certificateFile, keyFile }) => ({
      certificate_file: certificateFile,
      key_file: keyFile,
    })),
  };
}

/** The settings in force as a TOML text. */
export function settingsToml(settings: Settings): string {
  const { certificates, ...values } = fileValues(settings);
  const lines = Object.entries(values).map(([key, value]) => tomlLine(key, value));
  for (const table of certificates as Record<string, string>[]) {
    lines.push("", "[[certificates]]");
    for (const [key, value] of Object.entries(table)) lines.push(tomlLine(key, value));
  }
  return lines.join("\n") + "\n";
}

/** `key = value` in TOML. */
export function tomlLine(key: string, value: FileValue): string {
  return stringify({ [key]: value }).trimEnd();
}
