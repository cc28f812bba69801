/**
 * What every database has to do as an account directory. Each of them runs the same tests, on tables as
 * PostfixAdmin and Dovecot's documentation have them.
 */

import { Buffer } from "node:buffer";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AccountDirectory } from "../../src/auth/directory.ts";
import { openSqlDirectory } from "../../src/auth/directories/sql.ts";
import { SQL_DEFAULTS, type SqlOptions } from "../../src/auth/sql/sql_options.ts";
import { INJECTIONS, lookUp, oddName } from "./directory_checks.ts";
import { testProperty } from "./property.ts";

export const NT_HASH = "A4F49C406510BDCAB6824EE7C30FD852";

const SCRAM = `{SCRAM-SHA-256}4096,${Buffer.alloc(16, 1).toString("base64")},` +
  `${Buffer.alloc(32, 2).toString("base64")},${Buffer.alloc(32, 3).toString("base64")}`;

/** PostfixAdmin's table of mailboxes (setup.php, upgrade.php), as far as a login needs it. */
const POSTFIXADMIN = `
CREATE TABLE mailbox (
  username varchar(255) NOT NULL PRIMARY KEY,
  password varchar(255) NOT NULL,
  name varchar(255) NOT NULL DEFAULT '',
  maildir varchar(255) NOT NULL,
  quota bigint NOT NULL DEFAULT 0,
  local_part varchar(255) NOT NULL,
  domain varchar(255) NOT NULL,
  active ACTIVE NOT NULL
);
INSERT INTO mailbox (username, password, maildir, quota, local_part, domain, active) VALUES
  ('alice@example.com', '$2y$10$hashofalice', 'example.com/alice/', 1048576, 'alice', 'example.com', YES),
  ('gone@example.com', '{PLAIN}gone', 'example.com/gone/', 0, 'gone', 'example.com', NO);
`;

/** As in Dovecot's documentation, with the columns that are popkeep's own. */
const USERS = `
CREATE TABLE users (
  name varchar(128) NOT NULL,
  domain varchar(128) NOT NULL,
  password varchar(200),
  home varchar(255),
  nologin varchar(5),
  nets varchar(255),
  nt_hash varchar(40),
  scram varchar(255),
  delegates varchar(255)
);
INSERT INTO users VALUES
  ('bob', 'example.com', '{PLAIN}bob secret', '/home/bob', NULL, '127.0.0.0/8, ::1', '${NT_HASH}', '${SCRAM}',
    'alice@example.com, carol'),
  ('closed', 'example.com', '{PLAIN}closed', '/home/closed', 'y', NULL, '${NT_HASH}', NULL, NULL),
  ('locked', 'example.com', '!', NULL, NULL, NULL, '${NT_HASH}', NULL, NULL),
  ('twin', 'example.com', '{PLAIN}one', NULL, NULL, NULL, NULL, NULL, NULL),
  ('twin', 'example.com', '{PLAIN}two', NULL, NULL, NULL, NULL, NULL, NULL),
  ('netted', 'example.com', '{PLAIN}netted', NULL, NULL, 'anywhere', NULL, NULL, NULL),
  ('plain', 'example.com', 'no scheme', NULL, 'n', NULL, NULL, NULL, NULL),
  ('jos\u00e9', 'example.com', '{PLAIN}j', NULL, NULL, NULL, NULL, NULL, NULL);
`;

