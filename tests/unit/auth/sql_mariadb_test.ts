/** The SQL directory against a real MariaDB server. */

import { ok, rejects, strictEqual } from "node:assert/strict";
import { after, before, test } from "node:test";
import { openSqlDirectory } from "../../../src/auth/directories/sql.ts";
import { faultsOfSql, SQL_DEFAULTS, type SqlOptions } from "../../../src/auth/sql/sql_options.ts";
import { checkSilence, lookUp, startSilentServer } from "../../support/directory_checks.ts";
import { type MariadbServer, startMariadb } from "../../support/mariadb_server.ts";
import {
  sqlSchema,
  type SqlWords,
  testSqlDirectory,
  usersQuery,
} from "../../support/sql_directory_suite.ts";

const WORDS: SqlWords = { user: "`user`", join: (...texts) => `CONCAT(${texts.join(", ")})` };

let server: MariadbServer;
before(async () => {
  server = await startMariadb(sqlSchema("number"));
});
after(() => server.delete());

const place = () => ({ url: server.url, passwordFile: server.passwordFile });
testSqlDirectory("MariaDB", WORDS, place);

function open(more: Partial<SqlOptions> = {}) {
  return openSqlDirectory({ ...SQL_DEFAULTS, ...place(), query: usersQuery(WORDS), ...more });
}

test("MariaDB: a name in other letters is called what the row calls it", async () => {
  const directory = await open();
  const found = await lookUp(directory, "B\u00d3B@EXAMPLE.com");
  strictEqual(found?.account.user, "bob@example.com");
  await directory.close?.();
});

test("MariaDB: by TLS the certificate has to be right, and be for the host", async () => {
  const named = server.url.replace("127.0.0.1", "localhost");
  const cases: readonly (readonly [Partial<SqlOptions>, boolean])[] = [
    [{ url: named, tls: "verify", caFile: server.caFile }, true],
    [{ url: server.url, tls: "unverified" }, true],
    [{ url: named, tls: "verify" }, false],
  ];
  for (const [more, right] of cases) {
    const directory = await open(more);
    const looking = lookUp(directory, "bob@example.com");
    if (right) strictEqual((await looking)?.account.user, "bob@example.com");
    else await rejects(looking, /certificate/);
    await directory.close?.();
  }
  const byAddress = {
    ...SQL_DEFAULTS,
    ...place(),
    query: usersQuery(WORDS),
    tls: "verify",
  } as const;
  ok(faultsOfSql(byAddress).some((fault) => fault.includes("name the host")));
});

test("MariaDB: the Unix socket is used where there is one", async () => {
  const directory = await open({ socket: server.socket });
  ok(await lookUp(directory, "bob@example.com"));
  await directory.close?.();
});

test("MariaDB: a wrong database password is an Error that does not tell it", async () => {
  const directory = await open({ passwordFile: server.caFile });
  await rejects(lookUp(directory, "bob@example.com"), (error: Error) => {
    ok(/denied/.test(error.message), error.message);
    ok(!error.message.includes("CERTIFICATE"));
    return true;
  });
  await directory.close?.();
});

test("MariaDB: a server that went away is an Error, and is used again when it is back", async () => {
  const directory = await open();
  ok(await lookUp(directory, "bob@example.com"));
  await server.stop();
  await rejects(lookUp(directory, "bob@example.com"));
  await rejects(lookUp(directory, "bob@example.com"));
  await server.start();
  let found;
  while (found === undefined) {
    found = await lookUp(directory, "bob@example.com").catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  strictEqual(found.account.user, "bob@example.com");
  await directory.close?.();
});

test("MariaDB: a query that takes too long is an Error in time", async () => {
  const directory = await open({
    query: "SELECT name AS user, SLEEP(60) FROM users WHERE name = {local}",
    queryTimeoutMs: 300,
  });
  await rejects(lookUp(directory, "bob@example.com"), /no answer|max_statement_time/);
  await directory.close?.();
});

test("MariaDB: a server that takes connections and says nothing holds up nobody else", async () => {
  const silent = await startSilentServer();
  const other = await open();
  const url = `mysql://popkeep@127.0.0.1:${silent.port}/mail`;
  const directory = await open({ url, connectTimeoutMs: 300, queryTimeoutMs: 300 });
  // The start has met the silence already.
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  await checkSilence(directory, silent, () => lookUp(other, "bob@example.com"));
  await other.close?.();
  await silent.close();
});
