/**
 * What an SQL directory needs of a database, whichever it is.
 *
 * *Knows* rows. *Does not know* what a user is.
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import type { ConnectionOptions } from "node:tls";
import type { Row } from "./row.ts";
import { type DatabasePlace, type SqlOptions, verifies } from "./sql_options.ts";

export interface QueryResult {
  /** All names of columns, also where there is no row. */
  readonly columns: readonly string[];
  /** The first, or all of them. */
  readonly rows: readonly Row[];
}

/** What there is for a value that no row can hold; nothing is learnt of the columns. */
export const NO_ROWS: QueryResult = { columns: [], rows: [] };

export function isBeyondAscii(value: string): boolean {
  return /[^\0-\x7f]/.test(value);
}

export interface DatabaseConnection {
  /**
   * @param mostRows As many are needed, 2 unless said: enough to see that there are several.
   * @throws What the database's client says.
   */
  query(sql: string, values: readonly string[], mostRows?: number): Promise<QueryResult>;
  isOpen(): boolean;
  /** At once, in whatever state it is; never throws. */
  end(): void;
}

/** One kind of database. */
export interface DatabaseClient {
  readonly open: (place: DatabasePlace, options: SqlOptions) => Promise<DatabaseConnection>;
  /** Whether an error is what the database answered, and it can go on. */
  readonly isAnswer: (error: unknown) => boolean;
}

/** The database answered, and what it says is of no use. */
export class UselessAnswer extends Error {
  override readonly name = "UselessAnswer";
}

/** The password of the database login; "" if there is none. */
export async function databasePassword(options: SqlOptions): Promise<string> {
  const { passwordFile, passwordEnvironment } = options;
  if (passwordEnvironment !== "") {
    const password = process.env[passwordEnvironment];
    if (password === undefined) {
      throw new Error("The environment variable that password_environment names is not set");
    }
    return password;
  }
  if (passwordFile === "") return "";
  const [line = ""] = (await readFile(passwordFile, "utf8")).split(/\r?\n/, 1);
  return line;
}

/** TLS as the settings want it; undefined for none. */
export async function databaseTls(
  place: DatabasePlace,
  options: SqlOptions,
): Promise<ConnectionOptions | undefined> {
  const verified = verifies(place, options);
  if (!verified && options.tls !== "unverified") return undefined;
  return {
    rejectUnauthorized: verified,
    minVersion: "TLSv1.2",
    ...(options.caFile === "" ? {} : { ca: await readFile(options.caFile, "utf8") }),
  };
}
