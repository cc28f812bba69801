/** The query of the settings, and the settings around it. */

import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import {
  faultsOfSql,
  parseDatabaseUrl,
  SQL_DEFAULTS,
  type SqlOptions,
} from "../../../src/auth/sql/sql_options.ts";
import { type Dialect, isQueryFault, parseQuery } from "../../../src/auth/sql/query_template.ts";
import { readRow, secretKindsOf } from "../../../src/auth/sql/row.ts";

test("each variable becomes a parameter of its own", () => {
  const query = "SELECT 1 WHERE a = {user} AND b = {local} AND c = {domain} AND d = {user};";
  deepStrictEqual(parseQuery(query, "postgresql"), {
    sql: "SELECT 1 WHERE a = $1 AND b = $2 AND c = $3 AND d = $4",
    variables: ["user", "local", "domain", "user"],
  });
  deepStrictEqual(parseQuery(query, "mysql"), {
    sql: "SELECT 1 WHERE a = ? AND b = ? AND c = ? AND d = ?",
    variables: ["user", "local", "domain", "user"],
  });
});

test("texts and comments of the query stay as they are", () => {
  const cases: readonly (readonly [Dialect, string])[] = [
    ["postgresql", `SELECT '?;''$1' AS "a$1" -- $2; x\n FROM t WHERE u = `],
    ["postgresql", "SELECT $x$ ; ' $1 $x$, data ? 'key' FROM t /* $1 */ WHERE u = "],
    ["mysql", "SELECT 'it\\'s ?', \"?\" , `a?` # ? ;x\n FROM t WHERE u = "],
    ["sqlite", "SELECT '?1' AS [a?] FROM t WHERE u = "],
  ];
  for (const [dialect, head] of cases) {
    const read = parseQuery(`${head}{user}`, dialect);
    ok(!isQueryFault(read), JSON.stringify(read));
    strictEqual(read.sql, head + (dialect === "postgresql" ? "$1" : "?"));
  }
});

test("a query that is not what it looks like is a fault", () => {
  const cases: readonly (readonly [Dialect, string, RegExp])[] = [
    ["postgresql", "SELECT 1 WHERE u = '{user}'", /quotes/],
    ["mysql", 'SELECT 1 WHERE u = {user} AND h = "%{local}"', /quotes/],
    ["mysql", "SELECT 1 WHERE u = {user} -- {domain}", /quotes/],
    ["postgresql", "SELECT 1 WHERE u = {usr}", /"\{usr\}"/],
    ["postgresql", "SELECT 1 WHERE u = {user} AND d = $1", /parameter/],
    ["mysql", "SELECT 1 WHERE u = {user} AND d = ?", /parameter/],
    ["sqlite", "SELECT 1 WHERE u = {user} AND d = :d", /parameter/],
    ["sqlite", "SELECT 1 WHERE d = {domain}", /neither/],
    ["sqlite", "SELECT 1", /neither/],
    ["sqlite", "SELECT {user}; DELETE FROM users", /more than one/],
  ];
  for (const [dialect, query, expected] of cases) {
    const read = parseQuery(query, dialect);
    ok(isQueryFault(read) && expected.test(read.fault), `${query}: ${JSON.stringify(read)}`);
  }
});

test("a URL says where the database is, and never holds a password", () => {
  deepStrictEqual(parseDatabaseUrl("postgresql://mail%40x@db.example.com/users"), {
    dialect: "postgresql",
    host: "db.example.com",
    port: 5432,
    login: "mail@x",
    database: "users",
  });
  strictEqual(parseDatabaseUrl("mysql://m@[::1]:3307/u")?.host, "::1");
  strictEqual(parseDatabaseUrl("sqlite:/var/lib/users.db")?.database, "/var/lib/users.db");
  for (
    const url of [
      "postgresql://mail:secret@db/users",
      "postgresql://mail@db",
      "postgresql://mail@db/users?sslmode=disable",
      "sqlite:users.db",
      "http://db/users",
      "",
    ]
  ) strictEqual(parseDatabaseUrl(url), undefined, url);
});

test("options that cannot be are told in sentences that name the settings", () => {
  const good: SqlOptions = {
    ...SQL_DEFAULTS,
    url: "mysql://m@db.example.com/users",
    query: "SELECT 1 WHERE u = {user}",
  };
  deepStrictEqual(faultsOfSql(good), []);
  const cases: readonly (readonly [Partial<SqlOptions>, RegExp])[] = [
    [{ url: "mysql://m:secret@db/users" }, /url/],
    [{ url: "mysql://db/users" }, /login/],
    [{ url: "mysql://m@192.0.2.1/users" }, /tls/],
    [{ query: "SELECT 1" }, /query/],
    [{ passwordFile: "/a", passwordEnvironment: "B" }, /password_file/],
    [{ socket: "/run/mysqld.sock", tls: "verify" }, /socket/],
  ];
  for (const [more, expected] of cases) {
    const faults = faultsOfSql({ ...good, ...more });
    ok(faults.length === 1 && expected.test(faults[0]!), JSON.stringify(faults));
    ok(!faults[0]!.includes("secret"));
  }
});

test("values count as databases write them", () => {
  const nologin = (value: unknown) =>
    readRow({ user: "a", password: "x", nologin: value }, "PLAIN").entry.disabled;
  for (const no of [null, undefined, false, 0, 0n, "", "N", "false", "0", new Uint8Array([0])]) {
    strictEqual(nologin(no), false, String(no));
  }
  for (const yes of [true, 1, 1n, "Y", "t", "nologin", new Uint8Array([1])]) {
    strictEqual(nologin(yes), true, String(yes));
  }
  throws(() => readRow({ USER: null, password: "x" }, "PLAIN"), /"user"/);
});

test("of a column with userdb_ and one without, the one with it counts, in any letter case", () => {
  const { entry } = readRow({
    USERDB_HOME: "/special",
    home: "/general",
    USER: "a",
    userdb_mail: "maildir:~/Mail",
    quota_rule: null,
    pass: "for another server",
    Colour: "red",
  }, "PLAIN");
  deepStrictEqual(entry, {
    account: { user: "a", home: "/special", extra: { mail: "maildir:~/Mail", colour: "red" } },
    storedPassword: "",
    disabled: false,
  });
  deepStrictEqual([...secretKindsOf(["user", "NT_HASH"])], ["ntHash"]);
});
