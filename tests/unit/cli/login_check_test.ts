/** `config check` finds what `serve` would refuse, and what would keep users out once it runs. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { ntHash } from "../../../src/auth/ntlm/nt_hash.ts";
import { Authority } from "../../support/authority.ts";
import { testCertificate } from "../../support/certificate.ts";
import { popkeep } from "../../support/command_line.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-login-check-`);
after(() => rmSync(root, { recursive: true }));
let made = 0;

const PLAIN_PLACE = 'ssl_bindings = []\nunencrypted_or_tls_bindings = ["127.0.0.1:0"]\n' +
  'login_type = "plaintext_login"\nmaildir = "mail/{user}"\n';

/** A folder in which all is well but for what `toml` and `users` say; files are beside the settings. */
function setUp({ toml = "", users = "alice:{PLAIN}a\n", files = {} }: {
  readonly toml?: string;
  readonly users?: string;
  readonly files?: Readonly<Record<string, string>>;
}) {
  const folder = `${root}/${made++}`;
  mkdirSync(`${folder}/mail`, { recursive: true });
  writeFileSync(`${folder}/popkeep.toml`, `${PLAIN_PLACE}${toml}`);
  writeFileSync(`${folder}/users`, users, { mode: 0o600 });
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(`${folder}/${name}`, content, { mode: 0o600 });
  }
  const run = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await popkeep(args, { folder });
    const lines = stderr.replaceAll(`${folder}/`, "").trimEnd().split("\n")
      .filter((line) => line !== "");
    return { exitCode, stdout, lines: lines.map((line) => line.replace(/^popkeep: /, "")) };
  };
  const serve = () => {
    // Where tests run as root, it refuses to serve before it looks at anything.
    writeFileSync(`${folder}/popkeep.toml`, `user = "root"\n${PLAIN_PLACE}${toml}`);
    return run("serve");
  };
  return { folder, check: () => run("config", "check"), serve };
}

/** The lines that a check has, when it is no failure. */
async function warningsOf(what: Parameters<typeof setUp>[0]): Promise<string[]> {
  const { exitCode, lines } = await setUp(what).check();
  strictEqual(exitCode, 0, lines.join("\n"));
  return lines.map((line) => line.replace(/^warning: /, ""));
}

/** The faults that a check has, which `serve` has to refuse, too. */
async function faultsOf(what: Parameters<typeof setUp>[0]): Promise<string[]> {
  const { check, serve } = setUp(what);
  const { exitCode, stdout, lines } = await check();
  deepStrictEqual({ exitCode, stdout }, { exitCode: 78, stdout: "" }, lines.join("\n"));
  const served = await serve();
  strictEqual(served.exitCode, 78, served.lines.join("\n"));
  return lines.filter((line) => !line.startsWith("warning: "));
}

const LDAP = '[[directories]]\nkind = "ldap"\nurls = ["ldap://127.0.0.1:1"]\n';
const SQL = '[[directories]]\nkind = "sql"\n';

test("all faults of all directories are told at once, each with its line", async () => {
  const faults = await faultsOf({
    toml: `weak_password_schemes = ["MD6", "SSHA"]\n` +
      `${SQL}url = "sqlite:x"\nquery = "SELECT 1 WHERE name = '{user}'"\n` +
      `${LDAP}base = "dc=x"\nfilter = "(uid={user}"\n` +
      `[[directories]]\nkind = "user_file"\n` +
      `${LDAP}mode = "direct"\n`,
  });
  deepStrictEqual(faults.map((line) => line.split(": ").slice(0, 2).join(": ")), [
    "popkeep.toml:5: weak_password_schemes",
    "popkeep.toml:6: directories[0]",
    "popkeep.toml:10: directories[1]",
    "popkeep.toml:17: directories[3]",
  ]);
  ok(
    faults[0]?.includes("there is no weak scheme MD6; allowed are MD5-CRYPT, SSHA, "),
    `${faults[0]}`,
  );
});

