/** A login desk over a few users with NT hashes, which writes down what it was asked; and one exchange. */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { LoginDesk, LoginOutcome } from "../../src/auth/login.ts";
import type { Mechanism, Step } from "../../src/auth/mechanism.ts";
import { ntlmMechanism, type NtlmOptions } from "../../src/auth/mechanisms/ntlm.ts";
import { ntHash } from "../../src/auth/ntlm/nt_hash.ts";
import {
  authenticateMessage,
  type ClientHabits,
  negotiateMessage,
  type NtlmCredentials,
} from "./ntlm_client.ts";

export class NtlmDesk implements LoginDesk {
  /** "secretsOf alice", "admit alice", "refuse alice", in their order. */
  readonly asked: string[] = [];
  readonly #hashes: ReadonlyMap<string, Uint8Array | undefined>;
  /** What the desk says of every user instead of secrets. */
  trouble: "unavailable" | "delayed" | undefined;

  /** Passwords by user; a user whose password is undefined has no NT hash. */
  constructor(users: Readonly<Record<string, string | undefined>>) {
    this.#hashes = new Map(
      Object.entries(users).map(([user, password]) => [
        user,
        password === undefined ? undefined : ntHash(password),
      ]),
    );
  }

  checkPassword(): Promise<LoginOutcome> {
    throw new Error("NTLM has no password to check");
  }

  secretsOf(user: string) {
    this.asked.push(`secretsOf ${user}`);
    if (this.trouble !== undefined) return Promise.resolve({ kind: this.trouble });
    const hash = this.#hashes.get(user);
    const secrets = hash === undefined ? {} : { ntHash: hash };
    return Promise.resolve({ kind: "found", secrets } as const);
  }

  admit(user: string, _actAs = "", isVouched = false): Promise<LoginOutcome> {
    this.asked.push(`admit ${user}${isVouched ? ", vouched for" : ""}`);
    const account = { user, extra: {} };
    return Promise.resolve(
      this.#hashes.has(user) ? { kind: "granted", account } : { kind: "refused" },
    );
  }

  refuse(user: string): Promise<LoginOutcome> {
    this.asked.push(`refuse ${user}`);
    return Promise.resolve({ kind: "refused" });
  }

  madeUp(text: string): Uint8Array {
    return createHash("sha256").update(text).digest();
  }
}

/** 2026-01-02 03:04:05.678 UTC. */
export const NOW_MS = 1_767_323_045_678;

/** Options of a server without TLS whose challenge is the example's of [MS-NLMP] §4.2.1. */
export const NTLM_OPTIONS: NtlmOptions = {
  names: {
    netbiosDomain: "EXAMPLE",
    netbiosComputer: "MAIL",
    dnsDomain: "example.org",
    dnsComputer: "mail.example.org",
  },
  extendedProtection: "none",
  channel: undefined,
  random: (octets) => Uint8Array.from(Buffer.from("0123456789abcdef", "hex").subarray(0, octets)),
  nowMs: () => NOW_MS,
};

/** Runs NEGOTIATE, CHALLENGE and AUTHENTICATE; the last step, and the messages. */
export async function ntlmLogin(
  mechanism: Mechanism,
  credentials: NtlmCredentials,
  habits: ClientHabits = {},
) {
  const exchange = mechanism.start();
  const negotiate = negotiateMessage(habits.oem);
  const asked = await exchange.next(negotiate);
  if (asked.kind !== "challenge") throw new Error(`no challenge but ${asked.kind}`);
  const challenge = asked.octets;
  const authenticate = await authenticateMessage(credentials, negotiate, challenge, habits);
  const step: Step = await exchange.next(authenticate);
  return { step, exchange, negotiate, challenge, authenticate };
}

/** What a login with these credentials comes to: the outcome's kind, or "malformed". */
export async function ntlmOutcome(
  desk: LoginDesk,
  credentials: NtlmCredentials,
  habits: ClientHabits = {},
  options: Partial<NtlmOptions> = {},
): Promise<string> {
  const mechanism = ntlmMechanism(desk, { ...NTLM_OPTIONS, ...options });
  if (mechanism === undefined) return "not offered";
  const { step } = await ntlmLogin(mechanism, credentials, habits);
  return step.kind === "done" ? step.outcome.kind : step.kind;
}
