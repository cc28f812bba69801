/**
 * The client's AUTHENTICATE_MESSAGE ([MS-NLMP] §2.2.1.3). Every field has to lie within the message, those
 * that popkeep has no use for too.
 */

import { Buffer } from "node:buffer";
import { NTLM_DOMAIN_UTF16_UNITS, USER_NAME_OCTETS } from "../../limits.ts";
import { has, OEM, UNICODE } from "./flags.ts";
import { type Field, FIELD_OCTETS, openMessage, readField } from "./message.ts";
import { decodeName, type NtlmName } from "./names.ts";

export interface AuthenticateMessage {
  readonly flags: number;
  readonly domain: NtlmName;
  readonly user: NtlmName;
  readonly lmResponse: Uint8Array;
  readonly ntResponse: Uint8Array;
  /** The 16 octets where a MIC stands if there is one; undefined where the payload begins before. */
  readonly mic: Uint8Array | undefined;
  /** The message as it came. */
  readonly octets: Uint8Array;
}

const TYPE = 3;
/** LmChallengeResponse, NtChallengeResponse, DomainName, UserName, Workstation, EncryptedRandomSessionKey. */
const FIRST_FIELD_AT = 12;
const FIELDS = 6;
const FLAGS_AT = 60;
/** What no client leaves out; Version and MIC follow, and not always. */
const FIXED_OCTETS = 64;
const MIC_AT = 72;
const MIC_OCTETS = 16;

/**
 * Undefined if the octets are no such message, or hold a name that is none or too long.
 *
 * @param negotiatedFlags Of our CHALLENGE_MESSAGE: say how names are written where the message does not.
 */
export function parseAuthenticate(
  octets: Uint8Array,
  negotiatedFlags: number,
): AuthenticateMessage | undefined {
  const message = openMessage(octets, TYPE, FIXED_OCTETS);
  if (message === undefined) return undefined;
  const fields = readFields(message);
  if (fields === undefined) return undefined;
  const [lmResponse, ntResponse, domainField, userField] = fields;
  const flags = message.readUInt32LE(FLAGS_AT);
  const unicode = has(has(flags, UNICODE | OEM) ? flags : negotiatedFlags, UNICODE);
  const domain = decodeName(domainField.octets, unicode);
  const user = decodeName(userField.octets, unicode);
  if (domain === undefined || user === undefined) return undefined;
  if (domain.hashed.length > NTLM_DOMAIN_UTF16_UNITS) return undefined;
  if (Buffer.byteLength(user.text, "utf8") > USER_NAME_OCTETS) return undefined;
  return {
    flags,
    domain,
    user,
    lmResponse: lmResponse.octets,
    ntResponse: ntResponse.octets,
    mic: readMic(message, fields),
    octets: message,
  };
}

/** The message as its MIC was computed over it: with zeros where the MIC stands (§3.1.5.1.2). */
export function withoutMic(message: AuthenticateMessage): Uint8Array {
  const copy = Uint8Array.from(message.octets);
  copy.fill(0, MIC_AT, MIC_AT + MIC_OCTETS);
  return copy;
}

type Fields = readonly [Field, Field, Field, Field, Field, Field];

function readFields(message: Buffer): Fields | undefined {
  const fields: Field[] = [];
  for (let index = 0; index < FIELDS; index++) {
    const field = readField(message, FIRST_FIELD_AT + index * FIELD_OCTETS, FIXED_OCTETS);
    if (field === undefined) return undefined;
    fields.push(field);
  }
  return fields as unknown as Fields;
}

function readMic(message: Buffer, fields: Fields): Uint8Array | undefined {
  const end = MIC_AT + MIC_OCTETS;
  if (message.length < end) return undefined;
  if (fields.some(({ offset }) => offset !== undefined && offset < end)) return undefined;
  return message.subarray(MIC_AT, end);
}
