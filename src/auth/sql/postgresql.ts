/** A connection to PostgreSQL, by `pg`. */

import { Client, type ClientConfig, DatabaseError } from "pg";
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

export const postgresql: DatabaseClient = { open: openPostgresql, isAnswer: isPostgresqlAnswer };

async function openPostgresql(
  place: DatabasePlace,
  options: SqlOptions,
): Promise<DatabaseConnection> {
  const tls = await databaseTls(place, options);
  const config: ClientConfig = {
    host: options.socket === "" ? place.host : options.socket,
    port: place.port,
    user: place.login,
    password: await databasePassword(options),
    database: place.database,
    ssl: tls ?? false,
    connectionTimeoutMillis: options.connectTimeoutMs,
    // The server gives up as well, rather than go on for nobody.
    statement_timeout: options.queryTimeoutMs,
    application_name: "popkeep",
    keepAlive: true,
  };
  const client = new Client(config);
  let open = true;
  // A connection that is lost while it lies idle says so here; unheard, it would end the process.
  client.on("error", () => open = false);
  client.on("end", () => open = false);
  const end = () => {
    open = false;
    client.end().catch(() => {});
  };
  try {
    await client.connect();
  } catch (error) {
    end();
    throw error;
  }
  return {
    query: async (sql, values): Promise<QueryResult> => {
      try {
        const { rows, fields } = await client.query<Row>(sql, [...values]);
        return { columns: fields.map(({ name }) => name), rows };
      } catch (error) {
        if (isUnwritable(error) && values.some(isBeyondAscii)) return NO_ROWS;
        throw error;
      }
    },
    isOpen: () => open,
    end,
  };
}

/**
 * Whether PostgreSQL answered and can go on: not where it is going down, has no place for us or gave up
 * (SQLSTATE classes 08, 53, 57, 58).
 */
function isPostgresqlAnswer(error: unknown): boolean {
  return error instanceof DatabaseError && !/^(?:08|53|57|58)/.test(error.code ?? "08");
}

/** SQLSTATE untranslatable_character: what the database's encoding cannot write is in no row. */
function isUnwritable(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === "22P05";
}
