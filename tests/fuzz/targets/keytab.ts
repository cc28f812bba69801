/** Keytabs: read or refused, and nothing is read that is not there. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readKeytab, realmsOf } from "../../../src/auth/gssapi/keytab.ts";
import type { FuzzTarget } from "../target.ts";

export const keytab: FuzzTarget = {
  name: "keytab",
  executions: 60_000,
  attempt(input) {
    const principals = readKeytab(input);
    if (principals === undefined) return;
    assert.equal(Buffer.from(input).readUInt16BE(0), 0x0502);
    let octets = 0;
    for (const { realm, components } of principals) {
      // What is no UTF-8 becomes U+FFFD, of three octets for one.
      octets += Buffer.byteLength(realm + components.join(""));
    }
    assert.ok(octets <= 3 * input.length, "more is read than there is");
    assert.equal(new Set(realmsOf(principals, "pop")).size, realmsOf(principals, "pop").length);
  },
};
