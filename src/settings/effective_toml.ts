/** The settings in force as a settings file would have them: TOML that reads back as the same. */

import { stringify } from "smol-toml";
import { formatBinding } from "./binding.ts";
import { tableValues } from "./directory_tables.ts";
import type { Settings } from "./effective.ts";
import { formatLmtpBinding } from "./lmtp_binding.ts";
import { quotaValues } from "./quota_tables.ts";
import { retentionValues } from "./retention_tables.ts";
import type { SettingsFile } from "./schema.ts";
import { formatDuration } from "./units.ts";

/** A value as smol-toml writes it. */
type Plain = string | number | boolean | string[] | number[];
type FileValue = Plain | Record<string, Plain>[];

/** The settings under the keys of the file, with all paths absolute. */
export function fileValues(settings: Settings): Record<keyof SettingsFile, FileValue> {
  return {
    server_name: settings.serverName,
    unencrypted_or_tls_bindings: settings.unencryptedOrTlsBindings.map(formatBinding),
    ssl_bindings: settings.sslBindings.map(formatBinding),
    proxy_addresses: [...settings.proxyAddresses],
    workers: settings.workers,
    banner: settings.banner,
    login_type: settings.loginType,
    user_file: settings.userFile,
    password_scheme: settings.passwordScheme,
    password_memory_time: formatDuration(settings.passwordMemoryMs),
    password_workers: settings.passwordWorkers,
    weak_password_schemes: [...settings.weakPasswordSchemes],
    state_folder: settings.stateFolder,
    default_domain: settings.defaultDomain,
    folder_separator: settings.folderSeparator,
    delegates: settings.delegates,
    master_users: [...settings.masterUsers],
    master_user_separator: settings.masterUserSeparator,
    max_failed_logins: settings.maxFailedLogins,
    max_failed_logins_from_single_address: settings.maxFailedLoginsFromSingleAddress,
    max_failed_logins_per_user: settings.maxFailedLoginsPerUser,
    failed_login_window: formatDuration(settings.failedLoginWindowMs),
    failed_login_block_time: formatDuration(settings.failedLoginBlockMs),
    failed_login_delay: formatDuration(settings.failedLoginDelayMs),
    never_blocked_addresses: [...settings.neverBlockedAddresses],
    mechanisms: [...settings.mechanisms],
    enable_gssapi_and_ntlm_auth: settings.enableGssapiAndNtlmAuth,
    extended_protection_policy: settings.extendedProtectionPolicy,
    ntlm_domain: settings.ntlmDomain,
    ntlm_auth_program: settings.ntlmAuthProgram,
    ntlm_auth_processes: settings.ntlmAuthProcesses,
    ntlm_first_reply: settings.ntlmFirstReply,
    gssapi_keytab: settings.gssapiKeytab,
    gssapi_realms: [...settings.gssapiRealms],
    gssapi_user: settings.gssapiUser,
    oauth_jwks: settings.oauthJwks,
    oauth_introspection_url: settings.oauthIntrospectionUrl,
    oauth_introspection_client_id: settings.oauthIntrospectionClientId,
    oauth_introspection_client_secret_file: settings.oauthIntrospectionClientSecretFile,
    oauth_issuer: settings.oauthIssuer,
    oauth_audience: [...settings.oauthAudience],
    oauth_scopes: [...settings.oauthScopes],
    oauth_user_claim: settings.oauthUserClaim,
    oauth_openid_configuration_url: settings.oauthOpenidConfigurationUrl,
    client_certificate_authorities: settings.clientCertificateAuthorities,
    client_certificate_user: settings.clientCertificateUser,
    client_certificate_revocation_lists: [...settings.clientCertificateRevocationLists],
    maildir: settings.maildir,
    user: settings.user,
    group: settings.group,
    message_retrieval_sort_order: settings.messageRetrievalSortOrder,
    enable_exact_rfc822_size: settings.enableExactRfc822Size,
    eight_bit_headers: settings.eightBitHeaders,
    mark_retrieved_as_seen: settings.markRetrievedAsSeen,
    mailbox_cache_size: settings.mailboxCacheOctets,
    lmtp_bindings: settings.lmtpBindings.map(formatLmtpBinding),
    lmtp_remote_ip_ranges: [...settings.lmtpRemoteIpRanges],
    quota_storage_size: settings.quotaStorageOctets,
    quota_message_count: settings.quotaMessageCount,
    quota_exceeded: settings.quotaExceeded,
    quota_ignored_folders: [...settings.quotaIgnoredFolders],
    quota_warning_percentages: [...settings.quotaWarningPercentages],
    quota_warning_file: settings.quotaWarningFile,
    quota_warning_language: settings.quotaWarningLanguage,
    quotas: settings.quotas.map(quotaValues),
    retention_read: formatDuration(settings.retentionReadMs),
    retention_unread: formatDuration(settings.retentionUnreadMs),
    retention_time: settings.retentionTime,
    deleted_item_retention: formatDuration(settings.deletedItemRetentionMs),
    retentions: settings.retentions.map(retentionValues),
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
    max_receive_size: settings.maxReceiveOctets,
    storage_timeout: formatDuration(settings.storageTimeoutMs),
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
    directories: settings.directories.map(tableValues),
  };
}

/** The settings in force as a TOML text. */
export function settingsToml(settings: Settings): string {
  const { certificates, directories, quotas, retentions, ...values } = fileValues(settings);
  const lines = Object.entries(values).map(([key, value]) => tomlLine(key, value));
  for (const [name, tables] of Object.entries({ quotas, retentions, certificates, directories })) {
    for (const table of tables as Record<string, Plain>[]) {
      lines.push("", `[[${name}]]`);
      for (const [key, value] of Object.entries(table)) lines.push(tomlLine(key, value));
    }
  }
  return lines.join("\n") + "\n";
}

/** `key = value` in TOML. */
export function tomlLine(key: string, value: FileValue): string {
  return stringify({ [key]: value }).trimEnd();
}
