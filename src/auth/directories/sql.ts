/**
 * The account directory that is a database: PostgreSQL, MySQL, MariaDB, or an SQLite file. Users are found by
 * one query of the settings, as in Dovecot.
 *
 * popkeep starts whether the database is there or not. The query is tried at the start for a name that
 * nobody can have, which tells what is wrong with it, and which secrets it gives.
 *
 * *Knows* what the columns mean. *Does not know* databases.
 */

import { getLogger } from "@logtape/logtape";
import { ConnectionPool } from "../connection_pool.ts";
import type { AccountDirectory, DirectoryEntry, ListedUser } from "../directory.ts";
import { LearntDecoys } from "../learnt_decoys.ts";
import { LearntScramShapes } from "../learnt_scram_shapes.ts";
import type { SecretKind } from "../login.ts";
import { partsOf } from "../name_template.ts";
import type { ScramShapeUse } from "../scram/shapes.ts";
import {
  type DatabaseClient,
  type DatabaseConnection,
  type QueryResult,
  UselessAnswer,
} from "../sql/database.ts";
import {
  type Dialect,
  isQueryFault,
  parseIterateQuery,
  parseQuery,
  type QueryTemplate,
} from "../sql/query_template.ts";
import { columnName, readRow, secretKindsOf } from "../sql/row.ts";
import {
  type DatabasePlace,
  faultsOfSql,
  parseDatabaseUrl,
  type SqlOptions,
} from "../sql/sql_options.ts";
import { listRows } from "../sql/user_listing.ts";
import { DIRECTORY_LIST_ROWS } from "../../limits.ts";
import { faultOfUserName } from "../user_name.ts";

const logger = getLogger(["popkeep", "auth"]);

/** No user's: a name cannot begin with "." (user_name.ts). */
const NOBODY = ".nobody";

/** Each brings some megabytes of code along, which is read only where it is used. */
const CLIENTS: Readonly<Record<Dialect, () => Promise<DatabaseClient>>> = {
  postgresql: async () => (await import("../sql/postgresql.ts")).postgresql,
  mysql: async () => (await import("../sql/mysql.ts")).mysql,
  sqlite: async () => (await import("../sql/sqlite.ts")).sqlite,
};

/**
 * Opens the directory and tries the query once; that the database does not answer is logged and no more.
 *
 * @throws {Error} If the options cannot be; its message names the settings.
 */
export async function openSqlDirectory(options: SqlOptions): Promise<AccountDirectory> {
  const place = parseDatabaseUrl(options.url);
  const query = place && parseQuery(options.query, place.dialect);
  const iterate = place && parseIterateQuery(options.iterateQuery, place.dialect);
  const faults = faultsOfSql(options);
  const cannot = place === undefined || query === undefined || iterate === undefined ||
    isQueryFault(query) || isQueryFault(iterate);
  if (faults.length > 0 || cannot) throw new Error(faults.join(" "));
  const client = await CLIENTS[place.dialect]();
  const directory = new SqlDirectory(client, { ...place, iterate }, query, options);
  await directory.tryQuery();
  return directory;
}

class SqlDirectory implements AccountDirectory {
  readonly kind = "sql";
  readonly findsByName = true;
  /** Absent where the settings do not say how. */
  readonly listUsers?: (most?: number) => AsyncIterable<ListedUser>;
  readonly #query: QueryTemplate;
  readonly #options: SqlOptions;
  readonly #pool: ConnectionPool<DatabaseConnection>;
  readonly #decoys: LearntDecoys;
  readonly #scramShapes = new LearntScramShapes();
  #columns: readonly string[] = [];
  #secretKinds: ReadonlySet<SecretKind> = new Set();

  constructor(
    { open, isAnswer }: DatabaseClient,
    place: DatabasePlace & { readonly iterate: string },
    query: QueryTemplate,
    options: SqlOptions,
  ) {
    this.#query = query;
    this.#options = options;
    this.#decoys = new LearntDecoys(options.weakSchemes);
    this.#pool = new ConnectionPool<DatabaseConnection>({
      servers: [options.url],
      open: () => open(place, options),
      end: (connection) => connection.end(),
      isOpen: (connection) => connection.isOpen(),
      isAnswer: (error) => error instanceof UselessAnswer || isAnswer(error),
      // A thread reads a file as fast as several would.
      connections: place.dialect === "sqlite" ? 1 : options.connections,
      openMs: options.connectTimeoutMs,
      useMs: options.queryTimeoutMs,
    });
    if (place.iterate !== "") this.listUsers = (most) => this.#list(place, most);
  }

  /** Those that the query's columns can give; none until the database has answered once. */
  get secretKinds(): ReadonlySet<SecretKind> {
    return this.#secretKinds;
  }

  get scramShapes(): readonly ScramShapeUse[] {
    return this.#scramShapes.mostUsed();
  }

  async lookUp(user: string, address?: string): Promise<DirectoryEntry | undefined> {
    if (faultOfUserName(user) !== undefined) return undefined;
    const { rows } = await this.#ask(user, address);
    if (rows.length > 1) throw new Error("The query finds several rows for a name");
    const [row] = rows;
    if (row === undefined) return undefined;
    const { entry } = readRow(row, this.#options.defaultPasswordScheme);
    this.#decoys.learn(entry.account.user, entry.storedPassword);
    this.#scramShapes.learn(entry.account.user, entry.secrets?.scramSha256);
    return entry;
  }

  decoyFor(user: string): string {
    return this.#decoys.decoyFor(user);
  }

  close(): Promise<void> {
    this.#pool.close();
    return Promise.resolve();
  }

  /** Never rejects. */
  async tryQuery(): Promise<void> {
    try {
      await this.#ask(NOBODY);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error("the database of a directory does not answer as it should", { reason });
    }
  }

  async #ask(user: string, address?: string): Promise<QueryResult> {
    const parts = partsOf(user);
    const values = this.#query.variables.map((variable) => parts[variable]);
    const result = await this.#pool.run(
      (connection) => connection.query(this.#query.sql, values),
      address,
    );
    this.#note(result.columns);
    return result;
  }

  #list(
    { iterate, dialect }: { readonly iterate: string; readonly dialect: Dialect },
    most = Infinity,
  ): AsyncIterable<ListedUser> {
    return listRows({
      iterateQuery: iterate,
      dialect,
      columns: this.#columns,
      ask: (sql, values, mostRows) =>
        this.#pool.run((connection) => connection.query(sql, values, mostRows)),
      // One more than are told of, since the last of a full page is left to the next.
      rows: Math.min(most + 1, DIRECTORY_LIST_ROWS),
    });
  }

  #note(columns: readonly string[]): void {
    if (columns.length === 0 || columns.join() === this.#columns.join()) return;
    this.#columns = columns;
    this.#secretKinds = secretKindsOf(columns);
    for (const needed of ["user", "password"]) {
      if (columns.some((column) => columnName(column) === needed)) continue;
      logger.warn("the query of a directory gives no such column", { column: needed });
    }
  }
}
