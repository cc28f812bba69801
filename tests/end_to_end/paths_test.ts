/**
 * Nobody gets out of the folder that mail is in: not by a name, a folder's name or a domain, whatever a
 * directory answers to it, and not by what lies in his own mailbox. A mailbox beside that folder is
 * watched in the server's system calls: nothing may ever be done with a file of its.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { allLookAround, Canary, looksAround } from "../support/canary.ts";
import { HOSTILE_NAMES as NAMES } from "../support/hostile_names.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { LDAP_BASE, SERVICE_DN, startSlapd } from "../support/slapd_server.ts";
import { mayMakeAccounts } from "../support/system_account.ts";
import { TestMaildir } from "../support/test_maildir.ts";

const TEMPLATES = ["{user}/Maildir", "{domain}/{local}/Maildir", "{local}/Maildir"];

let canary: Canary;

before(() => {
  canary = new Canary();
  new TestMaildir(`${canary.mail}/alice/Maildir`).deliver("Subject: own\n\nown\n");
});

after(() => canary.delete());

interface Watched {
  /** Lines of the settings file. */
  readonly settings: string;
  readonly userFile?: string;
}

/** Runs `work` with a server that is watched: it does nothing with the canary's files. */
async function untouched(
  { settings, userFile = "" }: Watched,
  work: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const server = await startServer({
    settings: `login_type = "plaintext_login"
max_failed_logins = 10
failed_login_delay = "0"
never_blocked_addresses = ["127.0.0.0/8"]
master_users = ["master"]
folder_separator = "+"
${settings}`,
    users: ["master"],
  });
  writeFileSync(`${server.folder}/users`, `master:{PLAIN}${PASSWORD}\n${userFile}`);
  try {
    server.signal("SIGHUP");
    await server.untilLogged(/"reloaded"/);
    const touched = await canary.touchedDuring(server, () => work(server));
    assert.deepEqual(touched, []);
    assert.ok(!server.log.includes("fault in popkeep"), server.log);
  } finally {
    await server.stop();
  }
}

/** Everybody whom the names could mean looks around; alice, who is there, gets in. */
async function allButAliceAreKeptIn(
  server: RunningServer,
  names: readonly string[] = NAMES,
): Promise<void> {
  assert.deepEqual(await looksAround(server, "alice"), ["+OK", "+OK", "+OK"]);
  await allLookAround(server, names);
}

test("who watches the canary sees it touched", async () => {
  const server = await startServer({ settings: 'login_type = "plaintext_login"' });
  try {
    writeFileSync(
      `${server.folder}/users`,
      `owner:{PLAIN}${PASSWORD}::::${canary.base}/canary::\n`,
    );
    server.signal("SIGHUP");
    await server.untilLogged(/"reloaded"/);
    const touched = await canary.touchedDuring(server, async () => {
      await assert.rejects(looksAround(server, "owner"), /owner sees the canary/);
    });
    assert.ok(touched.length > 0);
  } finally {
    await server.stop();
    rmSync(`${canary.maildir.path}/popkeep-uidlist`, { force: true });
  }
});

test("no name in the user file leads out, in any template", async () => {
  const lines = NAMES.filter((name) => !/[\r\n:]/.test(name))
    .map((name) => `${name}:{PLAIN}${PASSWORD}::::${canary.mail}/${name}::\n`);
  for (const template of [...TEMPLATES.map((path) => `MAIL/${path}`), "{home}/Maildir"]) {
    const userFile = `alice:{PLAIN}${PASSWORD}::::${canary.mail}/alice::\n${lines.join("")}`;
    await untouchedIn(
      template,
      userFile,
      (server) =>
        template.includes("domain") ? allLookAround(server, NAMES) : allButAliceAreKeptIn(server),
    );
  }
});

async function untouchedIn(
  template: string,
  userFile: string,
  work: (server: RunningServer) => Promise<void>,
): Promise<void> {
  await untouched({
    settings: `maildir = "${template.replace("MAIL", canary.mail)}"`,
    userFile,
  }, work);
}

