/** A server whose users are on an LDAP server, in an SQLite file and in the user file, in this order. */

import { ok, strictEqual } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { type RunningServer, startServer } from "../support/server.ts";
import { LDAP_BASE, SERVICE_DN, type SlapdServer, startSlapd } from "../support/slapd_server.ts";
import { TestMaildir } from "../support/test_maildir.ts";

const FOLDER_ATTRIBUTE = "homeDirectory";

interface Place {
  readonly server: RunningServer;
  readonly slapd: SlapdServer;
}

function ldifOf(folder: string): string {
  const person = (name: string, more = "") => `
dn: uid=${name},ou=people,${LDAP_BASE}
objectClass: inetOrgPerson
objectClass: posixAccount
objectClass: shadowAccount
uid: ${name}
cn: ${name}
sn: ${name}
uidNumber: 1001
gidNumber: 1001
homeDirectory: ${folder}/${name}
userPassword: right
${more}`;
  return person("lena") + person("expired", "shadowExpire: 1\n");
}

async function withServers(run: (place: Place) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(`${tmpdir()}/popkeep-directories-`);
  const file = `${folder}/users.db`;
  const database = new DatabaseSync(file);
  database.exec(`
    CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT, home TEXT, nologin TEXT);
    INSERT INTO users VALUES ('sara', '{PLAIN}right', '${folder}/sara', NULL),
      ('closed', '{PLAIN}right', '${folder}/closed', 'y')`);
  database.close();
  for (const name of ["lena", "sara"]) {
    new TestMaildir(`${folder}/${name}/Maildir`).deliver(`Subject: ${name}\n\nbody\n`);
  }
  const slapd = await startSlapd({ ldif: ldifOf(folder) });
  const server = await startServer({
    settings: `login_type = "plaintext_login"
failed_login_delay = "10ms"
[[directories]]
kind = "ldap"
urls = ["ldap://localhost:${slapd.port}"]
start_tls = true
ca_file = "${slapd.caFile}"
bind_dn = "${SERVICE_DN}"
bind_password_file = "${slapd.passwordFile}"
base = "${LDAP_BASE}"
filter = "(uid={user})"
home_attribute = "${FOLDER_ATTRIBUTE}"
connect_timeout = "1s"
operation_timeout = "1s"
[[directories]]
kind = "sql"
url = "sqlite:${file}"
query = "SELECT name AS user, password, home, nologin FROM users WHERE name = {user}"
[[directories]]
kind = "user_file"`,
    users: ["file"],
  });
  try {
    await run({ server, slapd });
    ok(!server.log.includes("fault in popkeep"), server.log);
    ok(!server.log.includes("service secret"), server.log);
  } finally {
    await server.stop();
    await slapd.delete();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The response code of a refusal, or "+OK". */
async function loginCode(server: RunningServer, user: string, password: string): Promise<string> {
  const client = await server.connect();
  await client.ok(`USER ${user}`);
  const { status, code } = await client.command(`PASS ${password}`);
  await client.quit();
  return status === "+OK" ? status : String(code);
}

test("users of all directories get their own mail, and no others do", () =>
  withServers(async ({ server }) => {
    for (const user of ["lena", "sara"]) {
      const client = await server.connect();
      await client.login(user, "right");
      ok((await client.retrieve("RETR 1")).includes(`Subject: ${user}`));
      await client.quit();
    }
    strictEqual(await loginCode(server, "file", "secret"), "+OK");
    strictEqual(await loginCode(server, "lena", "wrong"), "AUTH");
    strictEqual(await loginCode(server, "sara", "wrong"), "AUTH");
    strictEqual(await loginCode(server, "nobody", "right"), "AUTH");
    strictEqual(await loginCode(server, "*", "right"), "AUTH");
    strictEqual(await loginCode(server, "closed", "right"), "SYS/PERM");
    strictEqual(await loginCode(server, "closed", "wrong"), "AUTH");
    strictEqual(await loginCode(server, "expired", "right"), "SYS/PERM");
    strictEqual(await loginCode(server, "expired", "wrong"), "AUTH");
  }));

test("while the LDAP server hangs nobody is told that a password is wrong, and later all is well", () =>
  withServers(async ({ server, slapd }) => {
    slapd.freeze();
    const codes = await Promise.all(
      ["lena", "lena", "nobody"].map((user) => loginCode(server, user, "right")),
    );
    strictEqual(codes.join(), "SYS/TEMP,SYS/TEMP,SYS/TEMP");
    slapd.thaw();
    let code = "";
    while (code !== "+OK") {
      code = await loginCode(server, "lena", "right");
      ok(code === "+OK" || code === "SYS/TEMP", code);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }));
