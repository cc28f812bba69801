/**
 * Whole logins as a client sends them, by the mechanisms whose messages have to be computed. Against the desks
 * of mechanisms.ts they are the same each time.
 */

import { Buffer } from "node:buffer";
import type { Mechanism } from "../../src/auth/mechanism.ts";
import { authenticateMessage, negotiateMessage } from "../support/ntlm_client.ts";
import { ScramClient } from "../support/scram_client.ts";
import { fuzzMechanisms } from "./mechanisms.ts";

/** What follows a login. */
const BEHIND = "STAT\r\nDELE 1\r\nRETR 2\r\nQUIT\r\n";

export async function loginDialogues(): Promise<Uint8Array[]> {
  return [await scram(), await ntlm()];
}

async function scram(): Promise<Uint8Array> {
  const client = new ScramClient({ user: "alice", password: "pencil" });
  const challenge = await answerTo("SCRAM-SHA-256", client.first());
  return dialogue("SCRAM-SHA-256", [client.first(), client.final(challenge), new Uint8Array()]);
}

async function ntlm(): Promise<Uint8Array> {
  const negotiate = negotiateMessage();
  const challenge = await answerTo("NTLM", negotiate);
  const credentials = { user: "alice", password: "secret", domain: "EXAMPLE" };
  return dialogue("NTLM", [
    negotiate,
    await authenticateMessage(credentials, negotiate, challenge, { mic: true }),
  ]);
}

async function answerTo(name: string, response: Uint8Array): Promise<Uint8Array> {
  const mechanism = fuzzMechanisms(undefined).find((one: Mechanism) => one.name === name);
  const step = await mechanism!.start().next(response);
  if (step.kind !== "challenge") throw new Error(`${name} answered by ${step.kind}`);
  return step.octets;
}

function dialogue(name: string, [first, ...responses]: readonly Uint8Array[]): Uint8Array {
  const base64 = (octets: Uint8Array | undefined) => Buffer.from(octets ?? []).toString("base64");
  const lines = [`AUTH ${name} ${base64(first)}`, ...responses.map(base64), BEHIND];
  return Buffer.from(lines.join("\r\n"), "latin1");
}
