/** What is said where a list is wanted and one value stands without its brackets, and the like. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { type Fault, readSettings } from "../../../src/settings.ts";
import { settingDocs } from "../../../src/settings/kinds.ts";
import { directoryTables } from "../../../src/settings/directory_tables.ts";
import { settingsFile } from "../../../src/settings/schema.ts";

function faultsOf(toml: string): Fault[] {
  const octets = Buffer.from(`ssl_bindings = []\n${toml}`, "utf8");
  const settings = readSettings("/etc/popkeep/popkeep.toml", octets, { checkFiles: false });
  ok(Array.isArray(settings), `taken: ${toml}`);
  return settings;
}

test("one value where a list is wanted is told as such, with what was meant", () => {
  const meant: [key: string, value: string][] = [
    ["gssapi_realms", "EXAMPLE.COM"],
    ["mechanisms", "PLAIN"],
    ["never_blocked_addresses", "127.0.0.1"],
    ["proxy_addresses", "127.0.0.1"],
    ["master_users", "admin"],
    ["oauth_scopes", "mail.pop"],
    ["oauth_audience", "popkeep"],
    ["weak_password_schemes", "SSHA"],
    ["client_certificate_revocation_lists", "list.pem"],
    ["unencrypted_or_tls_bindings", "127.0.0.1:110"],
  ];
  for (const [key, value] of meant) {
    const [fault, ...more] = faultsOf(`${key} = "${value}"`);
    deepStrictEqual(more, [], key);
    ok(fault?.allowed.startsWith("a list in [ ] of "), `${key}: ${fault?.allowed}`);
    strictEqual(fault?.nearest, `["${value}"]`, key);
  }
});

test("a misspelt word where a list is wanted is told with the right one in a list", () => {
  strictEqual(faultsOf('mechanisms = "plian"')[0]?.nearest, '["PLAIN"]');
  strictEqual(faultsOf('mechanisms = ["plian"]')[0]?.nearest, '"PLAIN"');
  strictEqual(faultsOf('gssapi_realms = "no realm"')[0]?.nearest, undefined);
});

test("a bad item is told what an item may be, and not what the list may", () => {
  const [fault] = faultsOf('gssapi_realms = ["EXAMPLE.COM", "a b"]');
  strictEqual(fault?.key, "gssapi_realms[1]");
  strictEqual(fault.allowed, "realms");
});

test("the example that a list's documentation has is taken", () => {
  const tables = Object.values(directoryTables).map(({ shape }) => shape);
  let lists = 0;
  for (const shape of [settingsFile.shape, ...tables]) {
    for (const [key, schema] of Object.entries(shape)) {
      const { allowed = "", allowedItem } = settingDocs.get(schema) ?? {};
      if (allowedItem === undefined) continue;
      lists++;
      const example = /such as (\[.*?["0-9]\])/.exec(allowed)?.[1] ?? "";
      ok(schema.safeParse(JSON.parse(example, asToml)).success, `${key}: ${example}`);
    }
  }
  ok(lists > 8);
});

/** Whole numbers in TOML are bigints. */
function asToml(_: string, value: unknown): unknown {
  return typeof value === "number" ? BigInt(value) : value;
}

test("networks that cannot be are refused where they stand", () => {
  for (const bad of ["10.0.0.0/33", "127.1", "::1/129", "fe80::1%eth0", "1.2.3.4/", "", "local"]) {
    const [fault] = faultsOf(`never_blocked_addresses = ["::1", "${bad}"]`);
    strictEqual(fault?.key, "never_blocked_addresses[1]", bad);
    strictEqual(fault.line, 2);
  }
  const good = 'never_blocked_addresses = ["10.0.0.0/32", "::1/128", "0.0.0.0/0", "2001:db8::/32"]';
  const octets = Buffer.from(`ssl_bindings = []\n${good}`, "utf8");
  ok(!Array.isArray(readSettings("/p.toml", octets, { checkFiles: false })));
});

test("a value that breaks two rules of its key is one fault", () => {
  const faults = faultsOf('[[directories]]\nkind = "ldap"\nurls = "ldap://a"\n');
  deepStrictEqual(faults.map(({ key, nearest }) => [key, nearest]), [
    ["directories[0].urls", '["ldap://a"]'],
  ]);
});

test("a misspelt kind of a directory is named with its line", () => {
  const faults = faultsOf('[[directories]]\nknd = "sql"\n');
  deepStrictEqual(faults.map(({ line, key, found, nearest }) => [line, key, found, nearest]), [
    [3, "directories[0].knd", "an unknown key", "kind"],
  ]);
  deepStrictEqual(
    faultsOf('[[directories]]\nfile = "x"\n').map(({ key, found }) => [key, found]),
    [["directories[0].kind", "nothing"]],
  );
});
