/** The LDAP directories against a real OpenLDAP server. */

import { Buffer } from "node:buffer";
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import type { AccountDirectory, ListedUser } from "../../../src/auth/directory.ts";
import { openLdapDirectory } from "../../../src/auth/directories/ldap.ts";
import { listEntries } from "../../../src/auth/ldap/entry_listing.ts";
import { accountAttributes } from "../../../src/auth/ldap/entry_reading.ts";
import { openLdapConnection } from "../../../src/auth/ldap/ldap_connection.ts";
import { LDAP_DEFAULTS, type LdapOptions } from "../../../src/auth/ldap/ldap_options.ts";
import {
  checkSilence,
  INJECTIONS,
  lookUp,
  octets,
  oddName,
  startSilentServer,
} from "../../support/directory_checks.ts";
import { freePort } from "../../support/free_port.ts";
import { testProperty } from "../../support/property.ts";
import { LDAP_BASE, SERVICE_DN, type SlapdServer, startSlapd } from "../../support/slapd_server.ts";

const NT_HASH = "A4F49C406510BDCAB6824EE7C30FD852";
const PEOPLE = `ou=people,${LDAP_BASE}`;

/** As LDIF has values that are not ASCII (RFC 2849). */
const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");

const WIDE_PASSWORD = "p\u00e4ss w\u00f6rd \u{1f600}";

const SCRAM = `{SCRAM-SHA-256}4096,${Buffer.alloc(12, 1).toString("base64")},` +
  `${Buffer.alloc(32, 2).toString("base64")},${Buffer.alloc(32, 3).toString("base64")}`;

const LDIF = `
dn: uid=alice,${PEOPLE}
objectClass: inetOrgPerson
objectClass: posixAccount
uid: alice
cn: Alice
sn: A
mail: alice@example.com
uidNumber: 1001
gidNumber: 1001
homeDirectory: /home/alice
employeeNumber: 500M
description: ${NT_HASH}
manager: uid=bob,${PEOPLE}
departmentNumber: bob
departmentNumber: carol
userPassword: alice secret

dn: cn=Smith\\, \\"Bob\\" \\+ Co,${PEOPLE}
objectClass: inetOrgPerson
uid: bob
cn: Smith, "Bob" + Co
sn: B
mail: bob@example.com
employeeType: Gone
carLicense: ${SCRAM}
userPassword: bob secret

dn: uid=twin1,${PEOPLE}
objectClass: inetOrgPerson
uid: twin1
cn: Twin
sn: T
mail: twins@example.com
userPassword: twin secret

dn: uid=twin2,${PEOPLE}
objectClass: inetOrgPerson
uid: twin2
cn: Twin
sn: T
mail: twins@example.com
userPassword: twin secret

dn: uid=nameless,${PEOPLE}
objectClass: inetOrgPerson
uid: nameless
uid: also.nameless
cn: Nameless
sn: N
userPassword: nameless secret

dn: uid=netted,${PEOPLE}
objectClass: inetOrgPerson
uid: netted
cn: Netted
sn: N
roomNumber: not a network
userPassword: netted secret

dn: uid=keyless,${PEOPLE}
objectClass: inetOrgPerson
uid: keyless
cn: Keyless
sn: K

dn: uid=argon,${PEOPLE}
objectClass: inetOrgPerson
uid: argon
cn: Argon
sn: A
userPassword: {ARGON2}$argon2id$v=19$m=4096,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$7kXkyi0bZtPYbWKG0oqRWGkFgFzUbxzbWUIEpGBDrhQ

dn:: ${base64(`uid=jos\u00e9,${PEOPLE}`)}
objectClass: inetOrgPerson
uid:: ${base64("jos\u00e9")}
cn: Jose
sn: J
userPassword:: ${base64(WIDE_PASSWORD)}

dn: cn=Dora,ou=ad,${LDAP_BASE}
objectClass: inetOrgPerson
objectClass: extensibleObject
cn: Dora
sn: D
uid: dora
mail: dora@ad.example.com
sAMAccountName: dora
userPrincipalName: dora@ad.example.com
userAccountControl: 512
userPassword: dora secret

dn: cn=Emil,ou=ad,${LDAP_BASE}
objectClass: inetOrgPerson
objectClass: extensibleObject
cn: Emil
sn: E
uid: emil
mail: emil@ad.example.com
sAMAccountName: emil
userPrincipalName: emil@ad.example.com
userAccountControl: 514
userPassword: emil secret
`;

