/** The files and programs that directories' tables and ways to log in need, and their places. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { loadSettings, type Settings, settingsWarnings } from "../../../src/settings.ts";
import { parseDatabaseUrl } from "../../../src/auth/sql/sql_options.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-directory-files-`);
after(() => rmSync(root, { recursive: true }));
let made = 0;

function setUp(toml: string) {
  const folder = `${root}/${made++}`;
  mkdirSync(`${folder}/mail`, { recursive: true });
  writeFileSync(`${folder}/users`, "", { mode: 0o600 });
  writeFileSync(
    `${folder}/popkeep.toml`,
    'ssl_bindings = []\nunencrypted_or_tls_bindings = ["127.0.0.1:0"]\nmaildir = "mail/{user}"\n' +
      `login_type = "plaintext_login"\n${toml}`,
  );
  const file = (name: string) => `${folder}/${name}`;
  return { folder, file, load: () => loadSettings(file("popkeep.toml")) };
}

function faultsOf(result: ReturnType<typeof loadSettings>): string[] {
  ok(Array.isArray(result), "no fault");
  return result.map(({ line, key, found }) => `${line} ${key}: ${found}`);
}

function good(result: ReturnType<typeof loadSettings>): Settings {
  ok(!Array.isArray(result), JSON.stringify(result));
  return result;
}

const LDAP = '[[directories]]\nkind = "ldap"\nurls = ["ldap://127.0.0.1"]\nbase = "dc=x"\n';
const SQL = '[[directories]]\nkind = "sql"\nquery = "SELECT 1 WHERE {user}"\n';

test("files that directories' tables name have to be there, each on its line", () => {
  const { load, file } = setUp(
    `${LDAP}ca_file = "ca.pem"\nbind_dn = "cn=x"\nbind_password_file = "secret"\n` +
      `${SQL}url = "sqlite:/x"\npassword_file = "other"\nca_file = "mail"\n`,
  );
  deepStrictEqual(faultsOf(load()), [
    `9 directories[0].ca_file: ${file("ca.pem")}, which does not exist`,
    `11 directories[0].bind_password_file: ${file("secret")}, which does not exist`,
    `16 directories[1].password_file: ${file("other")}, which does not exist`,
    `17 directories[1].ca_file: ${file("mail")}, which is a folder`,
  ]);
});

test("a socket need not be there before its server is", () => {
  good(setUp(`${SQL}url = "postgresql://a@localhost/b"\nsocket = "run"\n`).load());
});

test("a program has to be one that can be run, named by its whole path", () => {
  const { load, file } = setUp(
    'ntlm_auth_program = "users"\n' +
      '[[directories]]\nkind = "checkpassword"\nprogram = ["true"]\n' +
      '[[directories]]\nkind = "checkpassword"\nprogram = ["/no/such/program", "-x"]\n' +
      '[[directories]]\nkind = "checkpassword"\nprogram = ["/bin"]\n',
  );
  deepStrictEqual(faultsOf(load()), [
    `5 ntlm_auth_program: ${file("users")}, which this user may not run`,
    '8 directories[0].program: "true"',
    "11 directories[1].program: /no/such/program, which does not exist",
    "14 directories[2].program: /bin, which is no file",
  ]);
  const { folder } = setUp("");
  writeFileSync(`${folder}/check`, "#!/bin/sh\n", { mode: 0o755 });
  const table = `[[directories]]\nkind = "checkpassword"\nprogram = ["${folder}/check"]\n`;
  good(setUp(table).load());
});

test("the path of an SQLite file counts from the folder of the settings file", () => {
  const urlOf = (url: string) => {
    const { load, folder } = setUp(`${SQL}url = "${url}"\n`);
    const [table] = good(load()).directories;
    ok(table?.kind === "sql");
    return table.url.replace(folder, "FOLDER");
  };
  strictEqual(urlOf("sqlite:users.db"), "sqlite:FOLDER/users.db");
  strictEqual(urlOf("sqlite:my users.db"), "sqlite:FOLDER/my users.db");
  strictEqual(urlOf("sqlite:/var/users.db"), "sqlite:/var/users.db");
  strictEqual(urlOf("sqlite:///var/users.db"), "sqlite:/var/users.db");
});

test("PostgreSQL's URL may begin with its other scheme", () => {
  const table = `${SQL}url = "postgres://popkeep@db.example.com/mail"\n`;
  good(setUp(table).load());
  deepStrictEqual(
    parseDatabaseUrl("postgres://popkeep@db.example.com/mail"),
    parseDatabaseUrl("postgresql://popkeep@db.example.com/mail"),
  );
});

test("secrets that every user of the machine can read are warned of", () => {
  const { load, file } = setUp(
    `gssapi_keytab = "keytab"\n${SQL}url = "sqlite:x"\npassword_file = "secret"\n`,
  );
  for (const name of ["keytab", "secret"]) writeFileSync(file(name), "x", { mode: 0o644 });
  deepStrictEqual(settingsWarnings(good(load())).map(({ key }) => key), [
    "gssapi_keytab",
    "directories[0].password_file",
  ]);
});

test("a state folder that files cannot be made in is warned of", () => {
  const keysOf = (toml: string) => settingsWarnings(good(setUp(toml).load())).map(({ key }) => key);
  deepStrictEqual(keysOf('state_folder = "users"'), ["state_folder"]);
  deepStrictEqual(keysOf('state_folder = "users/below"'), ["state_folder"]);
  deepStrictEqual(keysOf('state_folder = "not/there/yet"'), []);
});

test("settings that have no effect without another one are warned of", () => {
  const warningsOf = (toml: string) => {
    const { load, file } = setUp(toml);
    writeFileSync(file("keytab"), "x", { mode: 0o600 });
    writeFileSync(file("program"), "x", { mode: 0o700 });
    return settingsWarnings(good(load())).map(({ key }) => key);
  };
  deepStrictEqual(warningsOf('client_certificate_revocation_lists = ["users"]'), [
    "client_certificate_revocation_lists",
  ]);
  deepStrictEqual(warningsOf('master_user_separator = "*"'), ["master_user_separator"]);
  deepStrictEqual(warningsOf('master_user_separator = "*"\nmaster_users = ["a"]'), []);
  const off = "enable_gssapi_and_ntlm_auth = false\n";
  deepStrictEqual(
    warningsOf(`${off}gssapi_keytab = "keytab"\nntlm_auth_program = "program"\n`),
    ["gssapi_keytab", "ntlm_auth_program"],
  );
  deepStrictEqual(warningsOf('gssapi_keytab = "keytab"\nntlm_auth_program = "program"\n'), []);
});

test("mechanisms that are asked for and can never be offered are warned of", () => {
  const { load } = setUp(
    'mechanisms = ["EXTERNAL", "GSSAPI", "NTLM", "XOAUTH2", "PLAIN", "SCRAM-SHA-256"]\n' +
      "enable_gssapi_and_ntlm_auth = false\n",
  );
  deepStrictEqual(settingsWarnings(good(load())).map(({ message }) => message), [
    "EXTERNAL is never offered: client_certificate_authorities is not set",
    "GSSAPI is never offered: enable_gssapi_and_ntlm_auth is false",
    "NTLM is never offered: enable_gssapi_and_ntlm_auth is false",
    "XOAUTH2 is never offered: neither oauth_jwks nor oauth_introspection_url is set",
  ]);
});
