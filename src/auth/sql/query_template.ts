/**
 * The query of the settings, made into one with bound parameters: `{user}`, `{local}` and `{domain}` become
 * the database's own signs, one for each place where they stand, and their values are handed over apart.
 *
 * A variable in quotes would be text and no parameter; a sign of the database's own would take the value of
 * another. Both are faults, so that the query is what it looks like.
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
  /** A sentence that begins with "query". */
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

export function parseQuery(text: string, dialect: Dialect): QueryTemplate | QueryFault {
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
        fault ??= `query knows no variable "{${word}}"; there are {user}, {local}, {domain}.`;
        continue;
      }
      variables.push(word);
      sql += dialect === "postgresql" ? `$${variables.length}` : "?";
      continue;
    }
    if (piece.length > 1 && /\{(?:user|local|domain)\}/.test(piece)) {
      fault ??=
        "query has a variable in quotes or in a comment, where it is none; take the quotes away.";
    }
    sql += piece;
    bare += piece.length > 1 ? " " : piece;
  }
  if (OWN_SIGNS[dialect].test(bare)) {
    fault ??= "query has a parameter that is none of {user}, {local} and {domain}.";
  }
  if (!variables.some((variable) => variable !== "domain")) {
    fault ??= "query has neither {user} nor {local} in it, so that it would find the same for all.";
  }
  if (/;\s*\S/.test(bare)) fault ??= "query is more than one statement.";
  return fault === undefined ? { sql: sql.replace(/;\s*$/, ""), variables } : { fault };
}

export function isQueryFault(read: QueryTemplate | QueryFault): read is QueryFault {
  return "fault" in read;
}
