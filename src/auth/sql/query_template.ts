/**
 * The query of the settings, made into one with bound parameters: `{user}`, `{local}` and `{domain}` become
 * the database's own signs, one for each place where they stand, and their values are handed over apart.
 *
 * A variable in quotes would be text and no parameter; a sign of the database's own would take the value of
 * another. Both are faults, so that the query is what it looks like.
 *
 * The query that lists all users has no parameters.
 *
 * *Knows* where SQL has quotes and comments. *Does not know* SQL.
 */

import { isVariable, type Variable } from "../name_template.ts";

export type Dialect = "postgresql" | "mysql" | "sqlite";

export interface QueryTemplate {
  readonly sql: string;
  /** What each parameter is, in order. */
  readonly variables: readonly Variable[];
}

export interface QueryFault {
  /** A sentence that begins with "query" or "iterate_query". */
  readonly fault: string;
}

/** What is not looked into: strings, quoted names, comments. */
const QUOTED: Readonly<Record<Dialect, string>> = {
  postgresql: String.raw`'(?:[^']|'')*'|"[^"]*"|--[^\n]*|/\*[^]*?\*/|(\$\w*\$)[^]*?\1`,
  mysql: String.raw`'(?:[^'\\]|\\[^]|'')*'|"(?:[^"\\]|\\[^]|"")*"|` +
    "`[^`]*`" + String.raw`|--[^\n]*|#[^\n]*|/\*[^]*?\*/`,
  sqlite: String.raw`'(?:[^']|'')*'|"[^"]*"|` + "`[^`]*`" +
    String.raw`|\[[^\]]*\]|--[^\n]*|/\*[^]*?\*/`,
};

/** What a database takes for a parameter besides ours. */
const OWN_SIGNS: Readonly<Record<Dialect, RegExp>> = {
  postgresql: /\$[0-9]/,
  mysql: /\?/,
  sqlite: /[?$@:][A-Za-z0-9_]|\?/,
};

/** The query that finds a user. */
export function parseQuery(text: string, dialect: Dialect): QueryTemplate | QueryFault {
  const { sql, variables, bare, fault: misread } = scan(text, dialect, "query");
  let fault = misread;
  if (OWN_SIGNS[dialect].test(bare)) {
    fault ??= "query has a parameter that is none of {user}, {local} and {domain}.";
  }
  if (!variables.some((variable) => variable !== "domain")) {
    fault ??= "query has neither {user} nor {local} in it, so that it would find the same for all.";
  }
  fault ??= severalStatements(bare, "query");
  return fault === undefined ? { sql: withoutSemicolon(sql), variables } : { fault };
}

/** The query that lists all users. */
export function parseIterateQuery(text: string, dialect: Dialect): string | QueryFault {
  const { sql, variables, bare, fault: misread } = scan(text, dialect, "iterate_query");
  let fault = misread;
  if (variables.length > 0 || OWN_SIGNS[dialect].test(bare)) {
    fault ??= "iterate_query has a variable or a parameter; it lists all users.";
  }
  fault ??= severalStatements(bare, "iterate_query");
  return fault === undefined ? withoutSemicolon(sql) : { fault };
}

interface Scanned extends QueryTemplate {
  /** Without what is in quotes and comments. */
  readonly bare: string;
  readonly fault: string | undefined;
}

/** @param name The query's, for sentences. */
function scan(text: string, dialect: Dialect, name: string): Scanned {
  const variables: Variable[] = [];
  let fault: string | undefined;
  const pieces = new RegExp(`${QUOTED[dialect]}|\\{([^{}]*)\\}|[^]`, "g");
  let sql = "";
  let bare = "";
  for (const match of text.matchAll(pieces)) {
    const [piece] = match;
    const word = match.at(-1);
    if (piece.length > 1 && piece.startsWith("{") && word !== undefined) {
      if (!isVariable(word)) {
        fault ??= `${name} knows no variable "{${word}}"; there are {user}, {local}, {domain}.`;
        continue;
      }
      variables.push(word);
      sql += dialect === "postgresql" ? `$${variables.length}` : "?";
      continue;
    }
    if (piece.length > 1 && /\{(?:user|local|domain)\}/.test(piece)) {
      fault ??=
        `${name} has a variable in quotes or in a comment, where it is none; take the quotes away.`;
    }
    sql += piece;
    bare += piece.length > 1 ? " " : piece;
  }
  return { sql, variables, bare, fault };
}

function severalStatements(bare: string, name: string): string | undefined {
  return /;\s*\S/.test(bare) ? `${name} is more than one statement.` : undefined;
}

function withoutSemicolon(sql: string): string {
  return sql.replace(/;\s*$/, "");
}

export function isQueryFault(read: QueryTemplate | string | QueryFault): read is QueryFault {
  return typeof read !== "string" && "fault" in read;
}
