/** A connection to MySQL or MariaDB, by `mysql2`. */

import { type Connection, createConnection, type FieldPacket, type QueryError } from "mysql2";
import {
  type DatabaseClient,
  type DatabaseConnection,
  databasePassword,
  databaseTls,
  isBeyondAscii,
  NO_ROWS,
  type QueryResult,
} from "./database.ts";
import type { Row } from "./row.ts";
import type { DatabasePlace, SqlOptions } from "./sql_options.ts";

export const mysql: DatabaseClient = { open: openMysql, isAnswer: isMysqlAnswer };

/**
 * ER_CANT_AGGREGATE_2COLLATIONS and its kin for more than two, MySQL's
 * ER_CANNOT_CONVERT_STRING.
 */
const UNWRITABLE: ReadonlySet<number> = new Set([1267, 1270, 1271, 3854, 3988]);

async function openMysql(
  place: DatabasePlace,
  options: SqlOptions,
): Promise<DatabaseConnection> {
  const tls = await databaseTls(place, options);
  const connection = createConnection(
    {
      ...(options.socket === ""
        ? { host: place.host, port: place.port }
        : { socketPath: options.socket }),
      user: place.login,
      password: await databasePassword(options),
      database: place.database,
      charset: "utf8mb4",
      connectTimeout: options.connectTimeoutMs,
      enableKeepAlive: true,
      ...(tls === undefined ? {} : { ssl: { ...tls, verifyIdentity: tls.rejectUnauthorized } }),
    } as Parameters<typeof createConnection>[0] & object,
  );
  let open = true;
  // Unheard, the error of a connection that lies idle would end the process.
  connection.on("error", () => open = false);
  connection.on("end", () => open = false);
  const end = () => {
    open = false;
    connection.destroy();
  };
  try {
    await connected(connection);
    await limitQueries(connection, options.queryTimeoutMs);
  } catch (error) {
    end();
    throw error;
  }
  return {
    query: async (sql, values) => {
      try {
        return await execute(connection, sql, values);
      } catch (error) {
        if (isUnwritable(error) && values.some(isBeyondAscii)) return NO_ROWS;
        throw error;
      }
    },
    isOpen: () => open,
    end,
  };
}

/** Whether the database answered and can go on. */
function isMysqlAnswer(error: unknown): boolean {
  if (!(error instanceof Error) || !("sqlState" in error)) return false;
  const { sqlState, fatal } = error as QueryError & { sqlState?: string };
  // 08: the connection; 70100: the query was given up; 1053, in class 08 too: it is going down.
  return !fatal && !/^(?:08|70)/.test(sqlState ?? "08");
}

/** A value that the character set of its column cannot write is in no row. */
function isUnwritable(error: unknown): boolean {
  return error instanceof Error && "errno" in error && UNWRITABLE.has(Number(error.errno));
}

function connected(connection: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.connect((error) => error === null ? resolve() : reject(error));
  });
}

/** The server gives up as well, rather than go on for nobody; MariaDB and MySQL have a word each. */
async function limitQueries(connection: Connection, limitMs: number): Promise<void> {
  const set = (sql: string) =>
    new Promise<boolean>((resolve) => {
      connection.query(sql, (error) => resolve(error === null));
    });
  if (await set(`SET SESSION max_statement_time = ${limitMs / 1_000}`)) return;
  await set(`SET SESSION max_execution_time = ${Math.ceil(limitMs)}`);
}

/** By a prepared statement: the server itself parts the query from its values. */
function execute(
  connection: Connection,
  sql: string,
  values: readonly string[],
): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    connection.execute(sql, [...values], (error, rows, fields) => {
      if (error !== null) return reject(error);
      resolve({
        columns: (fields as FieldPacket[] | undefined ?? []).map(({ name }) => name),
        rows: Array.isArray(rows) ? rows as unknown as Row[] : [],
      });
    });
  });
}
