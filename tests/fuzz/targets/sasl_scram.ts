/**
 * SCRAM-SHA-256, with and without channel binding: the proof is over all that was said, so nobody is let in
 * but by exactly the messages of a client that knows the password.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { scramSha256Mechanisms } from "../../../src/auth/mechanisms/scram_sha_256.ts";
import type { SecureChannel } from "../../../src/auth/secure_channel.ts";
import { makeScramKeys } from "../../../src/auth/scram/derive_keys.ts";
import { ScramClient } from "../../support/scram_client.ts";
import { scramDesk } from "../../support/scram_desk.ts";
import { runExchange } from "../exchange.ts";
import { inputOf, responsesOf } from "../responses.ts";
import type { FuzzTarget } from "../target.ts";

/** One iteration: what is tried here is not the derivation, and tried often. */
const keys = await makeScramKeys(Buffer.from("pencil"), {
  salt: Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"),
  iterations: 1,
});
const EXPORTED = Buffer.alloc(32, 7);
const CHANNEL: SecureChannel = {
  serverCertificate: undefined,
  clientCertificate: undefined,
  exporter: () => EXPORTED,
};

function mechanisms() {
  const desk = scramDesk({ user: keys, "a,b=c": keys });
  const random = (octets: number) => Buffer.alloc(octets, 5);
  return { desk, all: scramSha256Mechanisms(desk, { channel: CHANNEL, random }) };
}

/** What a client says that knows the password; the server's part is the same each time. */
async function rightMessages(plus: boolean, user = "user"): Promise<Uint8Array> {
  const bound = plus ? { gs2Header: "p=tls-exporter,,", bound: EXPORTED } : {};
  const client = new ScramClient({ user, password: "pencil", ...bound });
  const exchange = mechanisms().all[plus ? 0 : 1]!.start();
  const step = await exchange.next(client.first());
  assert.ok(step.kind === "challenge");
  return inputOf(client.first(), client.final(step.octets), "");
}

const RIGHT = [
  await rightMessages(false),
  await rightMessages(true),
  await rightMessages(false, "a,b=c"),
];

export const saslScram: FuzzTarget = {
  name: "sasl_scram",
  seeds: RIGHT,
  executions: 15_000,
  async attempt(input) {
    for (const [index, mechanism] of mechanisms().all.entries()) {
      const { desk, all } = mechanisms();
      const { granted, provedBeforeItLeft, taken } = await runExchange(
        all[index]!,
        responsesOf(input),
      );
      const settled = desk.asked.filter((asked) => !asked.startsWith("secretsOf"));
      assert.ok(settled.length <= 1, "a login is settled more than once");
      // The last of the three says nothing more than that the client has heard.
      const proof = inputOf(...taken.slice(0, 2), "");
      const isRight = RIGHT.some((right) => Buffer.from(right).equals(proof));
      assert.ok(!provedBeforeItLeft || isRight, `${mechanism.name} took a wrong proof`);
      assert.ok(!granted || isRight && taken[2]?.length === 0, `${mechanism.name} let somebody in`);
    }
  },
};