test("client certificates: what is no authority and no list is a fault that names key and file", async () => {
  const authority = new Authority(root, "one");
  const { certificate, key } = await testCertificate();
  const tables = '[[certificates]]\ncertificate_file = "c.pem"\nkey_file = "k.pem"\n';
  const files = { "c.pem": certificate, "k.pem": key };
  deepStrictEqual(
    await faultsOf({
      toml: `client_certificate_authorities = "k.pem"\n${tables}`,
      files,
    }),
    ["popkeep.toml:5: client_certificate_authorities: k.pem: there is no certificate in PEM in it"],
  );
  const [list, other, ...more] = await faultsOf({
    toml: `client_certificate_authorities = "ca.pem"\n` +
      `client_certificate_revocation_lists = ["good.pem", "garbage.pem",\n"ca.pem"]\n${tables}`,
    files: {
      ...files,
      "ca.pem": authority.certificate,
      "good.pem": authority.revocationList({}),
      "garbage.pem": "garbage\n",
    },
  });
  deepStrictEqual(more, []);
  ok(list?.startsWith("popkeep.toml:6: client_certificate_revocation_lists[1]: "), `${list}`);
  ok(list?.includes('"garbage.pem" cannot be used: it is no list, neither in PEM nor in DER'));
  ok(other?.startsWith("popkeep.toml:7: client_certificate_revocation_lists[2]: "), `${other}`);
});

test("a revocation list that is out of date is warned of", async () => {
  const authority = new Authority(root, "two");
  const warnings = await warningsOf({
    toml: 'client_certificate_authorities = "ca.pem"\n' +
      'client_certificate_revocation_lists = ["old.pem", "new.pem"]\n',
    files: {
      "ca.pem": authority.certificate,
      "old.pem": authority.revocationList({ updated: -9, nextUpdate: -2 }),
      "new.pem": authority.revocationList({}),
    },
  });
  const [first, ...more] = warnings;
  deepStrictEqual(more, []);
  ok(
    first?.startsWith("client_certificate_revocation_lists[0]: old.pem was to be renewed by 20"),
    `${first}`,
  );
});

test("a key set that is none is a fault, and one without a key of use a warning", async () => {
  const toml = 'oauth_jwks = "keys"\noauth_audience = ["a"]\noauth_issuer = "i"\n';
  for (const keys of ["garbage", "[]", '{"keys":[]}', '{"kty":"RSA"}']) {
    const [fault = "", ...more] = await faultsOf({ toml, files: { keys } });
    deepStrictEqual(more, []);
    ok(/^popkeep\.toml:5: oauth_jwks: keys: it is no JSON/.test(fault), fault);
  }
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const right = publicKey.export({ format: "jwk" });
  const setOf = (...keys: object[]) => ({ toml, files: { keys: JSON.stringify({ keys }) } });
  deepStrictEqual(await warningsOf(setOf({ kty: "oct", k: "AAAA" }, right)), []);
  const useless = ["oauth_jwks: keys has no key that a token can be signed with"];
  deepStrictEqual(await warningsOf(setOf({ kty: "oct", k: "AAAA" })), useless);
  deepStrictEqual(await warningsOf(setOf({ ...right, use: "enc" })), useless);
  deepStrictEqual(await warningsOf(setOf({ kty: "RSA", e: "AQAB" })), useless);
});

test("tokens that are taken from everywhere are warned of", async () => {
  const { publicKey } = generateKeyPairSync("ed25519");
  const keys = JSON.stringify({ keys: [publicKey.export({ format: "jwk" })] });
  const warnings = await warningsOf({
    toml: 'oauth_jwks = "keys"\noauth_audience = ["a"]\n',
    files: { keys },
  });
  deepStrictEqual(warnings.map((line) => line.split(":")[0]), ["oauth_issuer"]);
  const asked = await warningsOf({ toml: 'oauth_introspection_url = "https://127.0.0.1/"\n' });
  deepStrictEqual(asked.map((line) => line.split(":")[0]), ["oauth_introspection_url"]);
});

