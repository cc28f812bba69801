/**
 * What can be said of an AUTHENTICATE_MESSAGE before anybody's secret is looked at. The answer never depends
 * on who exists.
 */

import { ANONYMOUS, has } from "./flags.ts";
import type { AuthenticateMessage } from "./authenticate_message.ts";
import { type ExtendedProtection, meetsPolicy } from "../extended_protection.ts";
import {
  NTLM_V1_RESPONSE_OCTETS,
  type Ntlmv2Response,
  parseNtlmv2Response,
} from "./ntlmv2_response.ts";
import { holdsAll, type TargetInfo } from "./target_info.ts";

/**
 * Why a message is refused whatever the password is; for the log of an operator who looks for the client's
 * fault.
 */
export type NtlmRefusal =
  | "anonymous login"
  | "LM or NTLMv1 response"
  | "target info that is not ours"
  | "channel bindings missing or not of this channel";

export type Judgement =
  | { readonly kind: "malformed" }
  | { readonly kind: "refused"; readonly reason: NtlmRefusal }
  | { readonly kind: "response"; readonly response: Ntlmv2Response };

export interface JudgementOptions {
  /** What the client has to have sent back; undefined where somebody else looks at it. */
  readonly targetInfo: TargetInfo | undefined;
  readonly extendedProtection: ExtendedProtection;
  readonly expectedBindings: Uint8Array | undefined;
}

export function judge(message: AuthenticateMessage, options: JudgementOptions): Judgement {
  const { user, ntResponse, mic } = message;
  // §3.2.5.1.2: an empty name with an empty response means ANONYMOUS; with either there is no proof.
  if (user.text === "" || ntResponse.length === 0 && isNoLmResponse(message.lmResponse)) {
    return { kind: "refused", reason: "anonymous login" };
  }
  if (has(message.flags, ANONYMOUS)) return { kind: "refused", reason: "anonymous login" };
  if (ntResponse.length === 0 || ntResponse.length === NTLM_V1_RESPONSE_OCTETS) {
    return { kind: "refused", reason: "LM or NTLMv1 response" };
  }
  const response = parseNtlmv2Response(ntResponse);
  if (response === undefined || response.hasMic && mic === undefined) return { kind: "malformed" };
  if (options.targetInfo !== undefined && !holdsAll(response.targetInfo, options.targetInfo)) {
    return { kind: "refused", reason: "target info that is not ours" };
  }
  const { extendedProtection, expectedBindings } = options;
  if (!meetsPolicy(extendedProtection, response.channelBindings, expectedBindings)) {
    return { kind: "refused", reason: "channel bindings missing or not of this channel" };
  }
  return { kind: "response", response };
}

/** §3.2.5.1.2: an anonymous client sends none, or a single zero octet. */
function isNoLmResponse(lmResponse: Uint8Array): boolean {
  return lmResponse.length === 0 || lmResponse.length === 1 && lmResponse[0] === 0;
}
