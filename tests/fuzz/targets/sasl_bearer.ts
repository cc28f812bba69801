/** XOAUTH2 and OAUTHBEARER: nobody is let in without the token, and names are names. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { LoginDesk } from "../../../src/auth/login.ts";
import type { BearerOptions } from "../../../src/auth/mechanisms/bearer_exchange.ts";
import { oauthbearerMechanism } from "../../../src/auth/mechanisms/oauthbearer.ts";
import { xoauth2Mechanism } from "../../../src/auth/mechanisms/xoauth2.ts";
import { RESPONSE_LINE_OCTETS } from "../../../src/limits.ts";
import { runExchange } from "../exchange.ts";
import { responsesOf } from "../responses.ts";
import type { FuzzTarget } from "../target.ts";

const USER = "alice@example.com";

const desk = {
  admit(user: string, actAs?: string) {
    assert.equal(user, USER);
    // deno-lint-ignore no-control-regex -- what no name has
    assert.ok(!/[\x00-\x1f\x7f]/.test(actAs ?? ""), "a name with control characters");
    return Promise.resolve(
      actAs === undefined ? { kind: "granted", account: { user, extra: {} } } : { kind: "refused" },
    );
  },
  refuse: () => Promise.resolve({ kind: "refused" }),
} as unknown as LoginDesk;

const options: BearerOptions = {
  desk,
  checkToken(token) {
    assert.ok(token === undefined || /^[A-Za-z0-9._~+/-]{1,8192}=*$/.test(token), "no token");
    return Promise.resolve(
      token === "good"
        ? { kind: "valid", user: USER }
        : { kind: "invalid", fault: "invalid_token" },
    );
  },
  scope: "mail.pop",
  openidConfiguration: "https://login.example.com/.well-known/openid-configuration",
};

const MECHANISMS = [xoauth2Mechanism(options), oauthbearerMechanism(options)];

export const saslBearer: FuzzTarget = {
  name: "sasl_bearer",
  executions: 20_000,
  maxOctets: 16_384,
  async attempt(input) {
    for (const mechanism of MECHANISMS) {
      const { granted, steps, taken } = await runExchange(mechanism, responsesOf(input));
      const [response = new Uint8Array()] = taken;
      const pairs = Buffer.from(response).toString("latin1").split("\x01");
      const hasToken = pairs.some((pair) => /^auth=bearer +good$/i.test(pair));
      assert.ok(!granted || hasToken, `${mechanism.name} let somebody in`);
      for (const step of steps) {
        if (step.kind !== "challenge" || step.octets.length === 0) continue;
        assert.ok(step.octets.length * 4 / 3 + 4 <= RESPONSE_LINE_OCTETS);
        JSON.parse(Buffer.from(step.octets).toString("utf8"));
      }
    }
  },
};
