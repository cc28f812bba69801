/** The keys of a `[[directories]]` table of kind "ldap". */

import { z } from "zod";
import { DIRECTORY_CONNECT_MS, DIRECTORY_CONNECTIONS, DIRECTORY_OPERATION_MS } from "../limits.ts";
import { choice, count, duration, freeText, setting, yesOrNo } from "./kinds.ts";
import { listOf } from "./list_kinds.ts";
import { optionalFile } from "./place_kinds.ts";

const attribute = (about: string, fallback = "") =>
  setting(
    freeText({
      kind: "name of an attribute",
      default: fallback,
      pattern: /^[A-Za-z0-9;._-]{0,255}$/,
    }),
    about,
  );

export const ldapKeys = {
  urls: setting(
    listOf({
      kind: "list of URLs",
      holds: /^ldaps?:\/\/[^\s/@]+\/?$/,
      least: 1,
      most: 8,
      items: '1 to 8 URLs of the form "ldap://host:389" or "ldaps://host:636"',
      example: '"ldaps://ldap.example.com"',
    }),
    "The servers, tried in this order; one that failed lately comes last.",
  ),
  start_tls: setting(
    yesOrNo(false),
    "Whether TLS is begun on ldap:// before anything else is sent.",
  ),
  ca_file: setting(
    optionalFile("takes the runtime's authorities", "open"),
    "A PEM file with the authorities that the servers' certificates come from.",
  ),
  verify_certificate: setting(yesOrNo(true), "Whether a server's certificate has to be right."),
  mode: setting(
    choice(["search", "direct", "stored"], "search"),
    "search: find the user's entry, then bind as it with the password. direct: bind as " +
      "direct_bind_name at once. stored: find the entry and check its password_attribute here.",
  ),
  bind_dn: setting(
    freeText({ kind: "DN", default: "" }),
    'Who searches. "" searches without a name.',
  ),
  bind_password_file: setting(
    optionalFile("has none", "secret"),
    "A file with the password that belongs to bind_dn: its first line.",
  ),
  direct_bind_name: setting(
    freeText({ kind: "template", default: "" }),
    'Whom to bind as in the mode direct, such as "uid={user},ou=people,dc=example,dc=com", or ' +
      '"{local}@ad.example.com" for Active Directory.',
  ),
  base: setting(freeText({ kind: "DN", default: "" }), "The entry under which users are searched."),
  scope: setting(
    choice(["subtree", "one_level", "base"], "subtree"),
    "How far below base is searched.",
  ),
  filter: setting(
    freeText({
      kind: "LDAP filter with variables",
      default: "(&(objectClass=person)(|(uid={user})(mail={user})))",
    }),
    "What finds a user's entry: {user} is the name, {local} the part before its @, {domain} the part " +
      'after it. "" in the mode direct searches nothing.',
  ),
  iterate_filter: setting(
    freeText({ kind: "LDAP filter", default: "", allowed: "an LDAP filter without variables" }),
    "What finds all users below base, as for `popkeep expire --all` and the daily pass. " +
      '"" lists nobody; the mode direct cannot.',
  ),
  user_attribute: attribute(
    "The attribute with the user's name, as popkeep then knows the user.",
    "uid",
  ),
  home_attribute: attribute("The attribute with the home folder."),
  mail_attribute: attribute(
    "The attribute with the place of the mail, as Dovecot's mail_location.",
  ),
  quota_attribute: attribute("The attribute with the quota."),
  password_attribute: attribute(
    "The attribute with the password's hash, in the mode stored.",
    "userPassword",
  ),
  default_password_scheme: setting(
    freeText({ kind: "password scheme", default: "PLAIN", pattern: /^[A-Za-z0-9.-]{1,40}$/ }),
    "The scheme of a password without {SCHEME}, in the mode stored.",
  ),
  nologin_attribute: attribute("An attribute that keeps a user out."),
  nologin_values: setting(
    listOf({
      kind: "list of texts",
      holds: /^.{1,255}$/,
      items: "values of the attribute",
      example: '"TRUE"',
    }),
    "With which values it does; empty, with any.",
  ),
  account_state: setting(
    yesOrNo(true),
    "Whether the states of accounts that Active Directory, OpenLDAP and 389 Directory Server know " +
      "are looked at: disabled, locked, expired.",
  ),
  allow_nets_attribute: attribute("The attribute with the networks that a user may log in from."),
  nt_hash_attribute: attribute(
    "The attribute with the NT hash, for NTLM, such as sambaNTPassword.",
  ),
  scram_sha_256_attribute: attribute("The attribute with the keys for SCRAM-SHA-256."),
  delegates_attribute: attribute("The attribute with the names of the user's delegates."),
  connect_timeout: setting(
    duration(DIRECTORY_CONNECT_MS),
    "How long a connection, with its TLS, may take to be there.",
  ),
  operation_timeout: setting(
    duration(DIRECTORY_OPERATION_MS),
    "How long one search or bind may take.",
  ),
  connections: setting(
    count(DIRECTORY_CONNECTIONS, "connections"),
    "Connections for users' passwords at most, beside one for searches.",
  ),
} satisfies Record<string, z.ZodType>;
