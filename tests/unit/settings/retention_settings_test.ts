import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { type Fault, faultText, loadSettings, type Settings } from "../../../src/settings.ts";
import { settingsToml } from "../../../src/settings/effective_toml.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-retention-settings-`);

after(() => rmSync(folder, { recursive: true, force: true }));

function load(text: string): Settings | Fault[] {
  writeFileSync(
    `${folder}/popkeep.toml`,
    `unencrypted_or_tls_bindings = ["127.0.0.1:110"]\nssl_bindings = []\n${text}`,
  );
  return loadSettings(`${folder}/popkeep.toml`, { checkFiles: false });
}

function good(text: string): Settings {
  const settings = load(text);
  ok(!Array.isArray(settings), JSON.stringify(settings));
  return settings;
}

const DAY_MS = 86_400_000;

test("nothing goes by its age and nothing is kept unless the settings say so", () => {
  const { retentionReadMs, retentionUnreadMs, deletedItemRetentionMs, retentions } = good("");
  deepStrictEqual([retentionReadMs, retentionUnreadMs, deletedItemRetentionMs], [0, 0, 0]);
  deepStrictEqual(retentions, []);
});

test("ages are days, or never; what is below a day was meant otherwise", () => {
  const read = (value: string) => load(`retention_read = ${value}`);
  const ageOf = (value: string) => (read(value) as Settings).retentionReadMs;
  strictEqual(ageOf('"7d"'), 7 * DAY_MS);
  strictEqual(ageOf('"0"'), 0);
  strictEqual(ageOf('"36h"'), 1.5 * DAY_MS);
  for (const value of ['"7m"', '"23h"', "7", '"7 days"', '"-1d"', '"99999d"']) {
    const faults = read(value);
    ok(Array.isArray(faults), value);
    match(faultText(faults[0]!), /retention_read.*"1d" to/);
  }
});

test("the time of the daily pass is a time of day, or never", () => {
  for (const value of ["", "00:00", "23:59"]) {
    strictEqual(good(`retention_time = "${value}"`).retentionTime, value);
  }
  for (const value of ["24:00", "3:00", "03:60", "noon"]) {
    ok(Array.isArray(load(`retention_time = "${value}"`)), value);
  }
});

test("tables say something else for users, domains and folders, and read back as they are written", () => {
  const settings = good(`
[[retentions]]
folders = ["Trash"]
retention_read = "30d"

[[retentions]]
users = ["alice@example.com"]
retention_read = "0"
retention_unread = "90d"
`);
  deepStrictEqual(settings.retentions, [
    { users: [], domains: [], folders: ["Trash"], readMs: 30 * DAY_MS, unreadMs: undefined },
    {
      users: ["alice@example.com"],
      domains: [],
      folders: [],
      readMs: 0,
      unreadMs: 90 * DAY_MS,
    },
  ]);
  writeFileSync(`${folder}/again.toml`, settingsToml(settings));
  const again = loadSettings(`${folder}/again.toml`, { checkFiles: false }) as Settings;
  deepStrictEqual(again.retentions, settings.retentions);
});

test("a table that says no age is a fault", () => {
  const faults = load('[[retentions]]\nfolders = ["Trash"]\n');
  ok(Array.isArray(faults));
  match(faultText(faults[0]!), /retentions.*without retention_read/s);
});
