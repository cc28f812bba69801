/**
 * The SASL mechanism NTLM for accounts of a Windows domain: a helper that belongs to the domain makes the
 * challenge and checks the answer.
 *
 * What needs no secret is judged here as for our own accounts: NTLMv1, ANONYMOUS, and on which TLS channel
 * the client is (which the proof that the helper checks is over).
 *
 * *Knows* NTLM's messages, the helper's interface and the login desk. *Does not know* processes or users.
 */

import { parseAuthenticate } from "../ntlm/authenticate_message.ts";
import { canBeMet, expectedBindings, type ExtendedProtection } from "../extended_protection.ts";
import { has, OEM, UNICODE } from "../ntlm/flags.ts";
import { judge, type NtlmRefusal } from "../ntlm/judgement.ts";
import { loggedName } from "../ntlm/names.ts";
import { namesToAsk, userOfDomain } from "../ntlm/names_to_ask.ts";
import { parseNegotiate } from "../ntlm/negotiate_message.ts";
import type { LoginDesk, LoginOutcome } from "../login.ts";
import type { Exchange, Mechanism, Step } from "../mechanism.ts";
import type { SecureChannel } from "../secure_channel.ts";

/** Who makes challenges and checks answers. Nothing rejects; what goes wrong is in the log. */
export interface NtlmHelper {
  /** @param address The client's, in whose turn it waits for a helper. */
  begin(negotiate: Uint8Array, address: string): Promise<HelperChallenge>;
}

export type HelperChallenge =
  | {
    readonly kind: "challenge";
    readonly octets: Uint8Array;
    /** Checks the client's answer; once. */
    finish(authenticate: Uint8Array): Promise<HelperVerdict>;
    /** There will be no answer; idempotent, and nothing after `finish`. */
    release(): void;
  }
  | { readonly kind: "malformed" }
  | { readonly kind: "unavailable" };

export type HelperVerdict =
  /** `DOMAIN\user`, or what else the domain calls the user. */
  | { readonly kind: "right"; readonly name: string }
  | { readonly kind: "wrong" }
  | { readonly kind: "unavailable" };

export interface NtlmByHelperOptions {
  readonly helper: NtlmHelper;
  /** The client's. */
  readonly address: string;
  /** Users of this domain are known here by their bare names, those of any other as `user@domain`. */
  readonly netbiosDomain: string;
  readonly extendedProtection: ExtendedProtection;
  /** Of this connection; undefined where it has no TLS. */
  readonly channel: SecureChannel | undefined;
  /** Told when a client is refused whatever its password is, for the log. `user` is as the client sent it. */
  readonly onRefusal?: (user: string, reason: NtlmRefusal) => void;
}

/** The mechanism on one connection. Undefined where no client could log in by it: see `canBeMet`. */
export function ntlmByHelperMechanism(
  desk: LoginDesk,
  options: NtlmByHelperOptions,
): Mechanism | undefined {
  const { extendedProtection } = options;
  const bindings = extendedProtection === "none" ? undefined : expectedBindings(options.channel);
  if (!canBeMet(extendedProtection, bindings)) return undefined;
  return {
    name: "NTLM",
    plaintext: false,
    start: () => new HelperExchange(desk, options, bindings),
  };
}

type Asked = Extract<HelperChallenge, { kind: "challenge" }>;

class HelperExchange implements Exchange {
  readonly #desk: LoginDesk;
  readonly #options: NtlmByHelperOptions;
  readonly #bindings: Uint8Array | undefined;
  #state: "asked for nothing" | "waits for NEGOTIATE" | "waits for AUTHENTICATE" | "over" =
    "asked for nothing";
  #asked: Asked | undefined;
  #negotiatedFlags = 0;
  #abandoned = false;

  constructor(
    desk: LoginDesk,
    options: NtlmByHelperOptions,
    bindings: Uint8Array | undefined,
  ) {
    this.#desk = desk;
    this.#options = options;
    this.#bindings = bindings;
  }

  async next(response: Uint8Array | undefined): Promise<Step> {
    const state = this.#state;
    this.#state = "over";
    if (response === undefined && state === "asked for nothing") {
      this.#state = "waits for NEGOTIATE";
      return { kind: "challenge", octets: new Uint8Array() };
    }
    if (response === undefined || state === "over") return { kind: "malformed" };
    if (state !== "waits for AUTHENTICATE") return await this.#challenge(response);
    const step = await this.#check(response);
    this.#asked?.release();
    return step;
  }

  abandon(): void {
    this.#abandoned = true;
    this.#asked?.release();
  }

  async #challenge(negotiate: Uint8Array): Promise<Step> {
    const clientFlags = parseNegotiate(negotiate);
    if (clientFlags === undefined) return { kind: "malformed" };
    const asked = await this.#options.helper.begin(negotiate, this.#options.address);
    if (asked.kind === "malformed") return asked;
    if (asked.kind === "unavailable") return { kind: "done", user: "", outcome: asked };
    this.#asked = asked;
    if (this.#abandoned) asked.release();
    this.#negotiatedFlags = has(clientFlags, UNICODE) ? UNICODE : OEM;
    this.#state = "waits for AUTHENTICATE";
    return { kind: "challenge", octets: asked.octets };
  }

  async #check(octets: Uint8Array): Promise<Step> {
    const message = parseAuthenticate(Uint8Array.from(octets), this.#negotiatedFlags);
    if (message === undefined) return { kind: "malformed" };
    const judgement = judge(message, {
      targetInfo: undefined,
      extendedProtection: this.#options.extendedProtection,
      expectedBindings: this.#bindings,
    });
    if (judgement.kind === "malformed") return judgement;
    const user = loggedName(message);
    if (judgement.kind === "refused") this.#options.onRefusal?.(user, judgement.reason);
    const { plain } = namesToAsk({ user: message.user.text, domain: message.domain.text }, []);
    const check = judgement.kind === "refused" ? undefined : message.octets;
    return { kind: "done", user, outcome: await this.#admit(plain, check) };
  }

  /** Without a message to check the answer is no; the desk is asked all the same. */
  async #admit(user: string, message: Uint8Array | undefined): Promise<LoginOutcome> {
    if (user === "") return await this.#desk.refuse("");
    // No secrets are needed, but the word that too many logins failed comes from here.
    const found = await this.#desk.secretsOf(user);
    if (found.kind !== "found") return found;
    const verdict = message === undefined ? undefined : await this.#asked?.finish(message);
    if (verdict?.kind === "unavailable") return verdict;
    if (verdict?.kind !== "right") return await this.#desk.refuse(user);
    const name = userOfDomain(verdict.name, this.#options.netbiosDomain);
    return await this.#desk.admit(name, "", true);
  }
}