let slapd: SlapdServer;
const opened: AccountDirectory[] = [];

before(async () => {
  slapd = await startSlapd({ ldif: LDIF });
});

after(async () => {
  for (const directory of opened) await directory.close?.();
  await slapd.delete();
});

function options(more: Partial<LdapOptions> = {}): LdapOptions {
  return {
    ...LDAP_DEFAULTS,
    urls: [slapd.url],
    bindDn: SERVICE_DN,
    bindPasswordFile: slapd.passwordFile,
    base: LDAP_BASE,
    ...more,
  };
}

function open(more: Partial<LdapOptions> = {}): AccountDirectory {
  const directory = openLdapDirectory(options(more));
  opened.push(directory);
  return directory;
}

const DIRECT: Partial<LdapOptions> = {
  mode: "direct",
  bindDn: "",
  bindPasswordFile: "",
  directBindName: `uid={local},${PEOPLE}`,
  filter: "",
};

async function check(directory: AccountDirectory, user: string, password: string) {
  const said = await directory.checkPassword!(user, octets(password), undefined);
  return said.kind === "wrong" ? "wrong" : said.entry;
}

async function checkedName(directory: AccountDirectory, user: string, password: string) {
  const entry = await check(directory, user, password);
  return entry === "wrong" ? "wrong" : entry.account.user;
}

test("a user is found by name or address, and the entry says what the user is called", async () => {
  const directory = open();
  strictEqual(await checkedName(directory, "alice", "alice secret"), "alice");
  strictEqual(await checkedName(directory, "ALICE@example.com", "alice secret"), "alice");
});

test("a wrong password, an unknown user and one without a password are wrong", async () => {
  const directory = open();
  strictEqual(await check(directory, "alice", "alice secret "), "wrong");
  strictEqual(await check(directory, "nobody", "alice secret"), "wrong");
  strictEqual(await check(directory, "keyless", "alice secret"), "wrong");
});

test("an empty password is wrong, though a server takes the bind for one of nobody", async () => {
  for (const directory of [open(), open(DIRECT)]) {
    strictEqual(await check(directory, "alice", ""), "wrong");
    strictEqual(await check(directory, "alice", "\0"), "wrong");
    strictEqual(await check(directory, "alice", "alice secret\0"), "wrong");
  }
});

test("a DN with special characters can be bound as", async () => {
  strictEqual(await checkedName(open(), "bob", "bob secret"), "bob");
});

test("names and passwords beyond ASCII are checked octet by octet", async () => {
  const directory = open();
  const password = WIDE_PASSWORD;
  strictEqual(await checkedName(directory, "jos\u00e9", password), "jos\u00e9");
  const said = await directory.checkPassword!(
    "jos\u00e9",
    Buffer.from(password, "latin1"),
    undefined,
  );
  strictEqual(said.kind, "wrong");
});

test("attributes become what the settings name them for", async () => {
  const entry = await open({
    homeAttribute: "HOMEDIRECTORY",
    quotaAttribute: "employeeNumber",
    ntHashAttribute: "description",
    mailAttribute: "cn",
    delegatesAttribute: "departmentNumber",
  }).lookUp("alice");
  deepStrictEqual(entry, {
    account: {
      user: "alice",
      home: "/home/alice",
      extra: { mail: "Alice", quota_rule: "*:storage=500M" },
    },
    storedPassword: "",
    disabled: false,
    secrets: { ntHash: Uint8Array.from(Buffer.from(NT_HASH, "hex")) },
    delegates: ["bob", "carol"],
  });
});

