/** EXTERNAL: who the certificate names is all that counts, whatever the client says. */

import assert from "node:assert/strict";
import { Buffer, isUtf8 } from "node:buffer";
import type { LoginDesk } from "../../../src/auth/login.ts";
import { externalMechanism } from "../../../src/auth/mechanisms/external.ts";
import { runExchange } from "../exchange.ts";
import { responsesOf } from "../responses.ts";
import type { FuzzTarget } from "../target.ts";

const NAMES = ["alice@example.com", "a.liddell@example.com"] as const;

const desk = {
  admit(user: string, actAs = "") {
    assert.ok(
      (NAMES as readonly string[]).includes(user),
      "somebody whom the certificate does not name",
    );
    assert.ok(!actAs.includes("\0"));
    return Promise.resolve(
      actAs === "" ? { kind: "granted", account: { user, extra: {} } } : { kind: "refused" },
    );
  },
} as unknown as LoginDesk;

const mechanism = externalMechanism(desk, { names: NAMES, validity: () => Promise.resolve("yes") });

export const saslExternal: FuzzTarget = {
  name: "sasl_external",
  executions: 30_000,
  async attempt(input) {
    const { granted, steps, taken } = await runExchange(mechanism, responsesOf(input));
    const [response] = taken;
    if (response === undefined) return assert.equal(granted, false);
    const said = Buffer.from(response).toString("utf8");
    const isName = isUtf8(Buffer.from(response)) && !said.includes("\0") && response.length <= 320;
    assert.equal(steps.at(-1)?.kind, isName ? "done" : "malformed");
    assert.equal(granted, isName && (said === "" || (NAMES as readonly string[]).includes(said)));
  },
};
