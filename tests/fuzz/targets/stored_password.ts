/**
 * Password fields of a directory: each is a hash that can be checked or says why it is none, and none is
 * matched by a password that it was not made of.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  isHashFault,
  isLocked,
  readStoredPassword,
  schemeOf,
} from "../../../src/auth/stored_password.ts";
import { ALL_WEAK_SCHEMES } from "../../../src/auth/stored_password.ts";
import { readOwnFields, secretsInPassword } from "../../../src/auth/user_file/passwd_secrets.ts";
import type { FuzzTarget } from "../target.ts";

/** No seed is made of it. */
const NOBODYS = Buffer.from("nobody's password 5dd41c");

const KINDS = ["locked", "unsupported", "malformed", "too-costly"];

export const storedPassword: FuzzTarget = {
  name: "stored_password",
  executions: 15_000,
  maxOctets: 512,
  async attempt(input) {
    const stored = Buffer.from(input).toString("utf8");
    for (const weak of [undefined, ALL_WEAK_SCHEMES]) {
      const read = readStoredPassword(stored, weak);
      if (isHashFault(read)) {
        assert.ok(KINDS.includes(read.kind) && /^[ -~]{1,200}$/.test(read.reason));
        continue;
      }
      assert.match(read.costClass, /^[a-z0-9 -]+2\^[0-9]+$/i);
      assert.ok(schemeOf(stored) !== undefined && !isLocked(stored));
      if (read.isQuick) assert.equal(await read.matches(NOBODYS), false);
      else assert.equal(typeof read.matches, "function");
    }
    const { ntHash, scramSha256 } = secretsInPassword(stored);
    assert.ok(ntHash === undefined || ntHash.length === 16);
    assert.ok(scramSha256 === undefined || scramSha256.storedKey.length === 32);
    const own = readOwnFields(new Map([["popkeep_scram_sha_256", stored], [stored, stored]]), "");
    for (const warning of own.warnings ?? []) assert.match(warning, /^[^\p{Cc}]*$/u);
  },
};
