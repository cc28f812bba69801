/**
 * What an SQL directory is told: the keys of its table in the settings, and what may be wrong with them
 * taken together.
 *
 * *Knows* URLs and the query. *Does not know* files or databases.
 */

import { isIP } from "node:net";
import type { WeakSchemes } from "../password_schemes/scheme.ts";
import { type Dialect, isQueryFault, parseIterateQuery, parseQuery } from "./query_template.ts";

export interface SqlOptions {
  /** `postgresql://login@host:port/database` (or `postgres://`, as libpq has it), `mysql://...` or `sqlite:/path`. */
  readonly url: string;
  /** A Unix socket in the place of host and port: PostgreSQL's folder, MySQL's socket; "" is none. */
  readonly socket: string;
  /** Read at each new connection. */
  readonly passwordFile: string;
  /** The name of an environment variable. */
  readonly passwordEnvironment: string;
  /** `auto`: none to this machine, verify to another. */
  readonly tls: "auto" | "verify" | "unverified" | "none";
  /** PEM; "" takes the runtime's authorities. */
  readonly caFile: string;
  readonly query: string;
  /** Lists all users; "" where they cannot be listed. */
  readonly iterateQuery: string;
  /** Of a password field without `{SCHEME}`. */
  readonly defaultPasswordScheme: string;
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
  /** Weak schemes that are honoured, for decoys. */
  readonly weakSchemes?: WeakSchemes;
}

/** The defaults of the settings. */
export const SQL_DEFAULTS = {
  socket: "",
  passwordFile: "",
  passwordEnvironment: "",
  tls: "auto",
  caFile: "",
  iterateQuery: "",
  defaultPasswordScheme: "CRYPT",
  connections: 4,
  connectTimeoutMs: 3_000,
  queryTimeoutMs: 5_000,
} as const satisfies Omit<SqlOptions, "url" | "query">;

/** Where a database is, as its URL says. */
export interface DatabasePlace {
  readonly dialect: Dialect;
  readonly host: string;
  /** The database's usual one where the URL has none. */
  readonly port: number;
  readonly login: string;
  /** The database's name, or the file. */
  readonly database: string;
}

const PORTS: Readonly<Record<Dialect, number>> = { postgresql: 5432, mysql: 3306, sqlite: 0 };

/** Undefined if the URL is none of ours, or has a password in it. */
export function parseDatabaseUrl(url: string): DatabasePlace | undefined {
  const file = /^sqlite:(?:\/\/)?(\/[^]+)$/.exec(url)?.[1];
  if (file !== undefined) {
    return { dialect: "sqlite", host: "", port: 0, login: "", database: file };
  }
  if (!/^(?:postgres(?:ql)?|mysql):\/\//.test(url) || !URL.canParse(url)) return undefined;
  const { protocol, username, password, hostname, port, pathname, search, hash } = new URL(url);
  if (password !== "" || search !== "" || hash !== "" || pathname.length < 2) return undefined;
  const dialect = protocol === "mysql:" ? "mysql" : "postgresql";
  try {
    return {
      dialect,
      host: hostname.replace(/^\[|\]$/g, "") || "localhost",
      port: port === "" ? PORTS[dialect] : Number(port),
      login: decodeURIComponent(username),
      database: decodeURIComponent(pathname.slice(1)),
    };
  } catch {
    return undefined;
  }
}

/** Whether the connection stays on this machine. */
export function isLocal({ host }: DatabasePlace, socket: string): boolean {
  return socket !== "" || host === "localhost" || host === "::1" || /^127\.[0-9.]+$/.test(host);
}

/** Whether the server's certificate has to be right. */
export function verifies(place: DatabasePlace, { tls, socket }: SqlOptions): boolean {
  return tls === "verify" || tls === "auto" && !isLocal(place, socket);
}

/** Says what is wrong, in sentences that name the settings and repeat no password. */
export function faultsOfSql(options: SqlOptions): string[] {
  const faults: string[] = [];
  const place = parseDatabaseUrl(options.url);
  if (place === undefined) {
    faults.push(
      "url is not of the form postgresql://login@host:5432/database, mysql://login@host:3306/database " +
        "or sqlite:/path; a password does not belong into it.",
    );
  } else {
    const query = parseQuery(options.query, place.dialect);
    if (isQueryFault(query)) faults.push(query.fault);
    const listing = parseIterateQuery(options.iterateQuery, place.dialect);
    if (isQueryFault(listing)) faults.push(listing.fault);
    if (place.dialect !== "sqlite" && place.login === "") {
      faults.push("url names no login, as in postgresql://login@host/database.");
    }
    if (place.dialect === "mysql" && verifies(place, options) && isIP(place.host) !== 0) {
      // mysql2 then leaves it to the runtime what the certificate is held against.
      faults.push(
        "tls: to verify the certificate of MySQL, url has to name the host, not its address.",
      );
    }
    if (options.socket !== "" && options.tls !== "auto" && options.tls !== "none") {
      faults.push("socket and tls do not go together: a socket does not leave the machine.");
    }
  }
  if (options.passwordFile !== "" && options.passwordEnvironment !== "") {
    faults.push("password_file and password_environment are two places for one password.");
  }
  return faults;
}
