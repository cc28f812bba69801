/**
 * SCRAM exchanges with something done to them on the way: no exception, and nobody is let in but who knows
 * the password and whose messages arrived as they were sent.
 */

import { ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { scramSha256Mechanisms } from "../../src/auth/mechanisms/scram_sha_256.ts";
import type { SecureChannel } from "../../src/auth/secure_channel.ts";
import { makeScramKeys } from "../../src/auth/scram/derive_keys.ts";
import { ScramClient } from "../support/scram_client.ts";
import { scramDesk } from "../support/scram_desk.ts";
import { type Mutator, testMutated } from "./mutated_octets.ts";

/** One iteration: what is tried here is not the derivation, and tried often. */
const keys = await makeScramKeys(Buffer.from("pencil"), { iterations: 1 });

const EXPORTED = Buffer.alloc(32, 7);
const CHANNEL: SecureChannel = {
  serverCertificate: undefined,
  clientCertificate: undefined,
  exporter: () => EXPORTED,
};

interface Run {
  readonly password: string;
  /** Changes what the client sends. */
  readonly mutator: Mutator;
}

/** Whether the client got in, and whether what arrived is what it sent. */
async function run({ password, mutator }: Run) {
  const plus = mutator.below(2) === 0;
  const desk = scramDesk({ user: keys });
  const random = (octets: number) => Buffer.alloc(octets, 5);
  const mechanisms = scramSha256Mechanisms(desk, { channel: CHANNEL, random });
  const exchange = mechanisms[plus ? 0 : 1]!.start();
  const bound = plus ? { gs2Header: "p=tls-exporter,,", bound: EXPORTED } : {};
  const client = new ScramClient({ user: "user", password, mostIterations: 1, ...bound });
  let untouched = true;
  const arriving = (sent: Uint8Array) => {
    const arrived = mutator.perhaps(sent);
    untouched &&= Buffer.from(sent).equals(arrived);
    return arrived;
  };
  let step = await exchange.next(arriving(client.first()));
  if (step.kind === "challenge") step = await exchange.next(arriving(client.final(step.octets)));
  if (step.kind === "challenge") step = await exchange.next(arriving(new Uint8Array()));
  ok(step.kind !== "challenge", "an exchange has an end");
  const settled = desk.asked.filter((asked) => !asked.startsWith("secretsOf"));
  ok(settled.length <= 1, "the desk is asked to settle a login once at most");
  const granted = step.kind === "done" && step.outcome.kind === "granted";
  return { granted, untouched };
}

testMutated(
  "who knows the password gets in exactly if nothing was changed on the way",
  12_000,
  async (mutator) => {
    const { granted, untouched } = await run({ password: "pencil", mutator });
    strictEqual(granted, untouched);
  },
);

testMutated("who does not know the password does not get in", 12_000, async (mutator) => {
  const { granted } = await run({ password: "pencils", mutator });
  strictEqual(granted, false);
});
