/** The SQL directory with SQLite files. */

import { ok, rejects, strictEqual } from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { openSqlDirectory } from "../../../src/auth/directories/sql.ts";
import { SQL_DEFAULTS, type SqlOptions } from "../../../src/auth/sql/sql_options.ts";
import { lookUp } from "../../support/directory_checks.ts";
import {
  sqlSchema,
  type SqlWords,
  testSqlDirectory,
  usersQuery,
} from "../../support/sql_directory_suite.ts";

const WORDS: SqlWords = { user: "user", join: (...texts) => texts.join(" || ") };

const folder = mkdtempSync(`${tmpdir()}/popkeep-sqlite-`);
const file = `${folder}/users.db`;
makeDatabase(file, sqlSchema("number"));
after(() => rmSync(folder, { recursive: true }));

testSqlDirectory("SQLite", WORDS, () => ({ url: `sqlite:${file}` }));

function makeDatabase(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

function open(path: string, more: Partial<SqlOptions> = {}) {
  const url = `sqlite:${path}`;
  return openSqlDirectory({ ...SQL_DEFAULTS, url, query: usersQuery(WORDS), ...more });
}

test("SQLite: a file that comes later, or takes the place of another, is read", async () => {
  const path = `${folder}/later.db`;
  const directory = await open(path);
  await rejects(lookUp(directory, "bob@example.com"));
  makeDatabase(path, sqlSchema("number"));
  strictEqual((await lookUp(directory, "bob@example.com"))?.account.home, "/home/bob");
  makeDatabase(`${path}.new`, `${sqlSchema("number")}; UPDATE users SET home = '/new'`);
  renameSync(`${path}.new`, path);
  strictEqual((await lookUp(directory, "bob@example.com"))?.account.home, "/new");
  await directory.close?.();
});

test("SQLite: the file is never written", async () => {
  const directory = await open(file, {
    query: "DELETE FROM users WHERE name = {local} RETURNING name AS user, password",
  });
  await rejects(lookUp(directory, "bob@example.com"), /readonly/);
  await directory.close?.();
  const reading = await open(file);
  ok(await reading.lookUp("bob@example.com"));
  await reading.close?.();
});

test("SQLite: a file that is locked holds up nobody else, and is an Error in time", async () => {
  const path = `${folder}/locked.db`;
  makeDatabase(path, sqlSchema("number"));
  const directory = await open(path, { queryTimeoutMs: 500 });
  const other = await open(file);
  const holder = new DatabaseSync(path);
  holder.exec("BEGIN EXCLUSIVE");
  let waiting = true;
  const rejected = rejects(lookUp(directory, "bob@example.com"), /locked|no answer/)
    .finally(() => waiting = false);
  ok(await other.lookUp("bob@example.com"));
  ok(waiting);
  await rejected;
  holder.close();
  let found;
  while (found === undefined) {
    found = await lookUp(directory, "bob@example.com").catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await directory.close?.();
  await other.close?.();
});
