/** PLAIN: who is let in named themselves and knows the password, read in the plainest way. */

import assert from "node:assert/strict";
import { Buffer, isUtf8 } from "node:buffer";
import { plainMechanism } from "../../../src/auth/mechanisms/plain.ts";
import { checkPassword } from "../../support/session_client.ts";
import { runExchange } from "../exchange.ts";
import { responsesOf } from "../responses.ts";
import type { FuzzTarget } from "../target.ts";

const mechanism = plainMechanism(checkPassword);

export const saslPlain: FuzzTarget = {
  name: "sasl_plain",
  executions: 30_000,
  async attempt(input) {
    const { granted, steps, taken } = await runExchange(mechanism, responsesOf(input));
    const [response] = taken;
    if (response === undefined) return assert.equal(granted, false);
    const parts = Buffer.from(response).toString("latin1").split("\0");
    const [authzid = "", user = "", password = ""] = parts;
    const isWellFormed = parts.length === 3 && user !== "" && password !== "" &&
      parts.every((part) => isUtf8(Buffer.from(part, "latin1"))) && response.length <= 1_666;
    const isRight = (user === "alice" || user === "bob") && password === "secret";
    assert.equal(granted, isWellFormed && isRight && (authzid === "" || authzid === user));
    assert.equal(steps.at(-1)?.kind, isWellFormed ? "done" : "malformed");
  },
};
