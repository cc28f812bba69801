/** What is written about the settings is what they are: docs/settings.md, the file that `init` writes. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { MAKEABLE_SCHEMES } from "../../../src/auth/stored_password.ts";
import { LOCATION_VARIABLES } from "../../../src/maildir/location.ts";
import { readSettings, type Settings } from "../../../src/settings.ts";
import { commentedSettings } from "../../../src/settings/commented_file.ts";
import { directoryTables } from "../../../src/settings/directory_tables.ts";
import { fileValues, settingsToml } from "../../../src/settings/effective_toml.ts";
import { policyKeys, policyTables, policyTexts } from "../../../src/settings/policy_tables.ts";
import { documentedKeys, settingsReference } from "../../../src/settings/reference.ts";
import { certificateKeys, settingsFile } from "../../../src/settings/schema.ts";

const FILE = "/etc/popkeep/popkeep.toml";

function read(toml: string): Settings {
  const settings = readSettings(FILE, Buffer.from(toml, "utf8"), { checkFiles: false });
  ok(!Array.isArray(settings), JSON.stringify(settings));
  return settings;
}

test("docs/settings.md is what `popkeep config reference` prints", () => {
  const page = readFileSync(new URL("../../../docs/settings.md", import.meta.url), "utf8");
  ok(page === settingsReference(), "docs/settings.md is not current; run: make docs");
});

test("every key is documented, in a sentence", () => {
  const shapes = Object.values(policyKeys) as (typeof certificateKeys)[];
  for (const shape of [settingsFile.shape, certificateKeys, ...shapes]) {
    const documented = documentedKeys(shape);
    deepStrictEqual(documented.map(({ key }) => key), Object.keys(shape));
    for (const { key, doc } of documented) ok(/^[A-Za-z"].*\.$/.test(doc.about), key);
  }
});

test("every default that is documented is the default", () => {
  const defaults = fileValues(read("ssl_bindings = []\n"));
  for (const { key, doc } of documentedKeys(settingsFile.shape)) {
    if (doc.default === undefined || doc.default.startsWith("(")) continue;
    const toml = key === "ssl_bindings" ? "" : "ssl_bindings = []\n";
    const set = readSettings(
      FILE,
      Buffer.from(`${toml}${key} = ${doc.default}
[[certificates]]
certificate_file = "c"
key_file = "k"`),
      { checkFiles: false },
    );
    ok(!Array.isArray(set), JSON.stringify(set));
    if (key === "ssl_bindings") continue;
    deepStrictEqual(
      fileValues(set)[key as keyof typeof defaults],
      defaults[key as keyof typeof defaults],
      key,
    );
  }
});

test("the file that init writes means the defaults but for what was set", () => {
  const certificate = { certificate_file: "c.pem", key_file: "k.pem" };
  const plain = `maildir = "mail/{user}"
[[certificates]]
certificate_file = "c.pem"
key_file = "k.pem"
`;
  const written = commentedSettings({ values: { maildir: "mail/{user}" }, certificate });
  deepStrictEqual(read(written), read(plain));
});

test("every key that init comments out can be uncommented as it stands", () => {
  const certificate = { certificate_file: "c.pem", key_file: "k.pem" };
  const written = commentedSettings({
    values: { server_name: "mail.example.com", maildir: "{home}/Maildir" },
    certificate,
  });
  const uncommented = written.replace(/^#([a-z0-9_]+ = )/gm, "$1");
  const keys = uncommented.match(/^[a-z0-9_]+(?= = )/gm) ?? [];
  const tables = ["certificates", "directories", ...Object.keys(policyTables)];
  strictEqual(keys.length, Object.keys(settingsFile.shape).length - tables.length + 2);
  deepStrictEqual(read(uncommented), read(written));
});

test("the file that init writes has a directory of each kind in comments", () => {
  const certificate = { certificate_file: "c.pem", key_file: "k.pem" };
  const written = commentedSettings({ values: {}, certificate });
  for (const kind of Object.keys(directoryTables)) {
    const others = new RegExp(`^# kind = "(?!${kind}").*\\n`, "gm");
    const chosen = written.replace(others, "").replace(/^# (?=\[\[directories|kind = )/gm, "");
    const settings = readSettings(FILE, Buffer.from(chosen), { checkFiles: false });
    // Some kinds have keys that must be given; those are all that is wanting.
    const faults = Array.isArray(settings) ? settings.map(({ found }) => found) : [];
    ok(faults.every((found) => found === "nothing"), `${kind}: ${faults.join()}`);
    if (!Array.isArray(settings)) strictEqual(settings.directories[0]?.kind, kind);
  }
});

test("the examples of tables for some users are such", () => {
  for (const [name, { example }] of Object.entries(policyTexts)) {
    const toml = example.replaceAll(/^```.*$/gm, "");
    const settings = read(`ssl_bindings = []\n${toml}`);
    ok(settings[name as keyof typeof policyTables].length > 0, name);
    deepStrictEqual(read(settingsToml(settings)), settings);
  }
});

test("the settings in force, written as a file, mean the same", () => {
  const text = fc.stringMatching(/^[ -;=?-Z\\-~][ -;=?-~]{0,79}$/);
  const whole = fc.integer({ min: 1, max: 1_000 });
  fc.assert(fc.property(text, whole, whole, fc.boolean(), (banner, count, seconds, flag) => {
    const settings = read(`banner = ${JSON.stringify(banner)}
max_connections = ${count}
tls_handshake_timeout = "${seconds % 120 + 1}s"
protocol_log = ${flag}
max_command_size = "${count % 900 + 40}"
user_file = "users"
ssl_bindings = ["[::1]:${count}"]
[[certificates]]
certificate_file = "a b.pem"
key_file = "k.pem"
`);
    deepStrictEqual(read(settingsToml(settings)), settings);
  }));
});

test("password schemes and Maildir variables are those of the rooms that know them", () => {
  const docs = new Map(documentedKeys(settingsFile.shape).map(({ key, doc }) => [key, doc]));
  deepStrictEqual(docs.get("password_scheme")?.choices, MAKEABLE_SCHEMES);
  for (const variable of LOCATION_VARIABLES) {
    ok(docs.get("maildir")?.about.includes(`{${variable}}`), variable);
  }
});
