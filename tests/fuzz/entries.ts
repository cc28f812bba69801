/** What must be true of an entry of an account directory, wherever it comes from. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ReadEntry } from "../../src/auth/entry_fields.ts";
import { readStoredPassword } from "../../src/auth/stored_password.ts";
import { faultOfUserName } from "../../src/auth/user_name.ts";

export function checkEntry({ entry, faulty }: ReadEntry): void {
  const { account, allowedNetworks, secrets, storedPassword } = entry;
  if (faulty) {
    assert.ok(entry.disabled, "an entry that cannot be understood lets somebody in");
    return assert.ok(secrets === undefined && "reason" in readStoredPassword(storedPassword));
  }
  assert.equal(faultOfUserName(account.user), undefined);
  assert.ok(account.home === undefined || account.home.startsWith("/"));
  assert.notEqual(allowedNetworks?.("192.0.2.1"), null);
  assert.ok(secrets?.ntHash === undefined || secrets.ntHash.length === 16);
  assert.ok(secrets?.scramSha256 === undefined || secrets.scramSha256.serverKey.length === 32);
  for (const text of Object.values(account.extra)) assert.equal(typeof text, "string");
  const read = readStoredPassword(storedPassword);
  assert.ok("reason" in read || typeof read.costClass === "string");
}

/** Undefined for what is no JSON. */
export function parseJson(input: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(input).toString("utf8"));
  } catch {
    return undefined;
  }
}
