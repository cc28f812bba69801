/** The client's NTLMv2_RESPONSE and the NTLMv2_CLIENT_CHALLENGE in it ([MS-NLMP] §2.2.2.7, §2.2.2.8). */

import { Buffer } from "node:buffer";
import { AV_FLAG_MIC, AvId, parseTargetInfo, type TargetInfo } from "./target_info.ts";

export interface Ntlmv2Response {
  /** 16 octets. */
  readonly proof: Uint8Array;
  /** All that the proof is over, besides the server's challenge. */
  readonly clientChallenge: Uint8Array;
  readonly targetInfo: TargetInfo;
  /** Whether the message has a MIC. */
  readonly hasMic: boolean;
  /** The hash of the channel's bindings; undefined where the client knew of none. */
  readonly channelBindings: Uint8Array | undefined;
}

/** The length of an NTLMv1 response (§2.2.2.6), which no NTLMv2 response can have. */
export const NTLM_V1_RESPONSE_OCTETS = 24;

const PROOF_OCTETS = 16;
/** Response type and the highest the client knows, both 1. */
const RESPONSE_TYPE = 0x0101;
/** Reserved, time, the client's random octets and reserved again stand before the AV pairs. */
const TARGET_INFO_AT = 28;
const CHANNEL_BINDINGS_OCTETS = 16;

/** Undefined if the octets are no such response, or an AV pair that counts has not the length it must. */
export function parseNtlmv2Response(octets: Uint8Array): Ntlmv2Response | undefined {
  if (octets.length < PROOF_OCTETS + TARGET_INFO_AT) return undefined;
  const clientChallenge = octets.subarray(PROOF_OCTETS);
  if (((clientChallenge[0]! << 8) | clientChallenge[1]!) !== RESPONSE_TYPE) return undefined;
  const targetInfo = parseTargetInfo(clientChallenge.subarray(TARGET_INFO_AT));
  if (targetInfo === undefined) return undefined;
  const flags = targetInfo.get(AvId.flags);
  const bindings = targetInfo.get(AvId.channelBindings);
  if (flags !== undefined && flags.length !== 4) return undefined;
  if (bindings !== undefined && bindings.length !== CHANNEL_BINDINGS_OCTETS) return undefined;
  return {
    proof: octets.subarray(0, PROOF_OCTETS),
    clientChallenge,
    targetInfo,
    hasMic: flags !== undefined && (Buffer.from(flags).readUInt32LE() & AV_FLAG_MIC) !== 0,
    // §2.2.2.1: all zeros say that there are none.
    channelBindings: bindings?.some((octet) => octet !== 0) ? bindings : undefined,
  };
}
