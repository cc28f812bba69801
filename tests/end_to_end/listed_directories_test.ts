/** Commands and the daily pass go through all users of an LDAP server, of a database and of the user file. */

import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, before, test } from "node:test";
import { popkeep } from "../support/command_line.ts";
import { at, noOtherTime } from "../support/other_time.ts";
import { LDAP_BASE, SERVICE_DN, type SlapdServer, startSlapd } from "../support/slapd_server.ts";
import { TestMaildir } from "../support/test_maildir.ts";

/** When `later` runs: what is delivered now has reached its age. */
const LATER_MS = Date.now() + 100 * 86_400_000;

const folder = mkdtempSync(`${tmpdir()}/popkeep-listed-`);
let slapd: SlapdServer;

const person = (name: string, home: string) => `
dn: uid=${name},ou=people,${LDAP_BASE}
objectClass: inetOrgPerson
objectClass: posixAccount
uid: ${name}
cn: ${name}
sn: ${name}
uidNumber: 1001
gidNumber: 1001
homeDirectory: ${home}
`;

before(async () => {
  slapd = await startSlapd({
    ldif: person("lena", `${folder}/lena`) + person("Ludwig", `${folder}/ludwig`) +
      person("lost", "home/lost"),
  });
});
after(async () => {
  await slapd.delete();
  rmSync(folder, { recursive: true, force: true });
});

const LDAP = () => `
[[directories]]
kind = "ldap"
urls = ["${slapd.url}"]
bind_dn = "${SERVICE_DN}"
bind_password_file = "${slapd.passwordFile}"
base = "${LDAP_BASE}"
filter = "(&(objectClass=posixAccount)(uid={user}))"
home_attribute = "homeDirectory"
connect_timeout = "2s"
operation_timeout = "2s"
`;
const SQL = `
[[directories]]
kind = "sql"
url = "sqlite:users.db"
query = "SELECT name AS user, password, home, retention_unread FROM users WHERE name = {user}"
`;
const ITERATE_FILTER = 'iterate_filter = "(objectClass=posixAccount)"\n';
/** All columns, and not all. */
const ITERATE_QUERIES = [
  'iterate_query = "SELECT name AS user, home, retention_unread FROM users"\n',
  'iterate_query = "SELECT name AS username FROM users"\n',
];
const OWN = '[[directories]]\nkind = "user_file"\n';

/** Everybody has a letter of now, and one of later. */
function setUp(tables: string): void {
  rmSync(`${folder}/users.db`, { force: true });
  const database = new DatabaseSync(`${folder}/users.db`);
  database.exec(`
    CREATE TABLE users (name TEXT, password TEXT, home TEXT, retention_unread TEXT);
    INSERT INTO users VALUES ('sara', '{PLAIN}x', '${folder}/sara', NULL),
      ('o''neil; --', '{PLAIN}x', '${folder}/oneil', NULL),
      ('keeper', '{PLAIN}x', '${folder}/keeper', '0'),
      ('bent', '{PLAIN}x', 'home/bent', NULL),
      ('lena', '{PLAIN}x', '${folder}/not_lena', NULL),
      ('twin', '{PLAIN}x', '${folder}/twin', NULL),
      ('twin', '{PLAIN}x', '${folder}/twin', '0')`);
  database.close();
  writeFileSync(
    `${folder}/users`,
    `file:{PLAIN}x::::${folder}/file::\n` +
      `sara:{PLAIN}x::::${folder}/not_sara::\n`,
    { mode: 0o600 },
  );
  for (const name of [...MAILBOXES, ...OTHERS]) {
    rmSync(`${folder}/${name}`, { recursive: true, force: true });
    const maildir = new TestMaildir(`${folder}/${name}/Maildir`);
    maildir.deliver("Subject: old\n\nbody\n");
    maildir.deliver("Subject: new\n\nbody\n", `${Math.floor(LATER_MS / 1_000)}.M1P1.test`);
  }
  writeFileSync(
    `${folder}/popkeep.toml`,
    `${process.getuid?.() === 0 ? 'user = "root"' : ""}
ssl_bindings = []
login_type = "plaintext_login"
maildir = "{home}/Maildir"
retention_unread = "60d"
quota_storage_size = "1MiB"
${tables}`,
  );
}

/** Whose mail is listed, and folders that nobody has who is. */
const MAILBOXES = ["lena", "ludwig", "sara", "oneil", "file", "keeper"];
const OTHERS = ["not_lena", "not_sara", "twin"];

const messagesOf = (name: string) => readdirSync(`${folder}/${name}/Maildir/new`).length;
const counts = () =>
  Object.fromEntries([...MAILBOXES, ...OTHERS].map((name) => [name, messagesOf(name)]));
const UNTOUCHED = { keeper: 2, not_lena: 2, not_sara: 2, twin: 2 };

const run = (...args: string[]) =>
  popkeep([...args, "--config", `${folder}/popkeep.toml`], { folder });

const later = (...args: string[]) =>
  popkeep([...args, "--config", `${folder}/popkeep.toml`], {
    folder,
    environment: at(LATER_MS),
  });

const OTHER_TIME = { skip: noOtherTime };

