/**
 * NTLM: a message with a MIC is right as a whole, so nobody is let in but by exactly the messages of a client
 * that knows the password.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ntlmMechanism } from "../../../src/auth/mechanisms/ntlm.ts";
import { authenticateMessage, negotiateMessage } from "../../support/ntlm_client.ts";
import { NTLM_OPTIONS, NtlmDesk } from "../../support/ntlm_desk.ts";
import { runExchange } from "../exchange.ts";
import { inputOf, responsesOf } from "../responses.ts";
import type { FuzzTarget } from "../target.ts";

const PASSWORD = "SecREt01";
const desk = new NtlmDesk({ alice: PASSWORD, "alice@example.net": PASSWORD });
const mechanism = ntlmMechanism(desk, NTLM_OPTIONS)!;

/** The messages of a client; the server's part is the same each time. */
async function messages(password: string, domain: string, oem: boolean): Promise<Uint8Array> {
  const negotiate = negotiateMessage(oem);
  const challenge = await mechanism.start().next(negotiate);
  assert.ok(challenge.kind === "challenge");
  const credentials = { user: "alice", password, domain };
  const habits = { mic: true, oem };
  return inputOf(
    negotiate,
    await authenticateMessage(credentials, negotiate, challenge.octets, habits),
  );
}

const RIGHT = [
  await messages(PASSWORD, "EXAMPLE", false),
  await messages(PASSWORD, "", false),
  await messages(PASSWORD, "example.net", false),
  await messages(PASSWORD, "EXAMPLE", true),
];

export const saslNtlm: FuzzTarget = {
  name: "sasl_ntlm",
  seeds: [...RIGHT, await messages("wrong", "EXAMPLE", false)],
  executions: 10_000,
  async attempt(input) {
    desk.asked.length = 0;
    const { granted, taken } = await runExchange(mechanism, responsesOf(input));
    const said = inputOf(...taken);
    assert.ok(!granted || RIGHT.some((right) => Buffer.from(right).equals(said)), "NTLM let in");
    const settled = desk.asked.filter((asked) => !asked.startsWith("secretsOf"));
    assert.ok(settled.length <= 1, "a login is settled more than once");
  },
};