test("the attributes that the settings name say which secrets there may be", () => {
  deepStrictEqual([...open().secretKinds], []);
  deepStrictEqual([...open({ ntHashAttribute: "description" }).secretKinds], ["ntHash"]);
});

test("the shapes of SCRAM keys are those of the users who were looked up", async () => {
  for (const mode of ["search", "stored"] as const) {
    const directory = open({ mode, scramSha256Attribute: "carLicense" });
    deepStrictEqual(directory.scramShapes, []);
    for (const user of ["bob", "alice", "nobody", "bob"]) await lookUp(directory, user);
    deepStrictEqual(directory.scramShapes, [{ iterations: 4_096, saltOctets: 12, users: 1 }]);
  }
});

test("an attribute with one of the values keeps a user out who knows the password", async () => {
  const more = { nologinAttribute: "employeeType", nologinValues: ["gone"] };
  const bob = await check(open(more), "bob", "bob secret");
  ok(bob !== "wrong" && bob.disabled);
  strictEqual(await check(open(more), "bob", "wrong"), "wrong");
  const other = await check(open({ ...more, nologinValues: ["other"] }), "bob", "bob secret");
  ok(other !== "wrong" && !other.disabled);
  const any = await open({ nologinAttribute: "employeeType" }).lookUp("bob");
  strictEqual(any?.disabled, true);
  strictEqual((await open({ nologinAttribute: "employeeType" }).lookUp("alice"))?.disabled, false);
});

test("what Active Directory says of an account is looked at", async () => {
  // OpenLDAP has no rule by which these attributes could be searched.
  const ad: Partial<LdapOptions> = { userAttribute: "sAMAccountName" };
  const dora = await check(open(ad), "dora@ad.example.com", "dora secret");
  ok(dora !== "wrong" && !dora.disabled);
  strictEqual(dora.account.user, "dora");
  const emil = await check(open(ad), "emil", "emil secret");
  ok(emil !== "wrong" && emil.disabled);
  strictEqual(await check(open(ad), "emil", "wrong"), "wrong");
  const unlooked = await check(open({ ...ad, accountState: false }), "emil", "emil secret");
  ok(unlooked !== "wrong" && !unlooked.disabled);
});

test("two entries for a name are an Error, whatever the password", async () => {
  await rejects(lookUp(open(), "twins@example.com"), /several entries/);
  await rejects(check(open(), "twins@example.com", "twin secret"), /several entries/);
});

test("an entry with two names is an Error, as it is not known whose mail is meant", async () => {
  await rejects(check(open(), "nameless", "nameless secret"), /several values of uid/);
});

test("an entry whose networks cannot be read lets nobody in", async () => {
  const directory = open({ allowNetsAttribute: "roomNumber" });
  strictEqual(await check(directory, "netted", "netted secret"), "wrong");
  const entry = await lookUp(directory, "netted");
  strictEqual(entry?.disabled, true);
  strictEqual(entry.storedPassword, "!");
});

test("in the mode stored the password field is handed out, with a scheme", async () => {
  const directory = open({ mode: "stored" });
  strictEqual(directory.checkPassword, undefined);
  strictEqual((await lookUp(directory, "alice"))?.storedPassword, "{PLAIN}alice secret");
  ok((await lookUp(directory, "argon"))?.storedPassword.startsWith("{ARGON2ID}$argon2id$"));
  strictEqual((await lookUp(directory, "keyless"))?.storedPassword, "");
  strictEqual(await lookUp(directory, "nobody"), undefined);
});

test("in the mode stored a decoy is of the kind of the users who were looked up", async () => {
  const directory = open({ mode: "stored" });
  await lookUp(directory, "alice");
  strictEqual(directory.decoyFor!("nobody"), "{PLAIN}alice secret");
});

