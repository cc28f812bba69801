/**
 * A row of the query's result made into an entry of an account directory, by the names of its columns:
 *
 * | column | what it is |
 * | --- | --- |
 * | `user` | the user's name everywhere in popkeep; must be there |
 * | `password` | the password field |
 * | `home`, `mail`, `quota_rule` | as in a user file, with `userdb_` before it or not |
 * | `nologin` | the user may not log in, unless it is NULL, false, 0, "n" or "" |
 * | `allow_nets` | where the user may log in from |
 * | `nt_hash`, `scram_sha_256` | secrets for NTLM and SCRAM |
 * | `delegates` | names parted by commas |
 *
 * Other columns become extra fields. NULL and "" are what is not there.
 *
 * *Knows* the values that databases' clients make. *Does not know* databases.
 */

import { type EntryFields, type ReadEntry, readEntry, saysYes } from "../entry_fields.ts";
import type { SecretKind } from "../login.ts";

/** Column names and values of one row. */
export type Row = Readonly<Record<string, unknown>>;

const TAKEN: ReadonlySet<string> = new Set([
  "user",
  "password",
  "home",
  "nologin",
  "allow_nets",
  "nt_hash",
  "scram_sha_256",
  "delegates",
  // A password for another server has no use here; what is not kept cannot leak.
  "pass",
]);

/** Columns that count for logins alone, or say who it is. */
const NOT_OF_ACCOUNT: ReadonlySet<string> = new Set([...TAKEN].filter((name) => name !== "home"));

const SECRET_COLUMNS: ReadonlyMap<string, SecretKind> = new Map([
  ["nt_hash", "ntHash"],
  ["scram_sha_256", "scramSha256"],
]);

/** @throws {Error} If the row does not say whose it is. */
export function readRow(row: Row, defaultPasswordScheme: string): ReadEntry {
  const values = new Map<string, unknown>();
  // The more special name goes before, as in a user file.
  const columns = Object.entries(row).sort(([a], [b]) =>
    Number(isPrefixed(a)) - Number(isPrefixed(b))
  );
  for (const [name, value] of columns) {
    if (value !== null && value !== undefined) values.set(columnName(name), value);
  }
  const text = (name: string) => textOf(values.get(name));
  const user = text("user");
  if (user === "") throw new Error('The query gives no "user" for a row that it finds');

  const password = text("password");
  const extra = [...values.keys()].filter((name) => !TAKEN.has(name) && text(name) !== "");
  const ntHash = values.get("nt_hash");
  const fields: EntryFields = {
    user,
    storedPassword: password === "" || password.startsWith("{")
      ? password
      : `{${defaultPasswordScheme}}${password}`,
    disabled: saysYes(text("nologin")),
    home: text("home"),
    allowNets: text("allow_nets").replaceAll(" ", ""),
    ntHash: ntHash instanceof Uint8Array ? ntHash : text("nt_hash"),
    scramSha256: text("scram_sha_256"),
    delegates: text("delegates").split(",").map((name) => name.trim()).filter((name) =>
      name !== ""
    ),
    extra: Object.fromEntries(extra.map((name) => [name, text(name)])),
  };
  return readEntry("sql", fields);
}

/** The secrets that rows with these columns may hold. */
export function secretKindsOf(columns: readonly string[]): ReadonlySet<SecretKind> {
  return new Set(columns.flatMap((column) => SECRET_COLUMNS.get(columnName(column)) ?? []));
}

/** What rows with these columns say of the account itself, by its names. */
export function accountColumns(columns: readonly string[]): ReadonlySet<string> {
  return new Set(columns.map(columnName).filter((name) => !NOT_OF_ACCOUNT.has(name)));
}

/** In lower case, as some databases give names back in capitals; without `userdb_`. */
export function columnName(column: string): string {
  return column.toLowerCase().replace(/^userdb_/, "");
}

function isPrefixed(column: string): boolean {
  return column.toLowerCase().startsWith("userdb_");
}

/** A value as text; "" is what is not there. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  // MySQL gives a BIT, and any binary column, as octets.
  if (value instanceof Uint8Array) {
    return value.length === 1 && value[0]! < 2 ? String(value[0]) : new TextDecoder().decode(value);
  }
  // PostgreSQL's arrays and JSON columns; an object of JSON need not be one that can be made a text.
  if (Array.isArray(value)) return value.map((one) => one === null ? "" : textOf(one)).join(",");
  const isJson = typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
  return isJson ? JSON.stringify(value) : String(value);
}
