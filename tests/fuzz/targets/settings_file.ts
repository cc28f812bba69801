/**
 * The settings file: settings or what is wrong, each fault on one printable line; and what `config show`
 * prints of settings reads back as the same.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { faultText, readSettings } from "../../../src/settings.ts";
import { settingsFile as settingsSchema } from "../../../src/settings/schema.ts";
import { settingsToml } from "../../../src/settings/effective_toml.ts";
import type { FuzzTarget } from "../target.ts";

const FILE = "/etc/popkeep/popkeep.toml";

export const settingsFile: FuzzTarget = {
  name: "settings_file",
  executions: 2_000,
  attempt(input) {
    const settings = readSettings(FILE, input, { checkFiles: false });
    if (Array.isArray(settings)) {
      assert.ok(settings.length > 0, "neither settings nor a fault");
      const lines = Buffer.from(input).toString("latin1").split("\n").length;
      for (const fault of settings) {
        const text = faultText(fault);
        assert.match(text, /^[^\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+$/u);
        assert.ok(fault.line === undefined || fault.line >= 1 && fault.line <= lines, text);
        const key = fault.key?.replace(/^.*\./, "") ?? "";
        const isSentAbove = fault.allowed.startsWith("this key above the first");
        assert.ok(!isSentAbove || Object.hasOwn(settingsSchema.shape, key), text);
        assert.ok(
          !/undefined|\[object|NaN/.test(text) || /undefined|object|nan/i.test(latin1(input)),
          text,
        );
      }
      return;
    }
    const shown = settingsToml(settings);
    const again = readSettings(FILE, Buffer.from(shown), { checkFiles: false });
    assert.deepEqual(again, settings);
  },
};

function latin1(input: Uint8Array): string {
  return Buffer.from(input).toString("latin1");
}
