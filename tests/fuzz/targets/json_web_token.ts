/**
 * Signed tokens and the claims in them: claims come out of what was signed alone, a user's name is a name,
 * and whatever else comes is refused with a reason that is fit for a log.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { checkClaims } from "../../../src/auth/oauth/claims.ts";
import { isObject } from "../../../src/auth/oauth/json_object.ts";
import { isJwt, readJwt } from "../../../src/auth/oauth/jwt.ts";
import { parseKeySet } from "../../../src/auth/oauth/key_set.ts";
import { readCorpus } from "../corpus.ts";
import { parseJson } from "../entries.ts";
import type { FuzzTarget } from "../target.ts";

const NOW_MS = 1_767_323_045_678;

/** A key for this alone, so that signatures are the same each time. */
const PRIVATE = createPrivateKey({
  key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, 7)]),
  format: "der",
  type: "pkcs8",
});
const PUBLIC = createPublicKey(PRIVATE).export({ format: "jwk" });
const keys = parseKeySet({ keys: [{ ...PUBLIC, kid: "one", alg: "EdDSA", use: "sig" }] });
const source = {
  current: () => Promise.resolve(keys),
  newerThan: () => Promise.resolve(undefined),
};
const RULES = { keys: source, requiredClaims: ["exp", "iss"], nowMs: () => NOW_MS };

/** The corpus has the claims; each is signed here. */
const SIGNED = readCorpus("json_web_token").inputs.map(({ octets }) => {
  const header = Buffer.from('{"alg":"EdDSA","kid":"one"}').toString("base64url");
  const signed = `${header}.${Buffer.from(octets).toString("base64url")}`;
  return `${signed}.${sign(null, Buffer.from(signed), PRIVATE).toString("base64url")}`;
});
const SIGNED_PARTS = new Set(SIGNED.map((token) => token.slice(0, token.lastIndexOf("."))));

const CLAIM_RULES = {
  issuer: "https://login.example.com",
  audience: ["popkeep"],
  scopes: ["mail.pop"],
};

export const jsonWebToken: FuzzTarget = {
  name: "json_web_token",
  seeds: SIGNED.map((token) => Buffer.from(token)),
  executions: 6_000,
  async attempt(input) {
    const claims = parseJson(input);
    if (isObject(claims)) checkAll(claims);
    const token = Buffer.from(input).toString("latin1");
    if (!isJwt(token)) return;
    const read = await readJwt(token, RULES);
    if ("claims" in read) {
      assert.ok(
        SIGNED_PARTS.has(token.slice(0, token.lastIndexOf("."))),
        "claims that nobody signed",
      );
      return checkAll(read.claims);
    }
    assert.match(read.reason, /^[ -~]{1,200}$/);
    assert.ok((read.found?.length ?? 0) <= 200);
  },
};

function checkAll(claims: Readonly<Record<string, unknown>>): void {
  for (const userClaim of ["email", "sub", "https://example.com/user", "ext.user", "constructor"]) {
    const verdict = checkClaims(claims, { ...CLAIM_RULES, userClaim }, NOW_MS);
    if ("fault" in verdict) {
      assert.match(verdict.reason, /^[ -~]{1,200}$/);
      assert.ok((verdict.found?.length ?? 0) <= 203);
      continue;
    }
    const { user, endsMs } = verdict;
    assert.ok(user !== "" && !/\p{Cc}/u.test(user.replace(/[\x80-\x9f]/g, "")), "no name");
    assert.ok(endsMs > NOW_MS - 31_000, "a token that has expired");
    assert.equal(claims["iss"] ?? CLAIM_RULES.issuer, CLAIM_RULES.issuer);
    assert.ok([claims["aud"]].flat().includes("popkeep"), "a token for somebody else");
  }
}
