/** The settings about quotas, and the tables that differ for some users. */

import { deepStrictEqual, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { readSettings, type Settings } from "../../../src/settings.ts";
import { settingsToml } from "../../../src/settings/effective_toml.ts";

function read(toml: string) {
  const text = Buffer.from(`ssl_bindings = []\n${toml}`);
  return readSettings("/etc/popkeep/popkeep.toml", text, { checkFiles: false });
}

function good(toml: string): Settings {
  const settings = read(toml);
  ok(!Array.isArray(settings), JSON.stringify(settings));
  return settings;
}

/** Line, key and what was found; lines count from `toml`. */
function faultsOf(toml: string): string[] {
  const faults = read(toml);
  ok(Array.isArray(faults), `refused: ${toml}`);
  return faults.map(({ line, key, found }) => `${(line ?? NaN) - 1} ${key}: ${found}`);
}

test("tables of quotas hold what differs, in the order of the file", () => {
  const settings = good(`quota_storage_size = "1GiB"
quota_warning_percentages = [95, 80, 95]
quota_warning_file = "warning.txt"
[[quotas]]
users = ["alice@example.com"]
quota_storage_size = 0
quota_warning_percentages = []
[[quotas]]
domains = ["example.com"]
quota_message_count = 1000
quota_exceeded = "defer"
`);
  deepStrictEqual(settings.quotaStorageOctets, 1_073_741_824);
  deepStrictEqual(settings.quotaWarningPercentages, [80, 95]);
  deepStrictEqual(settings.quotaWarningFile, "/etc/popkeep/warning.txt");
  deepStrictEqual(settings.quotas, [
    {
      users: ["alice@example.com"],
      domains: [],
      storageOctets: 0,
      messageCount: undefined,
      exceeded: undefined,
      warningPercentages: [],
    },
    {
      users: [],
      domains: ["example.com"],
      storageOctets: undefined,
      messageCount: 1_000,
      exceeded: "defer",
      warningPercentages: undefined,
    },
  ]);
  const again = settingsToml(settings).replace(/^ssl_bindings = .*$/m, "");
  deepStrictEqual(good(again), settings);
});

test("faults of quotas are told with their lines", () => {
  deepStrictEqual(faultsOf("quota_storage_size = -1"), ["1 quota_storage_size: -1"]);
  deepStrictEqual(faultsOf("quota_warning_percentages = [101]"), [
    "1 quota_warning_percentages[0]: 101",
  ]);
  deepStrictEqual(faultsOf('quota_exceeded = "bounce"'), ['1 quota_exceeded: "bounce"']);
  deepStrictEqual(faultsOf("[[quotas]]\nquota_storage_size = 5"), [
    "1 quotas[0]: a table without users and without domains",
  ]);
  deepStrictEqual(faultsOf('[[quotas]]\nusers = ["alice"]\nquota_size = 5'), [
    "3 quotas[0].quota_size: an unknown key",
  ]);
  deepStrictEqual(faultsOf('[[quotas]]\nusers = ["alice"]\nbanner = "x"'), [
    "3 quotas[0].banner: a key of the settings file in a quota's table",
  ]);
  deepStrictEqual(faultsOf('[[quotas]]\nusers = ["alice"]\nquota_message_count = "5"'), [
    '3 quotas[0].quota_message_count: "5"',
  ]);
});
