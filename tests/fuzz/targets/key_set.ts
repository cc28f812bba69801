/**
 * Key sets, as an authorization server hands them out: keys, or a fault; and whatever the keys are, a token
 * that none of them signed brings no claims.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { parseObject, Unusable } from "../../../src/auth/oauth/json_object.ts";
import { readJwt } from "../../../src/auth/oauth/jwt.ts";
import { parseKeySet } from "../../../src/auth/oauth/key_set.ts";
import { countUsableKeys } from "../../../src/auth/oauth/usable_keys.ts";
import type { FuzzTarget } from "../target.ts";

/** Signed by nobody; one for each kind of key, with and without a key's name. */
const TOKENS = ["RS256", "PS256", "ES256", "ES512", "EdDSA", "HS256", "none"].flatMap((alg) =>
  [{ alg }, { alg, kid: "one" }].map((header) => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { iss: "https://login.example.com", exp: 4_000_000_000, sub: "alice" };
    return `${part(header)}.${part(claims)}.${Buffer.alloc(64, 1).toString("base64url")}`;
  })
);

export const keySet: FuzzTarget = {
  name: "key_set",
  executions: 1_500,
  async attempt(input) {
    let object;
    try {
      object = parseObject(input);
    } catch (error) {
      return assert.ok(error instanceof Unusable);
    }
    const usable = await countUsableKeys(object);
    let keys: ReturnType<typeof parseKeySet>;
    try {
      keys = parseKeySet(object);
    } catch (error) {
      assert.equal((error as Error).message, "it is no JSON Web Key Set with keys in it");
      return assert.equal(usable, 0);
    }
    const source = {
      current: () => Promise.resolve(keys),
      newerThan: () => Promise.resolve(undefined),
    };
    for (const token of TOKENS) {
      const read = await readJwt(token, { keys: source, requiredClaims: ["exp"], nowMs: Date.now });
      assert.ok("reason" in read, "claims that nobody signed");
    }
  },
};
