/**
 * Every key of the settings file: its meaning, range, default and Exchange counterpart, once. The
 * reading, the faults, `popkeep init`, `popkeep config reference` and docs/settings.md all come from here.
 *
 * Names are those of Exchange's Set-PopSettings in snake_case, so that who knows that finds these.
 */

import { hostname } from "node:os";
import { z } from "zod";
import {
  AUTHENTICATED_IDLE_MS,
  BAD_COMMANDS,
  COMMAND_OCTETS,
  CONNECTIONS,
  CONNECTIONS_PER_ADDRESS,
  CONNECTIONS_PER_USER,
  LOG_FILE_OCTETS,
  MAILBOX_CACHE_OCTETS,
  PASSWORD_MEMORY_MS,
  PASSWORD_WORKERS,
  PRE_AUTHENTICATED_IDLE_MS,
  RECEIVED_OCTETS,
  RESPONSE_LINE_OCTETS,
  SHUTDOWN_GRACE_MS,
  STORAGE_TIMEOUT_MS,
  TLS_HANDSHAKE_MS,
  WORKERS,
} from "../limits.ts";
import { choice, count, countOr, duration, setting, size, text, yesOrNo } from "./kinds.ts";
import { ADDRESSES, bindings, texts } from "./list_kinds.ts";
import { optionalPath, path } from "./place_kinds.ts";
import { directoryTable } from "./directory_tables.ts";
import { lmtpSection } from "./lmtp_section.ts";
import { policyTables } from "./policy_tables.ts";
import { quotaSection } from "./quota_section.ts";
import { loginSections } from "./login_sections.ts";
import { retentionSection } from "./retention_section.ts";

const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})$/;

/** useradd(8), with the "@" and the backslash of accounts that a domain server has; or a number. */
const SYSTEM_NAME = /^(?:[A-Za-z0-9_][A-Za-z0-9_.@\\$-]{0,255})?$/;

/** Octets that the greeting leaves for the banner: the line without "+OK " and CRLF. */
const BANNER_OCTETS = RESPONSE_LINE_OCTETS - "+OK \r\n".length;

/** One `[[certificates]]` table. */
const certificate = z.strictObject({
  certificate_file: setting(
    path(),
    "A PEM file with the certificate, followed by the certificates of its issuers.",
  ),
  key_file: setting(
    path(),
    "A PEM file with the certificate's private key, not encrypted. Only popkeep should be able " +
      "to read it.",
  ),
});

