/**
 * Whether a response proves knowledge of an NT hash. Clients differ in the domain that they put into the
 * hash, so each that may be meant is tried, and all of them always: the work done says nothing.
 */

import { type AuthenticateMessage, withoutMic } from "./authenticate_message.ts";
import {
  equalOctets,
  messageIntegrityCode,
  ntProof,
  responseKey,
  sessionBaseKey,
} from "./ntlmv2.ts";
import type { Ntlmv2Response } from "./ntlmv2_response.ts";

export interface ProofContext {
  readonly message: AuthenticateMessage;
  readonly response: Ntlmv2Response;
  readonly serverChallenge: Uint8Array;
  /** The earlier messages, which a MIC is over too. */
  readonly negotiate: Uint8Array;
  readonly challenge: Uint8Array;
  /** Domains that a client may have hashed in the place of the one that it sent. */
  readonly otherDomains: readonly string[];
}

/** True if the proof is right for this hash and, where the client says there is a MIC, the MIC too. */
export function isProved(ntHash: Uint8Array, context: ProofContext): boolean {
  const { message, response, serverChallenge, negotiate, challenge } = context;
  const authenticate = withoutMic(message);
  let proved = false;
  for (const domain of [message.domain.hashed, "", ...context.otherDomains]) {
    const key = responseKey(ntHash, message.user.hashedUpper, domain);
    const proof = ntProof(key, serverChallenge, response.clientChallenge);
    const sessionKey = sessionBaseKey(key, response.proof);
    const mic = messageIntegrityCode(sessionKey, [negotiate, challenge, authenticate]);
    const right = equalOctets(proof, response.proof);
    const whole = !response.hasMic || message.mic !== undefined && equalOctets(mic, message.mic);
    if (right && whole) proved = true;
  }
  return proved;
}
