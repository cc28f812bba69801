/** The settings as the program uses them: units in names, absolute paths, nothing left open. */

import { dirname, resolve } from "node:path";
import type { Binding } from "./binding.ts";
import type { CertificateFiles } from "./certificate_files.ts";
import { type DirectoryTable, withAbsolutePaths } from "./directory_tables.ts";
import type { LmtpBinding } from "./lmtp_binding.ts";
import { ascending, effectiveQuotas, type QuotaTable } from "./quota_tables.ts";
import { effectiveRetentions, type RetentionTable } from "./retention_tables.ts";
import type { SettingsFile } from "./schema.ts";

/** What a settings file sets, defaults included. The keys of the file are in src/settings/schema.ts. */
export interface Settings {
  /** The settings file, absolute. */
  readonly file: string;
  readonly serverName: string;
  readonly unencryptedOrTlsBindings: readonly Binding[];
  readonly sslBindings: readonly Binding[];
  readonly proxyAddresses: readonly string[];
  /** `auto`: as many as there are processors. */
  readonly workers: number | "auto";
  readonly banner: string;
  readonly loginType: SettingsFile["login_type"];
  readonly userFile: string;
  readonly passwordScheme: SettingsFile["password_scheme"];
  readonly passwordMemoryMs: number;
  readonly passwordWorkers: number;
  readonly weakPasswordSchemes: readonly string[];
  /** Folder. */
  readonly stateFolder: string;
  /** "" adds none. */
  readonly defaultDomain: string;
  /** "" opens no folders. */
  readonly folderSeparator: string;
  readonly delegates: boolean;
  readonly masterUsers: readonly string[];
  /** "" takes no such names. */
  readonly masterUserSeparator: string;
  readonly maxFailedLogins: number;
  readonly maxFailedLoginsFromSingleAddress: number;
  readonly maxFailedLoginsPerUser: number;
  readonly failedLoginWindowMs: number;
  readonly failedLoginBlockMs: number;
  readonly failedLoginDelayMs: number;
  readonly neverBlockedAddresses: readonly string[];
  /** Empty means all. */
  readonly mechanisms: SettingsFile["mechanisms"];
  readonly enableGssapiAndNtlmAuth: boolean;
  readonly extendedProtectionPolicy: SettingsFile["extended_protection_policy"];
  /** Never empty. */
  readonly ntlmDomain: string;
  /** Absolute; "" where the directories' NT hashes are used. */
  readonly ntlmAuthProgram: string;
  readonly ntlmAuthProcesses: number;
  readonly ntlmFirstReply: SettingsFile["ntlm_first_reply"];
  /** Absolute; "" where GSSAPI is off. */
  readonly gssapiKeytab: string;
  readonly gssapiRealms: readonly string[];
  readonly gssapiUser: string;
  /** A URL, an absolute path, or "". */
  readonly oauthJwks: string;
  readonly oauthIntrospectionUrl: string;
  readonly oauthIntrospectionClientId: string;
  /** Absolute, or "". */
  readonly oauthIntrospectionClientSecretFile: string;
  readonly oauthIssuer: string;
  readonly oauthAudience: readonly string[];
  readonly oauthScopes: readonly string[];
  readonly oauthUserClaim: string;
  readonly oauthOpenidConfigurationUrl: string;
  /** Absolute, or "". */
  readonly clientCertificateAuthorities: string;
  readonly clientCertificateUser: SettingsFile["client_certificate_user"];
  /** Absolute. */
  readonly clientCertificateRevocationLists: readonly string[];
  /** Template with {home}, {user}, {local} and {domain}; absolute unless it begins with {home}. */
  readonly maildir: string;
  /** Whom to become when started as root; "" says nothing, "root" that it stays root. */
  readonly user: string;
  /** "" is the user's own. */
  readonly group: string;
  readonly messageRetrievalSortOrder: SettingsFile["message_retrieval_sort_order"];
  readonly enableExactRfc822Size: boolean;
  readonly eightBitHeaders: SettingsFile["eight_bit_headers"];
  readonly markRetrievedAsSeen: boolean;
  readonly mailboxCacheOctets: number;
  readonly lmtpBindings: readonly LmtpBinding[];
  readonly lmtpRemoteIpRanges: readonly string[];
  /** 0 sets no limit; nor does it below. */
  readonly quotaStorageOctets: number;
  readonly quotaMessageCount: number;
  readonly quotaExceeded: SettingsFile["quota_exceeded"];
  readonly quotaIgnoredFolders: readonly string[];
  /** Ascending. */
  readonly quotaWarningPercentages: readonly number[];
  /** Absolute, or "". */
  readonly quotaWarningFile: string;
  readonly quotaWarningLanguage: SettingsFile["quota_warning_language"];
  readonly quotas: readonly QuotaTable[];
  /** 0 is never. */
  readonly retentionReadMs: number;
  readonly retentionUnreadMs: number;
  /** `HH:MM`, or "" for never. */
  readonly retentionTime: string;
  /** 0 keeps nothing. */
  readonly deletedItemRetentionMs: number;
  readonly retentions: readonly RetentionTable[];
  readonly authenticatedConnectionTimeoutMs: number;
  readonly preAuthenticatedConnectionTimeoutMs: number;
  readonly tlsHandshakeTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsFromSingleAddress: number;
  readonly maxConnectionsPerUser: number;
  readonly maxCommandSizeOctets: number;
  readonly maxBadCommands: number;
  readonly maxReceiveOctets: number;
  readonly storageTimeoutMs: number;
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
  /** At least one, in the order that they are asked. Paths are absolute. */
  readonly directories: readonly DirectoryTable[];
}