for (const [number, iterateQuery] of ITERATE_QUERIES.entries()) {
  test(
    `expire --all goes through the users of all directories (${number})`,
    OTHER_TIME,
    async () => {
      setUp(LDAP() + ITERATE_FILTER + SQL + iterateQuery + OWN);
      const { exitCode, stderr } = await later("expire", "--all");
      deepStrictEqual(counts(), {
        ...{ lena: 1, ludwig: 1, sara: 1, oneil: 1, file: 1 },
        ...UNTOUCHED,
      });
      match(stderr, /5 messages, [0-9]+ octets, removed/);
      // Nobody knows who these are, so nothing happens to what might be theirs.
      match(stderr, /the mailbox of lost: the home is no absolute path/);
      match(stderr, /the mailbox of bent: the home is no absolute path/);
      match(stderr, /the mailbox of twin: The query finds several rows for a name/);
      doesNotMatch(stderr, /not among/);
      strictEqual(exitCode, 74);
    },
  );
}

test("quota recalculate --all and quota show go through them too", async () => {
  setUp(LDAP() + ITERATE_FILTER + SQL + ITERATE_QUERIES[0] + OWN);
  const { stderr } = await run("quota", "recalculate", "--all");
  for (const name of MAILBOXES) {
    ok(readdirSync(`${folder}/${name}/Maildir`).includes("maildirsize"), `${name}: ${stderr}`);
  }
  for (const name of OTHERS) {
    ok(!readdirSync(`${folder}/${name}/Maildir`).includes("maildirsize"), name);
  }
  match(stderr, /lost cannot be looked up: the home is no absolute path/);
  const { stdout } = await run("quota", "show", "--json");
  const users = (JSON.parse(stdout) as { user: string }[]).map(({ user }) => user);
  deepStrictEqual(users.sort(), ["Ludwig", "file", "keeper", "lena", "o'neil; --", "sara"]);
});

test(
  "without the keys their users are not listed, and it is said what would help",
  OTHER_TIME,
  async () => {
    setUp(LDAP() + SQL + OWN);
    const { exitCode, stderr } = await later("expire", "--all");
    strictEqual(exitCode, 0, stderr);
    match(
      stderr,
      /users of ldap \(without iterate_filter\), sql \(without iterate_query\) are not/,
    );
    strictEqual(messagesOf("file"), 1);
    strictEqual(messagesOf("lena"), 2);
    // The database before the user file knows sara.
    strictEqual(messagesOf("sara"), 1);
    strictEqual(messagesOf("not_sara"), 2);
  },
);

test(
  "a list that cannot be had is told, and users of other directories have their turn",
  OTHER_TIME,
  async () => {
    setUp(SQL + ITERATE_QUERIES[0] + LDAP() + ITERATE_FILTER + OWN);
    await slapd.stop();
    try {
      const { exitCode, stderr } = await later("expire", "--all");
      strictEqual(exitCode, 74);
      match(stderr, /ldap does not list all its users: The users cannot be listed/);
      strictEqual(messagesOf("sara"), 1);
      // Whether the LDAP server knows this name too, nobody can tell.
      match(stderr, /the mailbox of file: .*ECONNREFUSED/);
      strictEqual(messagesOf("file"), 2);
      const check = await run("config", "check");
      match(check.stdout + check.stderr, /iterate_filter.*cannot list users now/);
    } finally {
      await slapd.start();
    }
  },
);

test("whom a directory before knows too has the mailbox that it says", OTHER_TIME, async () => {
  setUp(LDAP() + SQL + ITERATE_QUERIES[0]);
  const { stderr } = await later("expire", "--all");
  strictEqual(messagesOf("lena"), 1, stderr);
  strictEqual(messagesOf("not_lena"), 2);
  strictEqual(messagesOf("ludwig"), 2);
});

test("config check tries the lists", async () => {
  setUp(LDAP() + ITERATE_FILTER + SQL + ITERATE_QUERIES[1] + OWN);
  const good = await run("config", "check");
  doesNotMatch(good.stdout + good.stderr, /iterate/);
  const cases: readonly (readonly [string, RegExp])[] = [
    [LDAP() + 'iterate_filter = "(uid=nobody)"\n', /iterate_filter.*lists nobody/],
    [SQL + 'iterate_query = "SELECT home FROM users"\n', /iterate_query.*"user"/],
    [SQL + 'iterate_query = "SELECT no_such FROM users"\n', /iterate_query.*no_such/],
    [
      SQL + `iterate_query = "SELECT name || '@b' AS user FROM users"\n`,
      /iterate_query.*not found by their names/,
    ],
    [SQL + 'iterate_query = "SELECT name FROM users WHERE name = {user}"\n', /iterate_query has/],
  ];
  for (const [tables, expected] of cases) {
    setUp(tables);
    const { stdout, stderr } = await run("config", "check");
    match(stdout + stderr, expected);
  }
});

test("names that the query finds nobody by are told, when they are all", OTHER_TIME, async () => {
  setUp(SQL + `iterate_query = "SELECT name || '@b' AS user FROM users"\n`);
  const { exitCode, stderr } = await later("expire", "--all");
  strictEqual(exitCode, 74);
  match(stderr, /sql lists users, such as ".*@b", and finds none of them by name/);
});