/** The keys by section, in the order that the documentation has them. */
export const sections = {
  "Where to listen": {
    server_name: setting(
      text({
        kind: "host name",
        pattern: HOST_NAME,
        allowed: 'a host name, such as "mail.example.com"',
        default: { found: ownName, inWords: "the machine's host name" },
      }),
      "The name that clients know this server by. `popkeep init` makes a certificate for it, and " +
        "`popkeep config check` tells when no certificate is for it.",
    ),
    unencrypted_or_tls_bindings: setting(
      bindings(["0.0.0.0:110", "[::]:110"]),
      "Where to listen for connections that begin without TLS. With a certificate they can turn " +
        "TLS on by STLS.",
      "UnencryptedOrTLSBindings",
    ),
    ssl_bindings: setting(
      bindings(["0.0.0.0:995", "[::]:995"]),
      "Where to listen for connections that are under TLS from the first octet. They need a " +
        "certificate.",
      "SSLBindings",
    ),
    proxy_addresses: setting(
      texts(ADDRESSES),
      "The load balancers. A connection from one of these addresses has to begin with a PROXY header " +
        "(version 1 or 2, HAProxy's `send-proxy-v2`), which says whose it is, or is closed; from any " +
        "other it must not. If the header says that the client came to the load balancer by TLS " +
        "(`send-proxy-v2-ssl`), that counts as TLS. docs/running.md and docs/scaling.md say more.",
    ),
    workers: setting(
      countOr(WORKERS, "processes", "auto"),
      "Processes that serve clients, all on the same ports. With more than one, another process " +
        "starts them, and starts one again that has died; limits hold over all of them. auto is " +
        "one for each processor. A change takes a restart.",
    ),
    banner: setting(
      text({
        pattern: new RegExp(`^(?!\\[|.*[<>])[\\x20-\\x7e]{1,${BANNER_OCTETS}}$`),
        allowed: `1 to ${BANNER_OCTETS} printable ASCII characters without "<" and ">" ` +
          '(clients take <...> in a greeting for an APOP timestamp), and no "[" at the beginning ' +
          "(they take it for a response code)",
        default: "popkeep is ready.",
      }),
      'The text of the greeting, after "+OK ".',
      "Banner",
    ),
  },
  "Who may log in": {
    login_type: setting(
      choice(["secure_login", "plaintext_authentication", "plaintext_login"], "secure_login"),
      "When a password may cross the wire. secure_login: only under TLS. " +
        "plaintext_authentication: without TLS by AUTH PLAIN, though not by USER and PASS. " +
        "plaintext_login: always.",
      "LoginType",
    ),
    user_file: setting(
      path("users"),
      "The users and their password hashes, in the form of Dovecot's passwd-file. " +
        "`popkeep user` changes it.",
    ),
    password_scheme: setting(
      choice(
        [
          "ARGON2ID",
          "BLF-CRYPT",
          "SHA512-CRYPT",
          "SHA256-CRYPT",
          "SSHA512",
          "SSHA256",
          "PBKDF2",
          "PLAIN",
        ],
        "ARGON2ID",
      ),
      "How `popkeep user` stores new passwords. Entries under other schemes go on working.",
    ),
    password_memory_time: setting(
      duration(PASSWORD_MEMORY_MS),
      "How long a right password is remembered, under a digest whose key is only in memory, so " +
        "that a client that polls does not cost a password hash each time. Each worker remembers by " +
        'itself. "0" remembers nothing.',
    ),
    password_workers: setting(
      count(PASSWORD_WORKERS, "threads"),
      "Threads that check password hashes, in each worker. Each needs 15 MiB, and what the hash takes " +
        "(19 MiB for Argon2id), until it has had nothing to do for half a minute.",
    ),
    weak_password_schemes: setting(
      texts({
        kind: "list of password schemes",
        holds: /^[A-Za-z0-9-]+$/,
        items: "names of weak schemes, as docs/users.md lists them",
        example: '"SSHA"',
      }),
      "Password schemes that are honoured although they are weak, for users who came from another " +
        "server with them. An entry under any other weak scheme lets nobody in.",
    ),
    state_folder: setting(
      optionalPath(
        "is state beside the settings file, or /var/lib/popkeep for a settings file below /etc",
      ),
      "A folder that popkeep can write, for what it remembers over a restart: failed logins, and " +
        "when app passwords were last used. In it is the socket, too, at which `popkeep expire` asks which mailboxes " +
        "are open.",
    ),
  },
  ...loginSections,
  "Where the mail is": {
    maildir: setting(
      text({
        kind: "path with variables, relative to the folder of the settings file",
        // The variables are checked in rules.ts, which can say which one is wrong.
        // deno-lint-ignore no-control-regex -- NUL is the one octet that no path can hold
        pattern: /^[^\x00]+$/,
        allowed: "a path with {home}, {user} or {local} in it, and {domain} where it is wanted",
        default: "{home}/Maildir",
      }),
      "A user's Maildir. {home} is the home folder that the user file names, {user} the user " +
        "name, {local} the part before its @ and {domain} the part after it.",
    ),
    user: setting(
      text({
        pattern: SYSTEM_NAME,
        kind: "user of this system, by name or number",
        allowed:
          'the name or number of a user of this system, or "" where it is not root who starts ' +
          "popkeep",
        default: "",
      }),
      "Whom popkeep becomes when root starts it, once certificates are read and before anybody is " +
        "served: the owner of the mail. Without it popkeep refuses to run as root; root here means " +
        "that it is to. Numbers stand in quotes, too. A change takes a restart.",
    ),
    group: setting(
      text({
        pattern: SYSTEM_NAME,
        kind: "group of this system, by name or number",
        allowed: 'the name or number of a group of this system, or "" for the user\'s own',
        default: "",
      }),
      "The group that popkeep's files belong to when it becomes user. Other groups that the user is in " +
        "hold too.",
    ),
    message_retrieval_sort_order: setting(
      choice(["ascending", "descending"], "ascending"),
      "ascending numbers messages from the oldest, descending from the newest. Several clients " +
        "count on ascending.",
      "MessageRetrievalSortOrder",
    ),
    enable_exact_rfc822_size: setting(
      yesOrNo(false),
      "Whether message sizes are the exact octets that are sent, as RFC 1939 has it. Otherwise " +
        "they are the octets in storage, which need not be counted.",
      "EnableExactRFC822Size",
    ),
    eight_bit_headers: setting(
      choice(["send", "refuse"], "send"),
      "What a client that did not say UTF8 gets when it asks for a message whose header holds " +
        "octets above 127. send: the message as it is, as clients have always got it. refuse: " +
        "-ERR [UTF8], as RFC 6856 has it; most clients can then never get that message.",
    ),
    mark_retrieved_as_seen: setting(
      yesOrNo(true),
      "Whether messages that a client retrieved are marked as seen when it quits: they move to " +
        "cur/ with the flag S.",
    ),
    mailbox_cache_size: setting(
      size(MAILBOX_CACHE_OCTETS),
      "Memory for mailboxes that nobody has open, so that the next look at an unchanged one reads " +
        "nothing: about 80 octets a message and 3 KiB a mailbox. Those that were used longest ago " +
        "are forgotten first; 0 keeps none. Each worker has as much.",
    ),
  },
  ...lmtpSection,
  ...quotaSection,
  ...retentionSection,
  "Limits": {
    authenticated_connection_timeout: setting(
      duration(AUTHENTICATED_IDLE_MS),
      "Inactivity after which a session that is logged in is closed. RFC 1939 asks for at least 10m.",
      "AuthenticatedConnectionTimeout",
    ),
    pre_authenticated_connection_timeout: setting(
      duration(PRE_AUTHENTICATED_IDLE_MS),
      "Inactivity after which a connection that is not logged in is closed.",
      "PreAuthenticatedConnectionTimeout",
    ),
    tls_handshake_timeout: setting(
      duration(TLS_HANDSHAKE_MS),
      "Time that a client gets to finish a TLS handshake, and a load balancer to send its PROXY header.",
    ),
    max_connections: setting(
      count(CONNECTIONS, "connections"),
      "Connections in all.",
      "MaxConnections",
    ),
    max_connections_from_single_address: setting(
      count(CONNECTIONS_PER_ADDRESS, "connections"),
      "Connections from one address. A whole office can stand behind one. Of IPv6, a network of " +
        "64 bits counts as one address, since every client has that many.",
      "MaxConnectionFromSingleIP",
    ),
    max_connections_per_user: setting(
      count(CONNECTIONS_PER_USER, "sessions"),
      "Sessions of one user at a time.",
      "MaxConnectionsPerUser",
    ),
    max_command_size: setting(
      size(COMMAND_OCTETS),
      "The longest command line, with its CRLF. RFC 2449 asks for at least 255. Responses to AUTH " +
        "challenges have a limit of their own.",
      "MaxCommandSize",
    ),
    max_bad_commands: setting(
      count(BAD_COMMANDS, "commands"),
      "Bad commands after which a connection is closed: lines that are no command, or have wrong " +
        "arguments, or are not allowed there and then. To ask for a message that is not there is none.",
    ),
    max_receive_size: setting(
      size(RECEIVED_OCTETS),
      "Longest message that is taken by popkeep deliver and by LMTP, as it is stored.",
      "MaxReceiveSize",
    ),
    storage_timeout: setting(
      duration(STORAGE_TIMEOUT_MS),
      "Time that one call to the disk gets. A session whose mailbox does not answer in that time gets " +
        "-ERR [SYS/TEMP]; those of other filesystems are not held up.",
    ),
    shutdown_grace_period: setting(
      duration(SHUTDOWN_GRACE_MS),
      "Time that sessions get to finish when the server is told to stop. Clients that were told and do " +
        "not close their end are waited for 3s more. systemd has to wait longer than both: the unit's " +
        "TimeoutStopSec is 90 seconds.",
    ),
  },
  "Log": {
    log_level: setting(
      choice(["trace", "debug", "info", "warning", "error"], "info"),
      "The least that is logged.",
    ),
    log_format: setting(
      choice(["auto", "text", "json"], "auto"),
      "auto logs text on a terminal and JSON, a line each, otherwise.",
    ),
    protocol_log: setting(
      yesOrNo(false),
      "Whether each command and response line is written to a file in log_file_location. " +
        "Passwords and messages are left out.",
      "ProtocolLogEnabled",
    ),
    log_file_location: setting(
      path("log"),
      "The folder of the protocol log.",
      "LogFileLocation",
    ),
    log_file_roll_over_settings: setting(
      choice(["hourly", "daily", "weekly", "monthly"], "daily"),
      "How often the protocol log begins a new file.",
      "LogFileRollOverSettings",
    ),
    log_per_file_size_quota: setting(
      size(LOG_FILE_OCTETS, "sets no limit"),
      "The size at which the protocol log begins a new file.",
      "LogPerFileSizeQuota",
    ),
  },
} as const;

