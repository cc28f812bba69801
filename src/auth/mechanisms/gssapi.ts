/**
 * The SASL mechanism GSSAPI (RFC 4752), which is Kerberos 5, over an acceptor of security contexts.
 *
 * The course of it (§3.2): tokens go to and fro until the context stands; an empty response follows if
 * the last word was ours; then we offer what may protect the connection, the client chooses and names who
 * it wants to be. Offered is nothing but "no protection": TLS is there for that, and has no limit on sizes.
 *
 * *Knows* SASL. *Does not know* tickets, keytabs or how a principal becomes a user.
 */

import { GSSAPI_RESPONSE_OCTETS, GSSAPI_TOKENS, USER_NAME_OCTETS } from "../../limits.ts";
import type { LoginDesk } from "../login.ts";
import type { Exchange, Mechanism, Step } from "../mechanism.ts";

/** Takes part in the exchanges of one connection. */
export interface GssapiAcceptor {
  /** A new security context, which holds nothing before the first token. */
  begin(): GssapiContext;
}

/** One security context on our side. Nothing here rejects. */
export interface GssapiContext {
  /** Takes the client's next token. What cannot be accepted has been told to the log. */
  accept(token: Uint8Array): Promise<Accepted>;
  /** Protects the octets' integrity, by a context that stands. Undefined if we could not. */
  wrap(octets: Uint8Array): Promise<Uint8Array | undefined>;
  /** The octets that the client has protected; undefined if these are none of it. */
  unwrap(token: Uint8Array): Promise<Uint8Array | undefined>;
  /** Gives back what the context holds, also while a call is under way; idempotent. */
  release(): void;
  /** Tells the log why the exchange came to nothing in spite of a context that stands. */
  tell(reason: string): void;
}

export type Accepted =
  | { readonly kind: "continue"; readonly token: Uint8Array }
  | {
    readonly kind: "complete";
    /** Of no octets if nothing is to be sent. */
    readonly token: Uint8Array;
    readonly user: string;
    /** The principal that the user is here by, such as "alice@EXAMPLE.ORG". */
    readonly principal: string;
  }
  /** `user` is "" where nobody has proved to be anybody. */
  | { readonly kind: "refused"; readonly user: string }
  | { readonly kind: "unavailable" };

/** §3.3: the bit of "no security layer", and no size, since nothing will be wrapped. */
const OFFER = Uint8Array.of(1, 0, 0, 0);
const NO_LAYER = 1;
const CHOICE_OCTETS = 4;

export function gssapiMechanism(desk: LoginDesk, acceptor: GssapiAcceptor): Mechanism {
  return {
    name: "GSSAPI",
    plaintext: false,
    maxResponseOctets: GSSAPI_RESPONSE_OCTETS,
    start: () => new GssapiExchange(desk, acceptor.begin()),
  };
}

interface Identity {
  readonly user: string;
  readonly principal: string;
}

class GssapiExchange implements Exchange {
  readonly #desk: LoginDesk;
  readonly #context: GssapiContext;
  #tokens = 0;
  /** What the next response is taken for. */
  #take: (response: Uint8Array) => Promise<Step> = (token) => this.#accept(token);

  constructor(desk: LoginDesk, context: GssapiContext) {
    this.#desk = desk;
    this.#context = context;
  }

  async next(response: Uint8Array | undefined): Promise<Step> {
    // RFC 5034 §4: a client that sent no initial response is asked by an empty challenge.
    if (response === undefined) return challenge(new Uint8Array());
    const step = response.length > GSSAPI_RESPONSE_OCTETS ? MALFORMED : await this.#take(response);
    if (step.kind !== "challenge") this.abandon();
    return step;
  }

  abandon(): void {
    this.#take = () => Promise.resolve(MALFORMED);
    this.#context.release();
  }

  async #accept(token: Uint8Array): Promise<Step> {
    // An empty token is what a client sends that has none: no ticket was to be had.
    if (token.length === 0 || ++this.#tokens > GSSAPI_TOKENS) return MALFORMED;
    const accepted = await this.#context.accept(token);
    switch (accepted.kind) {
      case "continue":
        return challenge(accepted.token);
      case "refused":
        return this.#refuse(accepted.user);
      case "unavailable":
        return unavailable("");
      case "complete":
        if (accepted.token.length === 0) return this.#offer(accepted);
        this.#take = (response) =>
          response.length === 0 ? this.#offer(accepted) : Promise.resolve(MALFORMED);
        return challenge(accepted.token);
    }
  }

  async #offer(identity: Identity): Promise<Step> {
    const offer = await this.#context.wrap(OFFER);
    if (offer === undefined) return unavailable(identity.user);
    this.#take = (token) => this.#decide(token, identity);
    return challenge(offer);
  }

  async #decide(token: Uint8Array, { user, principal }: Identity): Promise<Step> {
    const choice = await this.#context.unwrap(token);
    if (choice === undefined) return this.#refuse(user);
    // The size in the other three octets is meant for layers; clients differ in what they send for none.
    if (choice.length < CHOICE_OCTETS || choice[0] !== NO_LAYER) {
      this.#context.tell(
        "the client insists on a security layer, which AUTH GSSAPI does not give here",
      );
      return MALFORMED;
    }
    const authzid = readAuthzid(choice.subarray(CHOICE_OCTETS));
    if (authzid === undefined) return MALFORMED;
    // Some clients send their principal as who they want to be, or the mail address that looks like it.
    const isOwn = authzid === "" || authzid.toLowerCase() === principal.toLowerCase();
    const actAs = isOwn ? undefined : authzid;
    return { kind: "done", user, outcome: await this.#desk.admit(user, actAs) };
  }

  async #refuse(user: string): Promise<Step> {
    return { kind: "done", user, outcome: await this.#desk.refuse(user) };
  }
}

const MALFORMED: Step = { kind: "malformed" };

function challenge(octets: Uint8Array): Step {
  return { kind: "challenge", octets };
}

function unavailable(user: string): Step {
  return { kind: "done", user, outcome: { kind: "unavailable" } };
}

/** UTF-8 without a NUL (§3.1); undefined for what can be nobody's name. */
function readAuthzid(octets: Uint8Array): string | undefined {
  if (octets.length > USER_NAME_OCTETS || octets.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}
