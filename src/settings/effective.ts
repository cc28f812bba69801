/** The settings as the program uses them: units in names, absolute paths, nothing left open. */

import { dirname, resolve } from "node:path";
import type { Binding } from "./binding.ts";
import type { CertificateFiles } from "./certificate_files.ts";
import type { SettingsFile } from "./schema.ts";

/** What a settings file sets, defaults included. The keys of the file are in src/settings/schema.ts. */
export interface Settings {
  /** The settings file, absolute. */
  readonly file: string;
  readonly serverName: string;
  readonly unencryptedOrTlsBindings: readonly Binding[];
  readonly sslBindings: readonly Binding[];
  readonly banner: string;
  readonly loginType: SettingsFile["login_type"];
  readonly userFile: string;
  readonly passwordScheme: SettingsFile["password_scheme"];
  readonly passwordMemoryMs: number;
  readonly passwordWorkers: number;
  readonly maxFailedLogins: number;
  /** Template with {home}, {user}, {local} and {domain}; absolute unless it begins with {home}. */
  readonly maildir: string;
  readonly messageRetrievalSortOrder: SettingsFile["message_retrieval_sort_order"];
  readonly enableExactRfc822Size: boolean;
  readonly eightBitHeaders: SettingsFile["eight_bit_headers"];
  readonly markRetrievedAsSeen: boolean;
  readonly authenticatedConnectionTimeoutMs: number;
  readonly preAuthenticatedConnectionTimeoutMs: number;
  readonly tlsHandshakeTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsFromSingleAddress: number;
  readonly maxConnectionsPerUser: number;
  readonly maxCommandSizeOctets: number;
  readonly maxBadCommands: number;
  readonly shutdownGracePeriodMs: number;
  readonly logLevel: SettingsFile["log_level"];
  readonly logFormat: SettingsFile["log_format"];
  readonly protocolLog: boolean;
  /** Folder. */
  readonly logFileLocation: string;
  readonly logFileRollOverSettings: SettingsFile["log_file_roll_over_settings"];
  /** 0 sets no limit. */
  readonly logPerFileSizeQuotaOctets: number;
  /** The first is for clients that name no server; the others are chosen by the names they hold. */
  readonly certificates: readonly CertificateFiles[];
}

/** Makes the values of `file` what the program uses; relative paths count from its folder. */
export function effectiveSettings(file: string, values: SettingsFile): Settings {
  const folder = dirname(resolve(file));
  return {
    file: resolve(file),
    serverName: values.server_name,
    unencryptedOrTlsBindings: values.unencrypted_or_tls_bindings,
    sslBindings: values.ssl_bindings,
    banner: values.banner,
    loginType: values.login_type,
    userFile: resolve(folder, values.user_file),
    passwordScheme: values.password_scheme,
    passwordMemoryMs: values.password_memory_time,
    passwordWorkers: values.password_workers,
    maxFailedLogins: values.max_failed_logins,
    maildir: values.maildir.startsWith("{home}") ? values.maildir : resolve(folder, values.maildir),
    messageRetrievalSortOrder: values.message_retrieval_sort_order,
    enableExactRfc822Size: values.enable_exact_rfc822_size,
    eightBitHeaders: values.eight_bit_headers,
    markRetrievedAsSeen: values.mark_retrieved_as_seen,
    authenticatedConnectionTimeoutMs: values.authenticated_connection_timeout,
    preAuthenticatedConnectionTimeoutMs: values.pre_authenticated_connection_timeout,
    tlsHandshakeTimeoutMs: values.tls_handshake_timeout,
    maxConnections: values.max_connections,
    maxConnectionsFromSingleAddress: values.max_connections_from_single_address,
    maxConnectionsPerUser: values.max_connections_per_user,
    maxCommandSizeOctets: values.max_command_size,
    maxBadCommands: values.max_bad_commands,
    shutdownGracePeriodMs: values.shutdown_grace_period,
    logLevel: values.log_level,
    logFormat: values.log_format,
    protocolLog: values.protocol_log,
    logFileLocation: resolve(folder, values.log_file_location),
    logFileRollOverSettings: values.log_file_roll_over_settings,
    logPerFileSizeQuotaOctets: values.log_per_file_size_quota,
    certificates: values.certificates.map((certificate) => ({
      certificateFile: resolve(folder, certificate.certificate_file),
      keyFile: resolve(folder, certificate.key_file),
    })),
  };
}