/** Makes the values of `file` what the program uses; relative paths count from its folder. */
export function effectiveSettings(file: string, values: SettingsFile): Settings {
  const folder = dirname(resolve(file));
  const optional = (path: string) => path === "" ? "" : resolve(folder, path);
  return {
    file: resolve(file),
    serverName: values.server_name,
    unencryptedOrTlsBindings: values.unencrypted_or_tls_bindings,
    sslBindings: values.ssl_bindings,
    proxyAddresses: values.proxy_addresses,
    workers: values.workers,
    banner: values.banner,
    loginType: values.login_type,
    userFile: resolve(folder, values.user_file),
    passwordScheme: values.password_scheme,
    passwordMemoryMs: values.password_memory_time,
    passwordWorkers: values.password_workers,
    weakPasswordSchemes: values.weak_password_schemes.map((name) => name.toUpperCase()),
    stateFolder: optional(values.state_folder) || stateFolderFor(folder),
    defaultDomain: values.default_domain,
    folderSeparator: values.folder_separator,
    delegates: values.delegates,
    masterUsers: values.master_users,
    masterUserSeparator: values.master_user_separator,
    maxFailedLogins: values.max_failed_logins,
    maxFailedLoginsFromSingleAddress: values.max_failed_logins_from_single_address,
    maxFailedLoginsPerUser: values.max_failed_logins_per_user,
    failedLoginWindowMs: values.failed_login_window,
    failedLoginBlockMs: values.failed_login_block_time,
    failedLoginDelayMs: values.failed_login_delay,
    neverBlockedAddresses: values.never_blocked_addresses,
    mechanisms: values.mechanisms,
    enableGssapiAndNtlmAuth: values.enable_gssapi_and_ntlm_auth,
    extendedProtectionPolicy: values.extended_protection_policy,
    ntlmDomain: values.ntlm_domain || netbiosNameOf(values.server_name),
    ntlmAuthProgram: optional(values.ntlm_auth_program),
    ntlmAuthProcesses: values.ntlm_auth_processes,
    ntlmFirstReply: values.ntlm_first_reply,
    gssapiKeytab: optional(values.gssapi_keytab),
    gssapiRealms: values.gssapi_realms,
    gssapiUser: values.gssapi_user,
    oauthJwks: /^https?:/.test(values.oauth_jwks) ? values.oauth_jwks : optional(values.oauth_jwks),
    oauthIntrospectionUrl: values.oauth_introspection_url,
    oauthIntrospectionClientId: values.oauth_introspection_client_id,
    oauthIntrospectionClientSecretFile: optional(values.oauth_introspection_client_secret_file),
    oauthIssuer: values.oauth_issuer,
    oauthAudience: values.oauth_audience,
    oauthScopes: values.oauth_scopes,
    oauthUserClaim: values.oauth_user_claim,
    oauthOpenidConfigurationUrl: values.oauth_openid_configuration_url,
    clientCertificateAuthorities: optional(values.client_certificate_authorities),
    clientCertificateUser: values.client_certificate_user,
    clientCertificateRevocationLists: values.client_certificate_revocation_lists.map((list) =>
      resolve(folder, list)
    ),
    maildir: values.maildir.startsWith("{home}") ? values.maildir : resolve(folder, values.maildir),
    user: values.user,
    group: values.group,
    messageRetrievalSortOrder: values.message_retrieval_sort_order,
    enableExactRfc822Size: values.enable_exact_rfc822_size,
    eightBitHeaders: values.eight_bit_headers,
    markRetrievedAsSeen: values.mark_retrieved_as_seen,
    mailboxCacheOctets: values.mailbox_cache_size,
    lmtpBindings: values.lmtp_bindings,
    lmtpRemoteIpRanges: values.lmtp_remote_ip_ranges,
    quotaStorageOctets: values.quota_storage_size,
    quotaMessageCount: values.quota_message_count,
    quotaExceeded: values.quota_exceeded,
    quotaIgnoredFolders: values.quota_ignored_folders,
    quotaWarningPercentages: ascending(values.quota_warning_percentages),
    quotaWarningFile: optional(values.quota_warning_file),
    quotaWarningLanguage: values.quota_warning_language,
    quotas: effectiveQuotas(values.quotas),
    retentionReadMs: values.retention_read,
    retentionUnreadMs: values.retention_unread,
    retentionTime: values.retention_time,
    deletedItemRetentionMs: values.deleted_item_retention,
    retentions: effectiveRetentions(values.retentions),
    authenticatedConnectionTimeoutMs: values.authenticated_connection_timeout,
    preAuthenticatedConnectionTimeoutMs: values.pre_authenticated_connection_timeout,
    tlsHandshakeTimeoutMs: values.tls_handshake_timeout,
    maxConnections: values.max_connections,
    maxConnectionsFromSingleAddress: values.max_connections_from_single_address,
    maxConnectionsPerUser: values.max_connections_per_user,
    maxCommandSizeOctets: values.max_command_size,
    maxBadCommands: values.max_bad_commands,
    maxReceiveOctets: values.max_receive_size,
    storageTimeoutMs: values.storage_timeout,
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
    directories: directoriesOf(values, folder),
  };
}

/** The tables with absolute paths; where there are none, one for the user file. */
function directoriesOf({ directories, user_file }: SettingsFile, folder: string): DirectoryTable[] {
  const tables: readonly DirectoryTable[] = directories.length > 0
    ? directories
    : [{ kind: "user_file", file: "" }];
  return tables.map((table) =>
    table.kind === "user_file"
      ? { ...table, file: resolve(folder, table.file || user_file) }
      : withAbsolutePaths(table, folder)
  );
}

/** Beside the settings, but not in /etc, which is no place for what changes (FHS §3.7, §5.8). */
function stateFolderFor(folder: string): string {
  return /^\/etc(?:\/|$)/.test(folder) ? "/var/lib/popkeep" : resolve(folder, "state");
}

/** What a Windows machine of this name would be called: its first label, 15 characters of it at most. */
function netbiosNameOf(serverName: string): string {
  return serverName.replace(/\..*$/, "").slice(0, 15).toUpperCase();
}