/** The keys of a `[[certificates]]` table. */
export const certificateKeys = certificate.shape;

const certificates = setting(
  {
    schema: z.array(certificate).default([]),
    doc: {
      kind: "tables",
      default: "(none)",
      allowed: "tables with certificate_file and key_file, each under a line [[certificates]], " +
        "below all other keys",
    },
  },
  "Certificates for TLS. The first is shown to clients that ask for no name, the others to those " +
    "that ask for a name in them.",
  "X509CertificateName",
);

const directories = setting(
  {
    schema: z.array(directoryTable).default([]),
    doc: {
      kind: "tables",
      default: "(one of kind user_file)",
      allowed:
        "tables with kind and the keys of that kind, each under a line [[directories]], below " +
        "all other keys",
    },
  },
  "Where users come from, asked in this order. The first directory that knows a user decides.",
);

/** The settings file as a whole. */
export const settingsFile = z.strictObject({
  ...sections["Where to listen"],
  ...sections["Who may log in"],
  ...sections["Names"],
  ...sections["Failed logins"],
  ...sections["Mechanisms"],
  ...sections["NTLM and Kerberos"],
  ...sections["OAuth"],
  ...sections["Client certificates"],
  ...sections["Where the mail is"],
  ...sections["Mail by LMTP"],
  ...sections["Quota"],
  ...sections["Retention"],
  ...sections["Limits"],
  ...sections["Log"],
  ...policyTables,
  certificates,
  directories,
});

/** What the settings file says, with defaults where it says nothing; keys as in the file. */
export type SettingsFile = z.output<typeof settingsFile>;

function ownName(): string {
  const name = hostname();
  return HOST_NAME.test(name) ? name : "localhost";
}
