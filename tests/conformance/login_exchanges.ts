/** Mechanisms over a desk that knows alice and her password "secret", and the clients that go with them. */

import { Buffer } from "node:buffer";
import type { LoginDesk } from "../../src/auth/login.ts";
import type { Mechanism } from "../../src/auth/mechanism.ts";
import { gssapiMechanism } from "../../src/auth/mechanisms/gssapi.ts";
import { ntlmMechanism } from "../../src/auth/mechanisms/ntlm.ts";
import { oauthbearerMechanism } from "../../src/auth/mechanisms/oauthbearer.ts";
import { scramSha256Mechanisms } from "../../src/auth/mechanisms/scram_sha_256.ts";
import {
  authenticateMessage,
  negotiateMessage,
  type NtlmCredentials,
} from "../support/ntlm_client.ts";
import { NtlmDesk } from "../support/ntlm_desk.ts";
import type { SessionClient } from "../support/session_client.ts";

export const base64 = (text: string) => Buffer.from(text, "latin1").toString("base64");

/** The text of a challenge line. */
export const fromBase64 = (line: string) => Buffer.from(line.slice(2), "base64").toString("latin1");

export function logInMechanisms() {
  const desk: LoginDesk = new NtlmDesk({ alice: "secret" });
  const random = (octets: number) => new Uint8Array(octets).fill(7);
  const names = { netbiosDomain: "D", netbiosComputer: "", dnsDomain: "", dnsComputer: "" };
  const ntlm = ntlmMechanism(desk, {
    names,
    extendedProtection: "none",
    channel: undefined,
    random,
    nowMs: () => 0,
  })!;
  // What a context protects is the octets themselves; a ticket is the word.
  const gssapi = gssapiMechanism(desk, {
    begin: () => ({
      accept: (token) =>
        Promise.resolve(
          Buffer.from(token).toString() === "ticket"
            ? { kind: "complete", token: new Uint8Array(), user: "alice", principal: "alice@D" }
            : { kind: "refused", user: "" },
        ),
      wrap: (octets) => Promise.resolve(octets),
      unwrap: (token) => Promise.resolve(token),
      release: () => {},
      tell: () => {},
    }),
  });
  const [scram] = scramSha256Mechanisms(desk, { channel: undefined, random });
  const bearer = oauthbearerMechanism({
    desk,
    checkToken: () => Promise.resolve({ kind: "invalid", fault: "invalid_token" }),
    scope: "",
    openidConfiguration: "",
  });
  return { ntlm, gssapi, scram: scram!, bearer } satisfies Record<string, Mechanism>;
}

/** What an NTLM client answers to the challenge on a line. */
export async function answerTo(line: string, credentials: NtlmCredentials): Promise<string> {
  const challenge = Buffer.from(line.slice(2), "base64");
  return (await authenticateMessage(credentials, negotiateMessage(), challenge)).toString("base64");
}

/** Logs alice in; whether that was granted. */
export async function logInBy(name: "NTLM" | "GSSAPI", client: SessionClient): Promise<boolean> {
  if (name === "GSSAPI") {
    await client.ask(`AUTH GSSAPI ${base64("ticket")}`);
    return (await client.ask(base64("\x01\0\0\0"))).line.startsWith("+OK");
  }
  await client.ask("AUTH NTLM");
  const { line } = await client.ask(negotiateMessage().toString("base64"));
  const answer = await answerTo(line, { user: "alice", password: "secret" });
  return (await client.ask(answer)).line.startsWith("+OK");
}
