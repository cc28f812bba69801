/**
 * The exchange that XOAUTH2 and OAUTHBEARER share: the client sends its token, and is let in or refused.
 * OAUTHBEARER tells why in a challenge of JSON, which the client answers by anything before it is refused
 * (RFC 7628 §3.2.3).
 *
 * The token says who the client is. The name that the client gives is only who it wants to act as: with
 * another's name it is let in where the login desk allows that (a shared mailbox), and never else.
 *
 * A failure is counted before the client hears of it, or a client that leaves then would have tried for
 * nothing. What the client learns is the same whether the token is bad or its user unknown here.
 */

import { Buffer } from "node:buffer";
import { RESPONSE_LINE_OCTETS } from "../../limits.ts";
import type { LoginDesk, LoginOutcome } from "../login.ts";
import type { Done, Exchange, Mechanism, Step } from "../mechanism.ts";
import type { CheckToken, TokenFault } from "../oauth/token_check.ts";
import type { BearerMessage } from "./bearer_message.ts";

export interface BearerOptions {
  readonly desk: LoginDesk;
  readonly checkToken: CheckToken;
  /** The scopes that a token needs, parted by blanks; "" does not say. */
  readonly scope: string;
  /** Where clients find the authorization server (RFC 7628 §3.2.2); "" does not say. */
  readonly openidConfiguration: string;
}

/** What differs between the mechanisms. */
export interface BearerForm {
  readonly name: string;
  /** Undefined for what the grammar does not allow. */
  parse(response: Uint8Array): BearerMessage | undefined;
  /**
   * What is said of a failure, the most important first: what does not fit on a line is left out. Absent
   * where a failure is refused at once.
   */
  describe?(fault: TokenFault, options: BearerOptions): readonly (readonly [string, string])[];
}

export function bearerMechanism(form: BearerForm, options: BearerOptions): Mechanism {
  return {
    name: form.name,
    // Who reads the token can use it (RFC 6750 §5.2).
    plaintext: true,
    start: () => new BearerExchange(form, options),
  };
}

const REFUSED: LoginOutcome = { kind: "refused" };

class BearerExchange implements Exchange {
  readonly #form: BearerForm;
  readonly #options: BearerOptions;
  /** What is said once the client has answered the challenge that told it of its failure. */
  #failed: Done | undefined;
  #abandoned = false;

  constructor(form: BearerForm, options: BearerOptions) {
    this.#form = form;
    this.#options = options;
  }

  next(response: Uint8Array | undefined): Step | Promise<Step> {
    if (this.#failed !== undefined) return this.#failed;
    if (response === undefined) return { kind: "challenge", octets: new Uint8Array() };
    const message = this.#form.parse(response);
    return message === undefined ? { kind: "malformed" } : this.#logIn(message);
  }

  abandon(): Done | undefined {
    this.#abandoned = true;
    const failed = this.#failed;
    this.#failed = undefined;
    return failed;
  }

  async #logIn({ claimed, token }: BearerMessage): Promise<Step> {
    const { desk, checkToken } = this.#options;
    // A question is no guess, and is not counted as one.
    if (token === "") return this.#end("invalid_token", claimed, REFUSED);
    const verdict = await checkToken(token, claimed);
    switch (verdict.kind) {
      case "unavailable":
        return { kind: "done", user: claimed, outcome: verdict };
      case "invalid":
        return this.#end(verdict.fault, claimed, await desk.refuse(claimed, octetsOf(token)));
      case "valid": {
        const { user } = verdict;
        const itself = claimed === "" || claimed.toLowerCase() === user.toLowerCase();
        const outcome = await (itself ? desk.admit(user) : desk.admit(user, claimed));
        const name = claimed === "" ? user : claimed;
        return this.#end("invalid_token", name, outcome);
      }
    }
  }

  /** Ends the exchange; by way of a challenge if the outcome is a refusal. */
  #end(fault: TokenFault, user: string, outcome: LoginOutcome): Step {
    const done: Done = { kind: "done", user, outcome };
    const fields = this.#form.describe?.(fault, this.#options);
    // Nobody answers a challenge any more once the exchange is abandoned.
    if (outcome.kind !== "refused" || fields === undefined || this.#abandoned) return done;
    this.#failed = done;
    return { kind: "challenge", octets: encodeFailure(fields) };
  }
}

/** Octets whose base64 goes on a line between "+ " and CRLF. */
const CHALLENGE_OCTETS = Math.floor((RESPONSE_LINE_OCTETS - 4) / 4) * 3;

function encodeFailure(fields: readonly (readonly [string, string])[]): Uint8Array {
  for (let kept = fields.length; kept > 1; kept--) {
    const octets = encodeJson(fields.slice(0, kept));
    if (octets.length <= CHALLENGE_OCTETS) return octets;
  }
  return encodeJson(fields.slice(0, 1));
}

function encodeJson(fields: readonly (readonly [string, string])[]): Uint8Array {
  return Buffer.from(JSON.stringify(Object.fromEntries(fields.filter(([, text]) => text !== ""))));
}

/** What was tried: a client with an expired token sends the same one again and again. */
function octetsOf(token: string | undefined): Uint8Array | undefined {
  return token === undefined ? undefined : new TextEncoder().encode(token);
}
