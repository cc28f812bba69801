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
  const domains = new Set([message.domain.hashed, "", ...context.otherDomains]);
  let right = false;
  let chosen: Uint8Array = new Uint8Array();
  for (const domain of domains) {
    const key = responseKey(ntHash, message.user.hashedUpper, domain);
    const proof = ntProof(key, serverChallenge, response.clientChallenge);
    const matches = equalOctets(proof, response.proof);
    if (matches || !right) chosen = key;
    right ||= matches;
  }
  if (!response.hasMic) return right;
  const sessionKey = sessionBaseKey(chosen, response.proof);
  const mic = messageIntegrityCode(sessionKey, [negotiate, challenge, withoutMic(message)]);
  return message.mic !== undefined && equalOctets(mic, message.mic) && right;
}
