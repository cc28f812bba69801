/** What is kept of failed logins over a restart: taken wholly or not at all, and written again as it was. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { COUNTS_NAMES, parseKeptFailures } from "../../../src/auth/guessing/kept_failures.ts";
import { parseJson } from "../entries.ts";
import type { FuzzTarget } from "../target.ts";

export const keptFailures: FuzzTarget = {
  name: "kept_failures",
  executions: 30_000,
  attempt(input) {
    const kept = parseKeptFailures(Buffer.from(input).toString("utf8"));
    if (kept === undefined) return;
    const said = parseJson(input) as Record<string, unknown>;
    for (const name of COUNTS_NAMES) {
      assert.deepEqual(kept.counts[name], said[name]);
      for (const [digest, count, untilMs] of kept.counts[name]) {
        assert.ok(
          typeof digest === "string" && Number.isInteger(count) && Number.isInteger(untilMs),
        );
      }
    }
    assert.deepEqual(kept.knownLogins, said["known_logins"]);
  },
};
