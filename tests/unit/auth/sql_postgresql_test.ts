/** The SQL directory against a real PostgreSQL server. */

import { ok, rejects, strictEqual } from "node:assert/strict";
import { after, before, test } from "node:test";
import { openSqlDirectory } from "../../../src/auth/directories/sql.ts";
import { SQL_DEFAULTS, type SqlOptions } from "../../../src/auth/sql/sql_options.ts";
import { checkSilence, lookUp, startSilentServer } from "../../support/directory_checks.ts";
import { type PostgresServer, startPostgres } from "../../support/postgres_server.ts";
import {
  sqlSchema,
  type SqlWords,
  testSqlDirectory,
  usersQuery,
} from "../../support/sql_directory_suite.ts";

const WORDS: SqlWords = { user: '"user"', join: (...texts) => texts.join(" || ") };

let server: PostgresServer;
before(async () => {
  server = await startPostgres(sqlSchema("boolean"));
});
after(() => server.delete());

const place = () => ({ url: server.url, passwordFile: server.passwordFile });
testSqlDirectory("PostgreSQL", WORDS, place);

function open(more: Partial<SqlOptions> = {}) {
  return openSqlDirectory({ ...SQL_DEFAULTS, ...place(), query: usersQuery(WORDS), ...more });
}

test("PostgreSQL: by TLS the certificate has to be right, and be for the host", async () => {
  const named = server.url.replace("127.0.0.1", "localhost");
  const cases: readonly (readonly [Partial<SqlOptions>, boolean])[] = [
    [{ url: named, tls: "verify", caFile: server.caFile }, true],
    [{ url: server.url, tls: "unverified" }, true],
    [{ url: named, tls: "verify" }, false],
    [{ url: server.url, tls: "verify", caFile: server.caFile }, false],
  ];
  for (const [more, right] of cases) {
    const directory = await open(more);
    const looking = lookUp(directory, "bob@example.com");
    if (right) strictEqual((await looking)?.account.user, "bob@example.com");
    else await rejects(looking, /certificate|altnames/);
    await directory.close?.();
  }
});

test("PostgreSQL: a name that the database's encoding cannot write is nobody's", async () => {
  await server.run("CREATE DATABASE old ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  await server.run(sqlSchema("boolean").replace("jos\u00e9", "jose"), "old");
  await server.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO popkeep", "old");
  const directory = await open({ url: server.url.replace("/mail", "/old") });
  strictEqual(await lookUp(directory, "b\u{1f600}b@example.com"), undefined);
  ok(await lookUp(directory, "bob@example.com"));
  await directory.close?.();
});

test("PostgreSQL: the Unix socket is used where there is one", async () => {
  const directory = await open({
    url: server.url.replace("127.0.0.1", "no.such.host.example"),
    socket: `${server.folder}/data`,
  });
  ok(await lookUp(directory, "bob@example.com"));
  await directory.close?.();
});

test("PostgreSQL: a wrong database password is an Error that does not tell it", async () => {
  const directory = await open({ passwordFile: server.caFile });
  await rejects(lookUp(directory, "bob@example.com"), (error: Error) => {
    ok(/authentication failed/.test(error.message), error.message);
    ok(!error.message.includes("CERTIFICATE"));
    return true;
  });
  await directory.close?.();
});

test("PostgreSQL: a server that went away is an Error, and is used again when it is back", async () => {
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

test("PostgreSQL: a query that takes too long is an Error in time", async () => {
  const directory = await open({
    query: "SELECT 'x' AS \"user\" FROM pg_sleep(60), users WHERE name = {local}",
    queryTimeoutMs: 300,
  });
  await rejects(lookUp(directory, "bob@example.com"), /no answer|timeout|a moment ago/);
  await directory.close?.();
});

test("PostgreSQL: a server that takes connections and says nothing holds up nobody else", async () => {
  const silent = await startSilentServer();
  const other = await open();
  for (const tls of ["none", "unverified"] as const) {
    const url = `postgresql://popkeep@127.0.0.1:${silent.port}/mail`;
    const directory = await open({ url, tls, connectTimeoutMs: 300, queryTimeoutMs: 300 });
    // The start has met the silence already.
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await checkSilence(directory, silent, () => lookUp(other, "bob@example.com"));
  }
  await other.close?.();
  await silent.close();
});