test("in the mode direct the user is bound as at once, and is called what was bound with", async () => {
  const directory = open(DIRECT);
  strictEqual(directory.findsByName, false);
  strictEqual(await lookUp(directory, "alice"), undefined);
  strictEqual(await checkedName(directory, "Alice", "alice secret"), "alice");
  strictEqual(await checkedName(directory, "alice@elsewhere.example", "alice secret"), "alice");
  strictEqual(await check(directory, "alice", "wrong"), "wrong");
  strictEqual(await check(directory, "nobody", "alice secret"), "wrong");
});

test("in the mode direct the user's own entry can be searched", async () => {
  const directory = open({ ...DIRECT, filter: "(uid={local})", homeAttribute: "homeDirectory" });
  const alice = await check(directory, "alice", "alice secret");
  ok(alice !== "wrong");
  deepStrictEqual(alice.account, { user: "alice", home: "/home/alice", extra: {} });
});

test("in the mode direct a user whom the filter does not find is kept out", async () => {
  const directory = open({ ...DIRECT, filter: "(&(uid={local})(employeeType=Staff))" });
  strictEqual(await check(directory, "alice", "alice secret"), "wrong");
});

test("no name finds anybody but the user that it names", async () => {
  const directories = [
    open({ filter: "(uid={user})" }),
    open({ ...DIRECT, directBindName: `uid={user},${PEOPLE}` }),
  ];
  for (const directory of directories) {
    for (const name of INJECTIONS) {
      strictEqual(await check(directory, name, "alice secret"), "wrong", JSON.stringify(name));
      strictEqual(await lookUp(directory, name), undefined, JSON.stringify(name));
    }
  }
});

testProperty(
  "five thousand odd names do no harm and let nobody in",
  fc.asyncProperty(fc.array(oddName, { minLength: 50, maxLength: 50 }), async (names) => {
    const directories = [
      open({ filter: "(|(uid={user})(mail={local}@{domain}))" }),
      open({ ...DIRECT, directBindName: `uid={user},${PEOPLE}` }),
    ];
    for (const directory of directories) {
      const said = await Promise.all(names.map((name) => check(directory, name, "no password")));
      deepStrictEqual(said, names.map(() => "wrong"));
      await directory.close?.();
    }
  }),
  100,
);

test("under TLS and after StartTLS a password is checked, and the certificate must be right", async () => {
  const { caFile } = slapd;
  const startTls = { startTls: true, urls: [`ldap://localhost:${slapd.port}`] };
  for (const tls of [{ urls: [slapd.tlsUrl] }, startTls]) {
    strictEqual(await checkedName(open({ ...tls, caFile }), "alice", "alice secret"), "alice");
    const unverified = open({ ...tls, verifyCertificate: false });
    strictEqual(await checkedName(unverified, "alice", "alice secret"), "alice");
    await rejects(check(open(tls), "alice", "alice secret"), /certificate/);
    const byAddress = tls.urls.map((url) => url.replace("localhost", "127.0.0.1"));
    await rejects(check(open({ ...tls, urls: byAddress, caFile }), "alice", "alice secret"), /IP/);
  }
});

test("a service account that is not let in is an Error, and its password in no message", async () => {
  const directory = open({ bindPasswordFile: slapd.caFile });
  await rejects(check(directory, "alice", "alice secret"), (error: Error) => {
    ok(/bind_dn cannot bind/.test(error.message), error.message);
    ok(!error.message.includes("BEGIN CERTIFICATE"));
    return true;
  });
});

test("of several servers the one that answers is asked", async () => {
  const down = `ldap://127.0.0.1:${await freePort()}`;
  const directory = open({ urls: [down, slapd.url] });
  strictEqual(await checkedName(directory, "alice", "alice secret"), "alice");
  strictEqual(await checkedName(directory, "bob", "bob secret"), "bob");
});

