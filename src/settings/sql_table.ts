/** The keys of a `[[directories]]` table of kind "sql". */

import { z } from "zod";
import { DIRECTORY_CONNECT_MS, DIRECTORY_CONNECTIONS, DIRECTORY_OPERATION_MS } from "../limits.ts";
import { choice, count, duration, freeText, setting } from "./kinds.ts";
import { optionalFile, optionalPath } from "./place_kinds.ts";

export const sqlKeys = {
  url: setting(
    freeText({
      kind: "URL",
      pattern:
        /^(?:(?:postgres(?:ql)?|mysql):\/\/(?:[^\s:]*(?::[0-9]+)?|[^\s:@]+@\S+)\/\S+|sqlite:[^\p{Cc}]+)$/u,
      allowed:
        '"postgresql://login@host:5432/database", "mysql://login@host:3306/database" (MariaDB ' +
        'too) or "sqlite:path/of/the/file", relative to the folder of the settings file; a ' +
        "password does not belong here",
    }),
    "The database.",
  ),
  socket: setting(
    optionalPath("connects to the host and port of url"),
    "A Unix socket instead: for PostgreSQL the folder that it is in, for MySQL the socket.",
  ),
  password_file: setting(
    optionalFile("has none", "secret"),
    "A file with the password of the database login: its first line.",
  ),
  password_environment: setting(
    freeText({
      kind: "name of an environment variable",
      default: "",
      pattern: /^[A-Za-z0-9_]{0,255}$/,
    }),
    "The environment variable that holds it instead.",
  ),
  tls: setting(
    choice(["auto", "verify", "unverified", "none"], "auto"),
    "Whether the connection is under TLS, and the certificate has to be right. auto: none on this machine, " +
      "verify to another.",
  ),
  ca_file: setting(
    optionalFile("takes the runtime's authorities", "open"),
    "A PEM file with the authorities that the server's certificate comes from.",
  ),
  query: setting(
    freeText({
      kind: "SQL with variables",
      pattern: /^[^]*\{(?:user|local)\}[^]*$/,
      most: 10_000,
      allowed: "one SELECT with {user}, {local} and {domain}, which are bound and never pasted",
    }),
    "What finds a user. Columns count by their names: user, password, home, mail, quota_rule (quota_rule2 ...), " +
      "quota_storage_size, quota_message_count, retention_read, retention_unread, nologin, " +
      "allow_nets, nt_hash, scram_sha_256, delegates, each with userdb_ before it or not.",
  ),
  iterate_query: setting(
    freeText({
      kind: "SQL",
      default: "",
      pattern: /^[^]*$/,
      most: 10_000,
      allowed: "one SELECT without variables",
    }),
    "What lists all users, as for `popkeep expire --all` and the daily pass: a column user, or username and " +
      "domain. With all columns of query that say where mail is and what holds for it, nobody is looked up singly. " +
      '"" lists nobody.',
  ),
  default_password_scheme: setting(
    freeText({ kind: "password scheme", default: "CRYPT", pattern: /^[A-Za-z0-9.-]{1,40}$/ }),
    "The scheme of a password without {SCHEME}.",
  ),
  connections: setting(count(DIRECTORY_CONNECTIONS, "connections"), "Connections at most."),
  connect_timeout: setting(
    duration(DIRECTORY_CONNECT_MS),
    "How long a connection may take to be there.",
  ),
  query_timeout: setting(duration(DIRECTORY_OPERATION_MS), "How long the query may take."),
} satisfies Record<string, z.ZodType>;
