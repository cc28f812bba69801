/**
 * All users of a database, by the query of the settings that lists them.
 *
 * Between two users hours may pass, in which no connection, no cursor and no transaction is held: the query is
 * asked for a page at a time, which begins with the name that the page before it ended with, in the order that the
 * database has for names. Names that are one to the database stand together, whatever their letters. So nobody is
 * left out and nothing depends on who comes or goes meanwhile. Each page has the time of one query.
 *
 * A row counts as all there is to know of an account only where it has every column of the account that the query for
 * one user has, and where no other row has the name. Columns that the other query does not have, are not read: no
 * password is asked for, and a column that happens to be called "mail" is no place for mail.
 *
 * *Knows* SQL, as far as the databases have it in common. *Does not know* connections.
 */

import { DIRECTORY_LIST_ROWS } from "../../limits.ts";
import type { ListedUser } from "../directory.ts";
import { faultOfUserName, foldedName } from "../user_name.ts";
import type { QueryResult } from "./database.ts";
import type { Dialect } from "./query_template.ts";
import { accountColumns, columnName, readRow, type Row, textOf } from "./row.ts";

/** What the columns of the name are called in a page, with a number behind it. */
const KEY = "popkeep_name_";

export interface UserListing {
  /** What `parseIterateQuery` made of it. */
  readonly iterateQuery: string;
  readonly dialect: Dialect;
  /** Columns of the query that finds one user; none where they are not known yet. */
  readonly columns: readonly string[];
  readonly ask: (sql: string, values: readonly string[], mostRows: number) => Promise<QueryResult>;
  /** In a page, at least 2. */
  readonly rows?: number;
}

/** What a page is asked for. */
interface Columns {
  /** Of the name: one, or the part before the "@" and the domain. */
  readonly names: readonly string[];
  /** Of the account; undefined where they would not be all. */
  readonly account: readonly string[] | undefined;
}

/** A row and the texts of its name's columns. */
interface Listed {
  readonly key: readonly string[];
  readonly user: string;
  readonly row: Row;
}

/** @throws {Error} If the database does not answer, or the query gives no names. */
export async function* listRows(listing: UserListing): AsyncGenerator<ListedUser> {
  const { rows: most = DIRECTORY_LIST_ROWS, ask, dialect, iterateQuery } = listing;
  const first = await ask(`SELECT * FROM (${iterateQuery}\n) AS listed LIMIT 0`, [], 0);
  const columns = columnsOf(first.columns, listing.columns);
  let after: readonly string[] | undefined;
  let before: ReadonlySet<string> = new Set();
  for (;;) {
    const sql = pageQuery({ iterateQuery, dialect, columns, most, isFirst: after === undefined });
    const { columns: given, rows } = await ask(sql, after ?? [], most);
    // So it says that it cannot write a name which it has given itself: what comes after it is not known.
    if (given.length === 0) throw new Error("The database does not know a name that it has listed");
    const page = rows.map((row) => listedOf(row, columns.names.length));
    const isLast = page.length < most;
    // What the next row is called tells whether the last one is alone; the next page begins with it.
    const end = isLast ? page.length : page.length - 1;
    const names = new Set<string>();
    for (let at = 0; at < end; at++) {
      const listed = page[at]!;
      const name = JSON.stringify(listed.key);
      if (before.has(name) || names.has(name)) continue;
      names.add(name);
      const isAlone = !isOneName(listed, page[at - 1]) && !isOneName(listed, page[at + 1]);
      yield userOf(listed, isAlone ? columns.account : undefined);
    }
    if (isLast) return;
    const last = page.at(-1)!.key;
    const isFurther = names.size > 0 || !before.has(JSON.stringify(last));
    if (!isFurther) throw new Error(`iterate_query gives ${most} rows or more with one name`);
    for (const { key } of page.slice(0, end)) names.add(JSON.stringify(key));
    after = last;
    if (after.some((text) => text.includes("\ufffd"))) {
      throw new Error("iterate_query gives a name that is no UTF-8");
    }
    before = names;
  }
}

/** @throws {Error} If there is no name among them. */
function columnsOf(listed: readonly string[], query: readonly string[]): Columns {
  const named = (name: string) => listed.find((column) => columnName(column) === name);
  const user = named("user");
  const [local, domain] = [named("username"), named("domain")];
  const names = user === undefined
    ? [local, local === undefined ? undefined : domain].filter((name) => name !== undefined)
    : [user];
  if (names.length === 0) {
    throw new Error('iterate_query gives neither a column "user" nor a column "username"');
  }
  if (query.length === 0) return { names, account: undefined };
  const wanted = accountColumns(query);
  const account = listed.filter((column) => wanted.has(columnName(column)));
  const isWhole = new Set(account.map(columnName)).size === wanted.size;
  return { names, account: isWhole ? account : undefined };
}

function pageQuery(page: {
  readonly iterateQuery: string;
  readonly dialect: Dialect;
  readonly columns: Columns;
  readonly most: number;
  readonly isFirst: boolean;
}): string {
  const { dialect, columns: { names, account = [] }, isFirst } = page;
  const quoted = (name: string) =>
    dialect === "mysql" ? `\`${name.replaceAll("`", "``")}\`` : `"${name.replaceAll('"', '""')}"`;
  // A domain need not be there. SQLite compares a number with a text by their types.
  const keys = names.map((name, at) => {
    const column = `listed.${quoted(name)}`;
    const text = dialect === "sqlite" ? `CAST(${column} AS TEXT)` : column;
    return at === 0 ? text : `COALESCE(${text}, '')`;
  });
  const signs = keys.map((_, at) => dialect === "postgresql" ? `$${at + 1}` : "?");
  const from = isFirst
    ? `${keys[0]} IS NOT NULL`
    : keys.length === 1
    ? `${keys[0]} >= ${signs[0]}`
    : `(${keys.join(", ")}) >= (${signs.join(", ")})`;
  const selected = [
    ...keys.map((key, at) => `${key} AS ${KEY}${at}`),
    ...account.map((column) => `listed.${quoted(column)}`),
  ];
  return `SELECT ${selected.join(", ")} FROM (${page.iterateQuery}\n) AS listed ` +
    `WHERE ${from} ORDER BY ${keys.join(", ")} LIMIT ${page.most}`;
}

function listedOf(row: Row, names: number): Listed {
  const key = Array.from({ length: names }, (_, at) => textOf(row[`${KEY}${at}`]));
  const [local = "", domain = ""] = key;
  const user = domain === "" ? local : `${local}@${domain}`;
  const account = Object.entries(row).filter(([column]) => !column.startsWith(KEY));
  return { key, user, row: Object.fromEntries(account) };
}

function isOneName(listed: Listed, other: Listed | undefined): boolean {
  return other !== undefined && foldedName(listed.user) === foldedName(other.user);
}

function userOf({ user, row }: Listed, account: readonly string[] | undefined): ListedUser {
  const fault = faultOfUserName(user);
  if (fault !== undefined) return { user, fault: `a user name ${fault}` };
  // A login looks for the name in lower case, and need not find this row.
  if (account === undefined || user !== foldedName(user)) return { user };
  const { entry } = readRow({ ...row, user }, "PLAIN");
  return entry.fault === undefined
    ? { user, account: entry.account }
    : { user, fault: entry.fault };
}