test("a server that went away and came back is asked again, its old connections forgotten", async () => {
  const own = await startSlapd({ ldif: LDIF });
  try {
    const startTls = { startTls: true, verifyCertificate: false };
    for (const tls of [{}, startTls]) {
      const directory = open({ urls: [own.url], bindPasswordFile: own.passwordFile, ...tls });
      strictEqual(await checkedName(directory, "alice", "alice secret"), "alice");
      await own.stop();
      await own.start();
      strictEqual(await checkedName(directory, "alice", "alice secret"), "alice");
    }
  } finally {
    await own.delete();
  }
});

test("a connection that was lost does not come back by itself, without TLS and as nobody", async () => {
  const own = await startSlapd({ ldif: LDIF });
  try {
    const quick = { ...options(), connectTimeoutMs: 300, operationTimeoutMs: 300 };
    const secure = { ...quick, startTls: true, verifyCertificate: false };
    for (const more of [quick, secure]) {
      const connection = await openLdapConnection(own.url, more, { binds: false });
      await own.stop();
      await own.start();
      strictEqual(connection.isOpen(), false);
      const bind = connection.client.bind(`uid=alice,${PEOPLE}`, "alice secret");
      await rejects(bind, /gone|not established|timed out|closed/i);
      connection.end();
    }
  } finally {
    await own.delete();
  }
});