test("no home and no place in an entry of the user file leads out", async () => {
  const { mail } = canary;
  const homes = [
    `${mail}/../canary`,
    `${mail}/alice/../../canary`,
    `${mail}/./../canary`,
    `${mail}//..//canary`,
    `${mail}/..`,
    "../canary",
    "canary",
    `${mail}/\u007f/../../canary`,
  ];
  const places = [
    "maildir:~/../../canary/Maildir",
    "maildir:%h/../../canary/Maildir",
    `maildir:${mail}/../canary/Maildir`,
    `${mail}/%u/../../canary/Maildir`,
    "maildir:~/Maildir:INBOX=~/../../canary/Maildir",
    `maildir:${mail}/%d/../canary/Maildir`,
    "maildir:../canary/Maildir",
  ];
  const entries = [
    ...homes.map((home, at) => `h${at}:{PLAIN}${PASSWORD}::::${home}::\n`),
    ...places.map((place, at) =>
      `p${at}:{PLAIN}${PASSWORD}::::${mail}/alice::userdb_mail=${place}\n`
    ),
    `alice:{PLAIN}${PASSWORD}::::${mail}/alice::\n`,
  ];
  const names = entries.map((entry) => entry.slice(0, entry.indexOf(":")));
  await untouchedIn(
    "{home}/Maildir",
    entries.join(""),
    (server) => allButAliceAreKeptIn(server, names),
  );
});

test("no folder's name leads out, in either layout", async () => {
  const { mail } = canary;
  mkdirSync(`${mail}/bob`, { recursive: true });
  new TestMaildir(`${mail}/bob/Maildir`);
  const field = (name: string, layout: string) =>
    `${name}:{PLAIN}${PASSWORD}::::${mail}/${name}::userdb_mail=maildir:~/Maildir:LAYOUT=${layout}\n`;
  await untouchedIn(
    "{home}/Maildir",
    field("alice", "fs") + field("bob", "maildir++"),
    async (server) => {
      const folders = ["", ...NAMES].flatMap((
        name,
      ) => [name, `../../../canary/${name}`, `../../${name}/Maildir`]);
      for (const user of ["alice", "bob"]) {
        await allLookAround(server, folders.map((folder) => `${user}+${folder}`));
      }
    },
  );
});

test("a checkpassword program that makes homes of names lets nobody out", async () => {
  const program = `${canary.base}/check`;
  writeFileSync(
    program,
    `#!/bin/sh
IFS= read -r user <<END
$(head -c 512 <&3 | tr '\\000' '\\n')
END
exec 3<&-
export USER="$user" HOME="${canary.mail}/$user"
exec "$@"
`,
  );
  chmodSync(program, 0o755);
  const directory = `[[directories]]\nkind = "checkpassword"\nprogram = ["${program}"]`;
  for (const template of ["{home}/Maildir", `${canary.mail}/{user}/Maildir`]) {
    await untouched(
      { settings: `maildir = "${template}"\n${directory}` },
      (server) => allLookAround(server, NAMES),
    );
  }
});

test("a database that makes homes of names lets nobody out", async () => {
  const file = `${canary.base}/users.db`;
  const database = new DatabaseSync(file);
  database.exec("CREATE TABLE t (x TEXT)");
  database.close();
  chmodSync(file, 0o644);
  const query = `SELECT {user} AS user, '{PLAIN}${PASSWORD}' AS password, ` +
    `'${canary.mail}/' || {user} AS home`;
  await untouched({
    settings: `maildir = "{home}/Maildir"
[[directories]]
kind = "sql"
url = "sqlite:${file}"
query = "${query}"`,
  }, (server) => allButAliceAreKeptIn(server));
});

test("an LDAP server whose entries hold such names and homes lets nobody out", async () => {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const names = ["alice", "master", ...NAMES.filter((name) => !/[\0\r\n]/.test(name))];
  const entries = names.map((name, at) => `
dn: cn=p${at},ou=people,${LDAP_BASE}
objectClass: inetOrgPerson
objectClass: posixAccount
cn: p${at}
sn: p
uid:: ${base64(name)}
uidNumber: 1001
gidNumber: 1001
homeDirectory:: ${base64(`${canary.mail}/${name}`.replace(/[^\x20-\x7e]/g, "?"))}
userPassword: ${PASSWORD}
`);
  const slapd = await startSlapd({ ldif: entries.join("") });
  try {
    for (const template of ["{home}/Maildir"]) {
      await untouched({
        settings: `maildir = "${template}"
[[directories]]
kind = "ldap"
urls = ["ldap://localhost:${slapd.port}"]
start_tls = true
ca_file = "${slapd.caFile}"
bind_dn = "${SERVICE_DN}"
bind_password_file = "${slapd.passwordFile}"
base = "${LDAP_BASE}"
filter = "(uid={user})"
home_attribute = "homeDirectory"`,
      }, (server) => allButAliceAreKeptIn(server, names));
    }
  } finally {
    await slapd.delete();
  }
});

