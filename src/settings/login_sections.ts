/**
 * The keys about logging in beyond a name and a password: which names stand for which mailbox, what
 * failed logins lead to, and what each mechanism needs.
 */

import {
  FAILED_LOGIN_BLOCK_MS,
  FAILED_LOGIN_DELAY_MS,
  FAILED_LOGIN_WINDOW_MS,
  FAILED_LOGINS,
  FAILED_LOGINS_FROM_ADDRESS,
  FAILED_LOGINS_OF_USER,
  NTLM_AUTH_PROCESSES,
} from "../limits.ts";
import { choice, count, duration, setting, text, yesOrNo } from "./kinds.ts";
import { ADDRESSES, choices, paths, texts } from "./list_kinds.ts";
import { optionalPath, url, urlOrPath } from "./place_kinds.ts";

const DOMAIN = /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}))?$/;

/** What can part a name: printable, and nothing that every name may hold or that parts it already. */
const SEPARATOR = /^[!#$%&*+=?^_|~;,-]?$/;
const SEPARATOR_ALLOWED = 'one of ! # $ % & * + = ? ^ _ | ~ ; , - or "" for none';

const MECHANISMS = [
  "EXTERNAL",
  "GSSAPI",
  "NTLM",
  "SCRAM-SHA-256-PLUS",
  "SCRAM-SHA-256",
  "OAUTHBEARER",
  "XOAUTH2",
  "PLAIN",
] as const;

const NAMES = {
  kind: "list of user names",
  holds: /^[^\s:/]{1,320}$/,
  items: "user names",
  example: '"admin@example.com"',
};

export const loginSections = {
  "Names": {
    default_domain: setting(
      text({
        kind: "domain",
        pattern: DOMAIN,
        allowed: 'a domain, such as "example.com", or ""',
        default: "",
      }),
      "The domain of names that are sent without one: with example.com, alice is alice@example.com, " +
        "and nobody logs in who has no domain in his name where the users are kept. " +
        '"" adds none.',
    ),
    folder_separator: setting(
      text({ kind: "character", pattern: SEPARATOR, allowed: SEPARATOR_ALLOWED, default: "" }),
      'What parts a user name from a folder. With "+", alice+Work@example.com logs in as ' +
        'alice@example.com and has the folder Work as the maildrop. "" opens no folders.',
    ),
    delegates: setting(
      yesOrNo(false),
      "Whether names of the form domain/user/mailbox, or the same with backslashes, log user in to " +
        "another's mailbox, as in Exchange. The owner's entry has to name the user as a delegate.",
    ),
    master_users: setting(
      texts(NAMES),
      "Users who may log in as anybody, with their own password: by SASL's authorization identity, or " +
        "by master_user_separator. They are named as in the log, with their domain if they have one. " +
        "Each such login is in the log under both names.",
    ),
    master_user_separator: setting(
      text({ kind: "character", pattern: SEPARATOR, allowed: SEPARATOR_ALLOWED, default: "" }),
      'What parts a user name from a master user\'s. With "*", alice*admin opens the mailbox of alice ' +
        'with the password of admin. "" takes no such names.',
    ),
  },
  "Failed logins": {
    max_failed_logins: setting(
      count(FAILED_LOGINS, "logins"),
      "Failed logins after which a connection is closed.",
    ),
    max_failed_logins_from_single_address: setting(
      count(FAILED_LOGINS_FROM_ADDRESS, "logins"),
      "Failed logins from one address within failed_login_window after which it is refused for " +
        "failed_login_block_time. Of IPv6, a network of 64 bits counts as one address.",
    ),
    max_failed_logins_per_user: setting(
      count(FAILED_LOGINS_OF_USER, "logins"),
      "Failed logins to one name within failed_login_window after which those addresses that failed " +
        "are refused for that name. Others, and those from which the user logged in lately, are not.",
    ),
    failed_login_window: setting(
      duration(FAILED_LOGIN_WINDOW_MS),
      "How long a failed login counts.",
    ),
    failed_login_block_time: setting(
      duration(FAILED_LOGIN_BLOCK_MS),
      "How long an address is refused after too many failed logins.",
    ),
    failed_login_delay: setting(
      duration(FAILED_LOGIN_DELAY_MS),
      "How long the answer to a failed login waits, after the first few from an address. It doubles " +
        'with each, up to 15 s. "0" waits never.',
    ),
    never_blocked_addresses: setting(
      texts(ADDRESSES),
      "Addresses and networks whose failed logins are not counted, such as that of a webmail server.",
    ),
  },
  "Mechanisms": {
    mechanisms: setting(
      choices(MECHANISMS, "list of mechanisms"),
      "The mechanisms that may be offered, by AUTH and in CAPA; empty, all of them. Each is offered " +
        "where it can succeed, whoever it is that comes: clients that take the strongest one fail for " +
        "users who have no secret for it, so leave out what only some users have.",
    ),
  },
  "NTLM and Kerberos": {
    enable_gssapi_and_ntlm_auth: setting(
      yesOrNo(true),
      "Whether GSSAPI and NTLM are offered where they can succeed: NTLM where users have an NT hash " +
        "or ntlm_auth_program is set, GSSAPI where gssapi_keytab is.",
      "EnableGSSAPIAndNTLMAuth",
    ),
    extended_protection_policy: setting(
      choice(["none", "allow", "require"], "none"),
      "Whether NTLM and GSSAPI are bound to the TLS that they run in, so that nobody between can pass " +
        "a login on. allow: a binding that a client sends has to be right. require: there has to be one.",
      "ExtendedProtectionPolicy",
    ),
    ntlm_domain: setting(
      text({
        kind: "NetBIOS domain name",
        pattern: /^[A-Za-z0-9_-]{0,15}$/,
        allowed: 'up to 15 letters, digits, "-" and "_"; "" takes the first part of server_name',
        default: "",
      }),
      "The domain that NTLM clients are told, and that they may send with their names.",
    ),
    ntlm_auth_program: setting(
      optionalPath("checks NTLM with the directories' NT hashes"),
      "Samba's ntlm_auth, for accounts of a Windows domain that this machine has joined.",
    ),
    ntlm_auth_processes: setting(
      count(NTLM_AUTH_PROCESSES, "processes"),
      "Processes of ntlm_auth_program at most. Each serves one login at a time.",
    ),
    ntlm_first_reply: setting(
      choice(["+", "+OK"], "+"),
      'What AUTH NTLM without an initial response is answered. "+OK" is for clients of the time before ' +
        "[MS-OXPOP3]; others take it for a refusal.",
    ),
    gssapi_keytab: setting(
      optionalPath("offers no GSSAPI"),
      "The keytab with the key of pop/HOST@REALM, for Kerberos. Needs the system's libgssapi-krb5-2.",
    ),
    gssapi_realms: setting(
      texts({
        kind: "list of Kerberos realms",
        holds: /^[^\s@/\\]{1,255}$/,
        items: "realms",
        example: '"EXAMPLE.COM"',
      }),
      "Realms whose principals are users here. Empty, those of the keytab.",
    ),
    gssapi_user: setting(
      text({
        kind: "text with variables",
        pattern: /^[^{}\s:/]*\{name\}[^{}\s:/]*(?:\{realm\}[^{}\s:/]*)?$/,
        allowed:
          'a text with {name} and, if wanted, {realm} behind it, such as "{name}@example.com"',
        default: "{name}",
      }),
      "The user that a principal is: {name} is the principal before its @, {realm} what follows, in " +
        "lower case.",
    ),
  },
  "OAuth": {
    oauth_jwks: setting(
      urlOrPath("checks no signatures"),
      "The JSON Web Key Set with whose keys access tokens are signed. With it, or with " +
        "oauth_introspection_url, XOAUTH2 and OAUTHBEARER are offered.",
    ),
    oauth_introspection_url: setting(
      url("asks nobody"),
      "Where tokens are asked about that are no JSON Web Tokens (RFC 7662).",
    ),
    oauth_introspection_client_id: setting(
      text({
        kind: "text",
        pattern: /^[\x20-\x7e]{0,255}$/,
        allowed: "up to 255 printable ASCII characters",
        default: "",
      }),
      "The name under which popkeep asks there.",
    ),
    oauth_introspection_client_secret_file: setting(
      optionalPath("asks without a secret"),
      "A file with the secret that belongs to it.",
    ),
    oauth_issuer: setting(
      text({
        kind: "text",
        pattern: /^[\x21-\x7e]{0,1024}$/,
        allowed: "the issuer as tokens spell it",
        default: "",
      }),
      'Who has to have issued a token (its claim iss). "" does not look, which is safe only where the ' +
        "keys belong to one issuer.",
    ),
    oauth_audience: setting(
      texts({
        kind: "list of texts",
        holds: /^[\x21-\x7e]{1,1024}$/,
        items: "audiences as tokens spell them",
        example: '"popkeep"',
      }),
      "Whom a token has to be for (its claim aud): one of these. Required with oauth_jwks, since else a " +
        "token that was given to any other service would open mailboxes here.",
    ),
    oauth_scopes: setting(
      texts({
        kind: "list of texts",
        holds: /^[\x21-\x7e]{1,1024}$/,
        items: "scopes",
        example: '"mail.pop"',
      }),
      "The scopes that a token has to have, all of them.",
    ),
    oauth_user_claim: setting(
      text({
        kind: "name of a claim",
        pattern: /^[A-Za-z0-9_:/.-]{1,255}$/,
        allowed: 'the name of a claim, such as "email", "preferred_username" or "sub"',
        default: "email",
      }),
      "The claim of a token that holds the user name.",
    ),
    oauth_openid_configuration_url: setting(
      url("says none"),
      "Where clients whose token was refused are told to look (RFC 7628 §3.2.2).",
    ),
  },
  "Client certificates": {
    client_certificate_authorities: setting(
      optionalPath("asks clients for no certificate"),
      "A PEM file with the certificates of those who issue client certificates. With it, clients " +
        "are asked for theirs, and EXTERNAL is offered to those who have one.",
    ),
    client_certificate_user: setting(
      choice(["email", "upn", "dns", "common_name"], "email"),
      "Which name in a client's certificate is the user: the e-mail address or user principal name or " +
        "host name among its alternative names, or the subject's common name.",
    ),
    client_certificate_revocation_lists: setting(
      paths(),
      "Files with the certificate revocation lists of those authorities, PEM or DER. They are read again " +
        "when they change; one that is out of date lets nobody in whose certificate it is about.",
    ),
  },
} as const;