test("a server that stops answering is an Error in time, then at once, and is asked again later", async () => {
  const own = await startSlapd({ ldif: LDIF });
  try {
    const directory = open({
      urls: [own.url],
      bindPasswordFile: own.passwordFile,
      connectTimeoutMs: 500,
      operationTimeoutMs: 500,
    });
    strictEqual(await checkedName(directory, "alice", "alice secret"), "alice");
    own.freeze();
    await rejects(check(directory, "alice", "alice secret"), /no answer within 500 ms/);
    await rejects(check(directory, "alice", "alice secret"), /a moment ago/);
    own.thaw();
    let name: string | undefined;
    while (name === undefined) {
      name = await checkedName(directory, "alice", "alice secret").catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    strictEqual(name, "alice");
  } finally {
    await own.delete();
  }
});

test("a server that takes connections and says nothing holds up nobody else", async () => {
  const silent = await startSilentServer();
  const other = open();
  for (const more of [{}, DIRECT, { startTls: true }]) {
    const directory = open({
      ...more,
      urls: [`ldap://127.0.0.1:${silent.port}`],
      connectTimeoutMs: 300,
      operationTimeoutMs: 300,
    });
    await checkSilence(directory, silent, () => check(other, "alice", "alice secret"));
  }
  await silent.close();
});

test("options that cannot be are told in sentences that name the settings", () => {
  const cases: readonly (readonly [Partial<LdapOptions>, RegExp])[] = [
    [{ urls: [] }, /urls/],
    [{ urls: ["http://example.com"] }, /urls/],
    [{ urls: ["ldap://user@example.com"] }, /urls/],
    [{ urls: ["ldaps://example.com"], startTls: true }, /start_tls/],
    [{ base: "" }, /base/],
    [{ filter: "" }, /filter/],
    [{ filter: "(uid=alice)" }, /filter has neither/],
    [{ filter: "(uid={usr})" }, /"\{usr\}"/],
    [{ filter: "(uid={user}" }, /filter is none/],
    [{ filter: "(&(uid={user})(cn=\\c3\\a9))" }, /beyond ASCII/],
    [{ userAttribute: "" }, /user_attribute/],
    [{ bindPasswordFile: "" }, /bind_password_file/],
    [{ mode: "direct" }, /direct_bind_name/],
    [{ mode: "direct", directBindName: "PLAIN{user}" }, /direct_bind_name/],
    [{ mode: "stored", passwordAttribute: "" }, /password_attribute/],
  ];
  for (const [more, expected] of cases) throws(() => open(more), expected);
});

const LISTS: Partial<LdapOptions> = {
  iterateFilter: "(objectClass=inetOrgPerson)",
  homeAttribute: "homeDirectory",
  quotaAttribute: "employeeNumber",
  allowNetsAttribute: "roomNumber",
};

/** Each user that is listed: the account, "look up" or "fault". */
async function listedBy(users: AsyncIterable<ListedUser>): Promise<Map<string, unknown>> {
  const listed = new Map<string, unknown>();
  for await (const { user, account, fault } of users) {
    listed.set(user, fault === undefined ? account ?? "look up" : "fault");
  }
  return listed;
}

test("all users are listed, whatever the pages, as a search would find them", async () => {
  for (const pageEntries of [1, 2, 3, 10, 11, 12, 1_000]) {
    const listed = await listedBy(
      listEntries(options(LISTS), { most: Infinity, pageEntries }),
    );
    deepStrictEqual(listed.get("alice"), {
      user: "alice",
      home: "/home/alice",
      extra: { quota_rule: "*:storage=500M" },
    });
    deepStrictEqual(listed.get("jos\u00e9"), { user: "jos\u00e9", extra: {} });
    strictEqual(listed.get(`uid=nameless,${PEOPLE}`), "fault");
    deepStrictEqual(
      [...listed.keys()].sort(),
      [
        "alice",
        "argon",
        "bob",
        "dora",
        "emil",
        "jos\u00e9",
        "keyless",
        "netted",
        "twin1",
        "twin2",
        `uid=nameless,${PEOPLE}`,
      ].sort(),
    );
  }
});

test("of entries that have one name neither says who that is", async () => {
  const listed = await listedBy(open({ ...LISTS, userAttribute: "cn" }).listUsers!());
  strictEqual(listed.get("Twin"), "look up");
  deepStrictEqual(listed.get("Dora"), { user: "Dora", extra: {} });
});

test("no secret is asked for where all users are listed", async () => {
  const modes: Partial<LdapOptions> = {
    ...LISTS,
    mode: "stored",
    ntHashAttribute: "description",
    scramSha256Attribute: "carLicense",
    delegatesAttribute: "departmentNumber",
  };
  deepStrictEqual(accountAttributes(options(modes)), ["uid", "homeDirectory", "employeeNumber"]);
  ok((await listedBy(open(modes).listUsers!())).has("bob"));
});

test("users are not listed unless the settings say how, and never in the mode direct", () => {
  strictEqual(open().listUsers, undefined);
  strictEqual(open(DIRECT).listUsers, undefined);
  throws(() => open({ ...DIRECT, ...LISTS }), /iterate_filter/);
  throws(() => open({ iterateFilter: "(uid={user})" }), /iterate_filter has a variable/);
  throws(() => open({ iterateFilter: "(uid=*" }), /iterate_filter is none/);
});

test("a list that the server breaks off is an Error and no list", async () => {
  const short = await startSlapd({ ldif: LDIF, config: "sizelimit 5" });
  try {
    const there = options({ ...LISTS, urls: [short.url], bindPasswordFile: short.passwordFile });
    for (const pageEntries of [2, 1_000]) {
      const seen: string[] = [];
      const list = async () => {
        for await (const { user } of listEntries(there, { most: Infinity, pageEntries })) {
          seen.push(user);
        }
      };
      await rejects(list, /The users cannot be listed/);
      deepStrictEqual(seen, []);
    }
    // The first few are to be had.
    ok((await listedBy(listEntries(there, { most: 3 }))).size >= 3);
  } finally {
    await short.delete();
  }
});

test("while the server is down users cannot be listed; another one of the settings does it", async () => {
  const nobody = `ldap://127.0.0.1:${await freePort()}`;
  await rejects(listedBy(open({ ...LISTS, urls: [nobody] }).listUsers!()), /cannot be listed/);
  const listed = await listedBy(open({ ...LISTS, urls: [nobody, slapd.url] }).listUsers!());
  ok(listed.has("alice"));
});
