/**
 * The client's NEGOTIATE_MESSAGE ([MS-NLMP] §2.2.1.1). Only its flags are read: the domain and workstation
 * that it may name are said again, and vouched for, in the AUTHENTICATE_MESSAGE.
 */

import { has, NTLM, OEM, UNICODE } from "./flags.ts";
import { openMessage } from "./message.ts";

const TYPE = 1;
const FLAGS_AT = 12;
const MIN_OCTETS = 16;

/** The client's flags; undefined if this is no such message, or it offers no names or no NTLM. */
export function parseNegotiate(octets: Uint8Array): number | undefined {
  const flags = openMessage(octets, TYPE, MIN_OCTETS)?.readUInt32LE(FLAGS_AT);
  if (flags === undefined) return undefined;
  return has(flags, UNICODE | OEM) && has(flags, NTLM) ? flags : undefined;
}
