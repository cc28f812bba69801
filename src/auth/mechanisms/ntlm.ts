/**
 * The SASL mechanism NTLM: NTLMv2 over the NT hashes that directories keep ([MS-NLMP]; framed as [MS-OXPOP3]
 * §2.2.1 has it, which is the session's business).
 *
 * NEGOTIATE, CHALLENGE, AUTHENTICATE, each once; a server challenge serves one attempt. LM and NTLMv1 are
 * refused, and so is nobody (ANONYMOUS). For an unknown user the same is computed over a made-up hash.
 *
 * *Knows* NTLM's messages, and the login desk. *Does not know* users, sockets, clocks or chance.
 */

import { type AuthenticateMessage, parseAuthenticate } from "../ntlm/authenticate_message.ts";
import {
  encodeChallenge,
  SERVER_CHALLENGE_OCTETS,
  type ServerNames,
  serverTargetInfo,
} from "../ntlm/challenge_message.ts";
import { canBeMet, expectedBindings, type ExtendedProtection } from "../extended_protection.ts";
import { has, OEM, UNICODE } from "../ntlm/flags.ts";
import { judge, type NtlmRefusal } from "../ntlm/judgement.ts";
import { loggedName } from "../ntlm/names.ts";
import { namesToAsk } from "../ntlm/names_to_ask.ts";
import { parseNegotiate } from "../ntlm/negotiate_message.ts";
import { isProved, type ProofContext } from "../ntlm/proof.ts";
import type { TargetInfo } from "../ntlm/target_info.ts";
import type { LoginDesk, LoginOutcome } from "../login.ts";
import type { Exchange, Mechanism, Step } from "../mechanism.ts";
import type { SecureChannel } from "../secure_channel.ts";

export interface NtlmOptions {
  readonly names: ServerNames;
  readonly extendedProtection: ExtendedProtection;
  /** Of this connection; undefined where it has no TLS. */
  readonly channel: SecureChannel | undefined;
  /** Domains besides the server's own that say no more than that a user is one of ours. */
  readonly ownDomains?: readonly string[];
  /** Octets that nobody can foresee. */
  readonly random: (octets: number) => Uint8Array;
  /** The time of day, ms. */
  readonly nowMs: () => number;
  /** Told when a client is refused whatever its password is, for the log. `user` is as the client sent it. */
  readonly onRefusal?: (user: string, reason: NtlmRefusal) => void;
}

/** The mechanism on one connection. Undefined where no client could log in by it: see `canBeMet`. */
export function ntlmMechanism(desk: LoginDesk, options: NtlmOptions): Mechanism | undefined {
  const { extendedProtection } = options;
  const bindings = extendedProtection === "none" ? undefined : expectedBindings(options.channel);
  if (!canBeMet(extendedProtection, bindings)) return undefined;
  return {
    name: "NTLM",
    plaintext: false,
    start: () => new NtlmExchange(desk, options, bindings),
  };
}

/** The challenge that was sent, and what answers to it are held against. */
interface Challenge {
  readonly negotiate: Uint8Array;
  readonly challenge: Uint8Array;
  readonly clientFlags: number;
  readonly serverChallenge: Uint8Array;
  readonly targetInfo: TargetInfo;
}

class NtlmExchange implements Exchange {
  readonly #desk: LoginDesk;
  readonly #options: NtlmOptions;
  readonly #bindings: Uint8Array | undefined;
  #state: "asked for nothing" | "waits for NEGOTIATE" | Challenge | "over" = "asked for nothing";

  constructor(desk: LoginDesk, options: NtlmOptions, bindings: Uint8Array | undefined) {
    this.#desk = desk;
    this.#options = options;
    this.#bindings = bindings;
  }

  next(response: Uint8Array | undefined): Step | Promise<Step> {
    const state = this.#state;
    this.#state = "over";
    if (response === undefined && state === "asked for nothing") {
      this.#state = "waits for NEGOTIATE";
      return { kind: "challenge", octets: new Uint8Array() };
    }
    if (response === undefined || state === "over") return { kind: "malformed" };
    return typeof state === "string" ? this.#challenge(response) : this.#check(response, state);
  }

  #challenge(octets: Uint8Array): Step {
    const clientFlags = parseNegotiate(octets);
    if (clientFlags === undefined) return { kind: "malformed" };
    const { names, random, nowMs } = this.#options;
    const serverChallenge = random(SERVER_CHALLENGE_OCTETS);
    const targetInfo = serverTargetInfo(names, nowMs());
    const targetName = names.netbiosDomain;
    const challenge = encodeChallenge(clientFlags, { serverChallenge, targetName, targetInfo });
    // The line that these octets came in is not ours to keep.
    const negotiate = Uint8Array.from(octets);
    this.#state = { negotiate, challenge, clientFlags, serverChallenge, targetInfo };
    return { kind: "challenge", octets: challenge };
  }

  #check(octets: Uint8Array, sent: Challenge): Step | Promise<Step> {
    const negotiatedFlags = has(sent.clientFlags, UNICODE) ? UNICODE : OEM;
    const message = parseAuthenticate(Uint8Array.from(octets), negotiatedFlags);
    if (message === undefined) return { kind: "malformed" };
    const judgement = judge(message, {
      targetInfo: sent.targetInfo,
      extendedProtection: this.#options.extendedProtection,
      expectedBindings: this.#bindings,
    });
    if (judgement.kind === "malformed") return judgement;
    const user = loggedName(message);
    if (judgement.kind === "refused") this.#options.onRefusal?.(user, judgement.reason);
    const context = judgement.kind === "refused" ? undefined : {
      ...sent,
      message,
      response: judgement.response,
      otherDomains: [this.#options.names.netbiosDomain, this.#options.names.dnsDomain],
    };
    return this.#admit(message, context).then((outcome) => ({ kind: "done", user, outcome }));
  }

  /** Without a context the answer is no; the desk is asked all the same, as for any wrong password. */
  async #admit(
    message: AuthenticateMessage,
    context: ProofContext | undefined,
  ): Promise<LoginOutcome> {
    const { names: { netbiosDomain, dnsDomain }, ownDomains = [] } = this.#options;
    const sent = { user: message.user.text, domain: message.domain.text };
    if (sent.user === "") return await this.#desk.refuse("");
    const { plain, names } = namesToAsk(sent, [netbiosDomain, dnsDomain, ...ownDomains]);
    const found = await Promise.all(names.map((name) => this.#desk.secretsOf(name)));
    let proved: string | undefined;
    for (const [index, answer] of found.entries()) {
      if (answer.kind !== "found") return answer;
      const { ntHash } = answer.secrets;
      const name = names[index]!;
      const hash = ntHash ?? this.#desk.madeUp(`ntlm ${name}`).subarray(0, 16);
      const right = context !== undefined && isProved(hash, context);
      if (right && ntHash !== undefined) proved ??= name;
    }
    return await (proved === undefined ? this.#desk.refuse(plain) : this.#desk.admit(proved));
  }
}