/** Names as they may be, for lists. Rows come in no order. */
const LISTED = `
CREATE TABLE listed_people (
  name varchar(128), domain varchar(128), password varchar(200), home varchar(255), mail varchar(255),
  quota_rule varchar(64)
);
INSERT INTO listed_people VALUES
  ('zoe', 'example.com', '{PLAIN}z', '/home/zoe', 'z@example.org', '*:messages=3'),
  ('o''brien', 'example.com', '{PLAIN}o', '/home/o', '', NULL),
  ('jos\u00e9', 'example.com', '{PLAIN}j', '/home/j', '', NULL),
  ('\u00fcnal', 'example.org', '{PLAIN}u', '/home/u', '', NULL),
  ('a b; --', 'example.com', '{PLAIN}a', '/home/a', '', NULL),
  ('Carol', 'example.com', '{PLAIN}c', '/home/c', '', NULL),
  ('twin', 'example.com', '{PLAIN}1', '/home/1', '', NULL),
  ('twin', 'example.com', '{PLAIN}2', '/home/2', '', NULL),
  ('up/there', 'example.com', '{PLAIN}x', '/home/x', '', NULL),
  ('\u00e6\u00f8', 'example.com', '{PLAIN}e', '/home/e', '', NULL),
  ('relative', 'example.com', '{PLAIN}r', 'home/r', '', NULL),
  ('local', NULL, '{PLAIN}l', '/home/l', '', NULL),
  (NULL, 'example.com', '{PLAIN}n', '/home/n', '', NULL);
`;

/** What `listed_people` lists: with its account, "look up", or "fault". */
const LISTED_USERS: Readonly<Record<string, unknown>> = {
  "zoe@example.com": {
    user: "zoe@example.com",
    home: "/home/zoe",
    extra: { quota_rule: "*:messages=3" },
  },
  "o'brien@example.com": { user: "o'brien@example.com", home: "/home/o", extra: {} },
  "jos\u00e9@example.com": { user: "jos\u00e9@example.com", home: "/home/j", extra: {} },
  "\u00fcnal@example.org": { user: "\u00fcnal@example.org", home: "/home/u", extra: {} },
  "a b; --@example.com": { user: "a b; --@example.com", home: "/home/a", extra: {} },
  "\u00e6\u00f8@example.com": {
    user: "\u00e6\u00f8@example.com",
    home: "/home/e",
    extra: {},
  },
  local: { user: "local", home: "/home/l", extra: {} },
  "Carol@example.com": "look up",
  "twin@example.com": "look up",
  "up/there@example.com": "fault",
  "relative@example.com": "fault",
};

/** Both schemas; `active` is a boolean in PostgreSQL and a number elsewhere. */
export function sqlSchema(boolean: "boolean" | "number"): string {
  const [type, yes, no] = boolean === "boolean" ? ["boolean", "true", "false"] : ["int", "1", "0"];
  return POSTFIXADMIN.replace("ACTIVE", type).replace("YES", yes).replace("NO)", `${no})`) + USERS +
    LISTED;
}

/** How a database joins texts and names a column "user". */
export interface SqlWords {
  readonly user: string;
  readonly join: (...texts: readonly string[]) => string;
}

/** For PostfixAdmin, as docs/login.md has it. */
export function postfixadminQuery({ user, join }: SqlWords): string {
  return `SELECT username AS ${user}, password, ${join("'/var/vmail/'", "maildir")} AS home,
    ${join("'*:bytes='", "quota")} AS quota_rule
    FROM mailbox WHERE username = {user} AND active = ${user === '"user"' ? "true" : "1"}`;
}

export function usersQuery({ user, join }: SqlWords): string {
  return `SELECT ${join("name", "'@'", "domain")} AS ${user}, password, home AS userdb_home,
    nologin, nets AS allow_nets, nt_hash, scram AS scram_sha_256, delegates
    FROM users WHERE name = {local} AND domain = {domain} -- one row`;
}

