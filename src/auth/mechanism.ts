/** The interface of a SASL mechanism's server side. A mechanism knows no POP3 and no directories. */

import type { LoginOutcome } from "./login.ts";

/** One way to log in, as RFC 4422 §3 has it. */
export interface Mechanism {
  /** Registered name, upper case. */
  readonly name: string;
  /** Whether a password crosses the wire readable: such a mechanism is offered where login_type allows. */
  readonly plaintext: boolean;
  /** The longest response that a client may send, octets before base64; 9,216 (RFC 5034 §4) unless said. */
  readonly maxResponseOctets?: number;
  /** Begins one exchange. */
  start(): Exchange;
}

/** One run of a mechanism; used once. */
export interface Exchange {
  /**
   * Takes the client's response (already base64-decoded) and says what follows. The first call gets
   * the initial response: undefined when the client sent none, which is not the same as an empty one
   * (RFC 5034 §4).
   */
  next(response: Uint8Array | undefined): Step | Promise<Step>;

  /**
   * The exchange ended before it was done: the client cancelled it, broke its rules or is gone, perhaps
   * while `next` is under way. To give back what it holds; idempotent.
   *
   * Returns what it had come to where only the client's last word was missing, as after the challenge that
   * tells of a failure (RFC 7628 §3.2.3): a failed login is one though the client leaves then. A login
   * that was granted is given up, and told.
   */
  abandon?(): Done | void;
}

/** How an exchange ends. */
export type Done = Extract<Step, { readonly kind: "done" }>;

export type Step =
  | { readonly kind: "challenge"; readonly octets: Uint8Array }
  /** `user` is the name as the client gave it, for the log only. */
  | { readonly kind: "done"; readonly user: string; readonly outcome: LoginOutcome }
  /** The response was not what the mechanism's grammar allows. */
  | { readonly kind: "malformed" };