test("directories that do not answer now are warned of, with the reason", async () => {
  const query = 'query = "SELECT name AS user, password FROM users WHERE name = {user}"\n';
  const what = {
    toml: `${LDAP}base = "dc=x"\n${SQL}url = "sqlite:users.db"\n${query}` +
      `${SQL}url = "sqlite:good.db"\n${query}`,
  };
  const { folder, check } = setUp(what);
  for (const name of ["users.db", "good.db"]) {
    const database = new DatabaseSync(`${folder}/${name}`);
    if (name === "good.db") database.exec("CREATE TABLE users (name, password)");
    else database.exec("CREATE TABLE others (name)");
    database.close();
  }
  const { exitCode, lines } = await check();
  strictEqual(exitCode, 0);
  strictEqual(lines.length, 2, lines.join("\n"));
  ok(
    /^warning: directories\[0\]: cannot be asked now: .*127\.0\.0\.1:1: /.test(lines[0]!),
    `${lines[0]}`,
  );
  ok(!lines[0]?.includes("a moment ago"), `${lines[0]}`);
  ok(
    /^warning: directories\[1\]: cannot be asked now: .*no such table/.test(lines[1]!),
    `${lines[1]}`,
  );
});

test("a query that finds somebody whoever is asked for is warned of", async () => {
  const { folder, check } = setUp({
    toml: `${SQL}url = "sqlite:a.db"\nquery = "SELECT 'bob' AS user, 'x' AS password, {user}"\n` +
      'default_password_scheme = "foo"\n',
  });
  new DatabaseSync(`${folder}/a.db`).close();
  const { lines } = await check();
  deepStrictEqual(lines.map((line) => line.split(": ").slice(1, 3).join(": ")), [
    "directories[0].default_password_scheme: passwords under foo are not honoured",
    "directories[0]: it finds somebody by a name that nobody has",
  ]);
});

test("a PAM service that there is no file for is warned of", async () => {
  const [warning, ...more] = await warningsOf({
    toml: '[[directories]]\nkind = "pam"\nservice = "popkeep-no-such"\n',
  });
  deepStrictEqual(more, []);
  ok(
    warning?.startsWith("directories[0].service: there is no file popkeep-no-such in /etc/pam.d"),
    `${warning}`,
  );
});

test("a keytab that cannot be used is warned of, and nothing is made in the state folder", async () => {
  const { folder, check } = setUp({
    toml: 'gssapi_keytab = "keytab"\n',
    files: { keytab: "this is none\n" },
  });
  const { exitCode, lines } = await check();
  strictEqual(exitCode, 0);
  ok(lines[0]?.startsWith("warning: gssapi_keytab: AUTH GSSAPI cannot work: "), `${lines[0]}`);
  ok(!existsSync(`${folder}/state`), readdirSync(folder).join());
});

test("a mechanism that some users have a secret for and others not is warned of", async () => {
  const hash = (password: string) =>
    Buffer.from(ntHash(new TextEncoder().encode(password))).toString("hex");
  const users = `alice:{PLAIN}a::::::popkeep_nt_hash=${hash("a")}\nbob:{PLAIN}b\n` +
    "carol:{PLAIN}c::::::nologin\ndora:!\n";
  const [warning, ...more] = await warningsOf({ users });
  deepStrictEqual(more, []);
  ok(warning?.startsWith("mechanisms: NTLM is offered to all"), `${warning}`);
  ok(warning?.includes("for those who have none: bob; `popkeep user passwd --ntlm`"), `${warning}`);
  deepStrictEqual(await warningsOf({ users, toml: 'mechanisms = ["PLAIN"]\n' }), []);
  deepStrictEqual(await warningsOf({ users, toml: "enable_gssapi_and_ntlm_auth = false\n" }), []);
  deepStrictEqual(
    await warningsOf({ users: "bob:{PLAIN}b\n", toml: 'mechanisms = ["NTLM"]\n' }),
    ["mechanisms: NTLM is not offered, since no user has an NT hash"],
  );
});

test("a master user whom the only user file does not have is warned of", async () => {
  const toml = 'master_users = ["Alice", "nosuch"]\n';
  deepStrictEqual(await warningsOf({ toml }), [
    "master_users: there is no user nosuch in users",
  ]);
  const others = '[[directories]]\nkind = "user_file"\n[[directories]]\nkind = "pam"\n' +
    'service = "login"\n';
  deepStrictEqual(await warningsOf({ toml: `${toml}${others}` }), []);
});

test("where users come from elsewhere alone there need be no user file", async () => {
  const { folder, check } = setUp({ toml: '[[directories]]\nkind = "pam"\nservice = "login"\n' });
  rmSync(`${folder}/users`);
  const { exitCode, lines } = await check();
  deepStrictEqual({ exitCode, lines }, { exitCode: 0, lines: [] });
});