/** Registers the tests. The server runs when they do. */
export function testSqlDirectory(
  database: string,
  words: SqlWords,
  server: () => Pick<SqlOptions, "url"> & Partial<SqlOptions>,
): void {
  const open = (more: Partial<SqlOptions> = {}): Promise<AccountDirectory> =>
    openSqlDirectory({ ...SQL_DEFAULTS, query: usersQuery(words), ...server(), ...more });
  const using = async (
    use: (directory: AccountDirectory) => Promise<unknown>,
    more: Partial<SqlOptions> = {},
  ) => {
    const directory = await open(more);
    try {
      await use(directory);
    } finally {
      await directory.close?.();
    }
  };

  test(`${database}: a user of PostfixAdmin is found with home and quota`, async () => {
    const more = { query: postfixadminQuery(words), defaultPasswordScheme: "BLF-CRYPT" };
    await using(async (directory) => {
      deepStrictEqual(await lookUp(directory, "alice@example.com"), {
        account: {
          user: "alice@example.com",
          home: "/var/vmail/example.com/alice/",
          extra: { quota_rule: "*:bytes=1048576" },
        },
        storedPassword: "{BLF-CRYPT}$2y$10$hashofalice",
        disabled: false,
      });
      strictEqual(await lookUp(directory, "gone@example.com"), undefined);
      strictEqual(await lookUp(directory, "nobody@example.com"), undefined);
    }, more);
  });

  test(`${database}: columns count by their names`, () =>
    using(async (directory) => {
      const entry = await lookUp(directory, "bob@example.com");
      ok(entry !== undefined);
      deepStrictEqual(entry.account, {
        user: "bob@example.com",
        home: "/home/bob",
        extra: {},
      });
      strictEqual(entry.storedPassword, "{PLAIN}bob secret");
      strictEqual(entry.disabled, false);
      strictEqual(entry.allowedNetworks?.("127.1.2.3"), true);
      strictEqual(entry.allowedNetworks?.("192.0.2.1"), false);
      deepStrictEqual(entry.secrets?.ntHash, Uint8Array.from(Buffer.from(NT_HASH, "hex")));
      strictEqual(entry.secrets?.scramSha256?.iterations, 4096);
      deepStrictEqual(entry.delegates, ["alice@example.com", "carol"]);
    }));

  test(`${database}: nologin, a locked password and networks that cannot be read keep out`, () =>
    using(async (directory) => {
      strictEqual((await lookUp(directory, "closed@example.com"))?.disabled, true);
      const locked = await lookUp(directory, "locked@example.com");
      strictEqual(locked?.storedPassword, "{CRYPT}!");
      strictEqual(locked.secrets, undefined);
      strictEqual((await lookUp(directory, "netted@example.com"))?.storedPassword, "!");
      strictEqual((await lookUp(directory, "plain@example.com"))?.disabled, false);
    }));

  test(`${database}: a password without a scheme gets that of the settings`, () =>
    using(async (directory) => {
      const plain = await lookUp(directory, "plain@example.com");
      strictEqual(plain?.storedPassword, "{PLAIN}no scheme");
    }, { defaultPasswordScheme: "PLAIN" }));

  test(`${database}: the shapes of SCRAM keys are those of the users who were looked up`, () =>
    using(async (directory) => {
      deepStrictEqual(directory.scramShapes, []);
      for (const user of ["bob", "bob", "plain", "nobody"]) {
        await lookUp(directory, `${user}@example.com`);
      }
      const bobs = { iterations: 4_096, saltOctets: 16, users: 1 };
      deepStrictEqual(directory.scramShapes, [bobs]);
    }));

  test(`${database}: several rows for a name are an Error`, () =>
    using((directory) =>
      rejects(async () => await lookUp(directory, "twin@example.com"), /several rows/)
    ));

  test(`${database}: the columns say which secrets there may be`, async () => {
    await using((directory) => {
      deepStrictEqual([...directory.secretKinds].sort(), ["ntHash", "scramSha256"]);
      return Promise.resolve();
    });
    await using((directory) => {
      deepStrictEqual([...directory.secretKinds], []);
      return Promise.resolve();
    }, { query: postfixadminQuery(words) });
  });

  test(`${database}: a decoy is of the kind of the users who were looked up`, () =>
    using(async (directory) => {
      ok(directory.decoyFor?.("nobody").startsWith("{ARGON2ID}"));
      await lookUp(directory, "bob@example.com");
      strictEqual(directory.decoyFor?.("nobody"), "{PLAIN}bob secret");
    }));

  test(`${database}: names beyond ASCII are found as they are`, () =>
    using(async (directory) => {
      const found = await lookUp(directory, "jos\u00e9@example.com");
      strictEqual(found?.account.user, "jos\u00e9@example.com");
    }));

  test(`${database}: no name finds anybody but the user that it names`, () =>
    using(async (directory) => {
      for (const name of INJECTIONS) {
        for (const user of [name, `${name}@example.com`, `bob@${name}`]) {
          strictEqual(await lookUp(directory, user), undefined, JSON.stringify(user));
        }
      }
      strictEqual((await lookUp(directory, "bob@example.com"))?.account.user, "bob@example.com");
    }));

  test(`${database}: a query that the database does not take is an Error, and the start is not`, () =>
    using((directory) => rejects(async () => await lookUp(directory, "bob"), /no_such/), {
      query: "SELECT no_such FROM users WHERE name = {user}",
    }));

  const people = (columns: string) => ({
    query: `SELECT name AS ${words.user}, password, home, quota_rule, '' AS nologin
      FROM listed_people WHERE name = {local} AND domain = {domain}`,
    iterateQuery: `SELECT ${columns} FROM listed_people -- all of them\n;`,
  });

  test(`${database}: all users are listed, whatever the pages, with what the query says of them`, async () => {
    const more = people(
      "name AS username, domain, password, home AS userdb_home, mail, quota_rule",
    );
    await using(async (directory) => {
      for (const most of [2, 3, 5, 12, 13, undefined]) {
        deepStrictEqual(await listedBy(directory, most), LISTED_USERS, `most ${most}`);
      }
    }, more);
  });

  test(`${database}: who is listed with less than the query says is to be looked up`, async () => {
    const name = `${words.join("name", "'@'", "domain")} AS ${words.user}`;
    for (const columns of [name, `${name}, home`]) {
      await using(async (directory) => {
        const listed = await listedBy(directory, 2);
        const { local: _, ...others } = LISTED_USERS;
        deepStrictEqual(Object.keys(listed).sort(), Object.keys(others).sort());
        const { "up/there@example.com": fault, ...rest } = listed;
        strictEqual(fault, "fault");
        ok(Object.values(rest).every((said) => said === "look up"), JSON.stringify(rest));
      }, people(columns));
    }
  });

  test(`${database}: a list that the database does not take, or without names, is an Error`, async () => {
    for (
      const [columns, expected] of [["no_such", /no_such/], ["home", /"user"/]] as const
    ) {
      await using(
        (directory) => rejects(listedBy(directory, 2), expected),
        people(columns),
      );
    }
    const one = { ...people("name"), iterateQuery: "SELECT 'twin' AS username FROM listed_people" };
    await using((directory) => rejects(listedBy(directory, 2), /with one name/), one);
    await using((directory) => {
      strictEqual(directory.listUsers, undefined);
      return Promise.resolve();
    });
  });

  testProperty(
    `${database}: five thousand odd names do no harm and find nobody`,
    fc.asyncProperty(
      fc.array(oddName, { minLength: 250, maxLength: 250 }),
      (names) =>
        using(async (directory) => {
          const found = await Promise.all(names.map((name) => lookUp(directory, name)));
          deepStrictEqual(found, names.map(() => undefined));
        }),
    ),
    50,
  );
}

/** Each user that is listed: the account, "look up" or "fault". A user is listed once. */
async function listedBy(
  directory: AccountDirectory,
  most?: number,
): Promise<Record<string, unknown>> {
  const users: Record<string, unknown> = {};
  for await (const { user, account, fault } of directory.listUsers!(most)) {
    ok(!(user in users), `${user} is listed twice`);
    users[user] = fault === undefined ? account ?? "look up" : "fault";
  }
  return users;
}