/** Who may change his own mailbox, and nobody else's. */
const EVE = 54_321;
const OWNER = 54_322;

/** A link that eve has made. */
function linkOfEve(target: string, path: string): void {
  symlinkSync(target, path);
  lchownSync(path, EVE, EVE);
}

test("links that a mailbox's owner plants lead nowhere, be it known already or not", {
  skip: mayMakeAccounts ? false : "takes root, to make files of other users",
}, async () => {
  const { base, mail, maildir } = canary;
  for (
    const path of [`${base}/canary`, maildir.path, `${maildir.path}/new`, `${maildir.path}/cur`]
  ) {
    lchownSync(path, OWNER, OWNER);
  }
  const plants: Readonly<Record<string, (home: string) => void>> = {
    home: (home) => linkOfEve("../canary", home),
    maildir: (home) => {
      mkdirSync(home);
      linkOfEve("../../canary/Maildir", `${home}/Maildir`);
    },
    new: (home) => {
      new TestMaildir(`${home}/Maildir`);
      rmSync(`${home}/Maildir/new`, { recursive: true });
      linkOfEve(`${maildir.path}/new`, `${home}/Maildir/new`);
    },
    cur: (home) => {
      new TestMaildir(`${home}/Maildir`);
      rmSync(`${home}/Maildir/cur`, { recursive: true });
      linkOfEve("../../../canary/Maildir/cur", `${home}/Maildir/cur`);
    },
    behind: (home) => {
      // An administrator's link, and behind it eve's.
      linkOfEve("../canary", `${home}-behind`);
      symlinkSync(`${home}-behind`, home);
    },
    folder: (home) => {
      new TestMaildir(`${home}/Maildir`);
      linkOfEve(maildir.path, `${home}/Maildir/.Work`);
    },
    "folder-new": (home) => {
      new TestMaildir(`${home}/Maildir`);
      new TestMaildir(`${home}/Maildir/.Work`);
      rmSync(`${home}/Maildir/.Work/new`, { recursive: true });
      linkOfEve(`${maildir.path}/new`, `${home}/Maildir/.Work/new`);
    },
  };
  const server = await startServer({
    settings: `login_type = "plaintext_login"
folder_separator = "+"
maildir = "${mail}/{user}/Maildir"
master_users = ["master"]`,
    users: ["master", "later", ...Object.keys(plants)],
  });
  try {
    for (const [name, plant] of Object.entries(plants)) {
      plant(`${mail}/${name}`);
      const user = name.startsWith("folder") ? `${name}+Work` : name;
      const outcomes = await looksAround(server, user);
      assert.deepEqual(outcomes, ["SYS/PERM", "SYS/PERM", "SYS/PERM"], name);
    }
    // One that has been served, and so is in memory.
    new TestMaildir(`${mail}/later/Maildir`).deliver("Subject: own\n\nown\n");
    assert.deepEqual(await looksAround(server, "later"), ["+OK", "+OK", "+OK"]);
    renameSync(`${mail}/later/Maildir/new`, `${mail}/later/Maildir/aside`);
    linkOfEve(`${maildir.path}/new`, `${mail}/later/Maildir/new`);
    assert.deepEqual(await looksAround(server, "later"), ["SYS/PERM", "SYS/PERM", "SYS/PERM"]);
    assert.match(server.log, /is a link that the user 54321 made to what is another's/);
  } finally {
    await server.stop();
  }
});

test("links of root's, and of an owner to what is his own, are followed", {
  skip: mayMakeAccounts ? false : "takes root, to make files of other users",
}, async () => {
  const { base, mail } = canary;
  const elsewhere = `${base}/other-disk`;
  for (const user of ["dora", "emil"]) {
    new TestMaildir(`${elsewhere}/${user}/Maildir`).deliver("Subject: own\n\nown\n");
  }
  for (const path of ["emil", "emil/Maildir", "emil/Maildir/new", "emil/Maildir/cur"]) {
    lchownSync(`${elsewhere}/${path}`, EVE, EVE);
  }
  symlinkSync(`${elsewhere}/dora`, `${mail}/dora`);
  linkOfEve("../other-disk/emil", `${mail}/emil`);
  const server = await startServer({
    settings: `login_type = "plaintext_login"
maildir = "${mail}/{user}/Maildir"
master_users = ["master"]`,
    users: ["master", "dora", "emil"],
  });
  try {
    for (const user of ["dora", "emil"]) {
      assert.deepEqual(await looksAround(server, user), ["+OK", "+OK", "+OK"], user);
    }
  } finally {
    await server.stop();
  }
});
