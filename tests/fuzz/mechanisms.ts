/** Every mechanism, over desks with a few users and with nothing left to chance, so that a dialogue can be kept. */

import { Buffer } from "node:buffer";
import type { LoginDesk } from "../../src/auth/login.ts";
import type { Mechanism } from "../../src/auth/mechanism.ts";
import type { BearerOptions } from "../../src/auth/mechanisms/bearer_exchange.ts";
import { externalMechanism } from "../../src/auth/mechanisms/external.ts";
import { type GssapiContext, gssapiMechanism } from "../../src/auth/mechanisms/gssapi.ts";
import { ntlmMechanism } from "../../src/auth/mechanisms/ntlm.ts";
import { oauthbearerMechanism } from "../../src/auth/mechanisms/oauthbearer.ts";
import { plainMechanism } from "../../src/auth/mechanisms/plain.ts";
import { scramSha256Mechanisms } from "../../src/auth/mechanisms/scram_sha_256.ts";
import { xoauth2Mechanism } from "../../src/auth/mechanisms/xoauth2.ts";
import { makeScramKeys } from "../../src/auth/scram/derive_keys.ts";
import type { SecureChannel } from "../../src/auth/secure_channel.ts";
import { NTLM_OPTIONS, NtlmDesk } from "../support/ntlm_desk.ts";
import { scramDesk } from "../support/scram_desk.ts";
import { checkPassword } from "../support/session_client.ts";

const keys = await makeScramKeys(Buffer.from("pencil"), {
  salt: Buffer.alloc(16, 3),
  iterations: 1,
});

const granting = {
  admit: (user: string) => Promise.resolve({ kind: "granted", account: { user, extra: {} } }),
  refuse: () => Promise.resolve({ kind: "refused" }),
} as unknown as LoginDesk;

const bearer: BearerOptions = {
  desk: granting,
  checkToken: (token) =>
    Promise.resolve(
      token === "good"
        ? { kind: "valid", user: "alice" }
        : { kind: "invalid", fault: "invalid_token" },
    ),
  scope: "mail.pop",
  openidConfiguration: "https://login.example.com/.well-known/openid-configuration",
};

/** Stands at the first token, and protects nothing. */
const context: GssapiContext = {
  accept: () =>
    Promise.resolve({
      kind: "complete",
      token: Buffer.from("ok"),
      user: "alice",
      principal: "alice@EXAMPLE.ORG",
    }),
  wrap: (octets) => Promise.resolve(octets),
  unwrap: (octets) => Promise.resolve(octets),
  release() {},
  tell() {},
};

/** Those that a connection with this TLS, or without, could succeed by. */
export function fuzzMechanisms(channel: SecureChannel | undefined): readonly Mechanism[] {
  const random = (octets: number) => Buffer.alloc(octets, 5);
  return [
    plainMechanism(checkPassword),
    ...scramSha256Mechanisms(scramDesk({ alice: keys }), { channel, random }),
    ntlmMechanism(new NtlmDesk({ alice: "secret" }), NTLM_OPTIONS)!,
    gssapiMechanism(granting, { begin: () => context }),
    oauthbearerMechanism(bearer),
    xoauth2Mechanism(bearer),
    externalMechanism(granting, { names: ["alice"], validity: () => Promise.resolve("yes") }),
  ];
}
