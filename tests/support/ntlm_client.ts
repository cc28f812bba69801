/**
 * An NTLMv2 client for tests, written after [MS-NLMP] §3.1.5.1.2 with another library's MD4 and HMAC-MD5
 * than the server's. It does what a test asks of it, lawful or not.
 */

import { Buffer } from "node:buffer";
import { createHMAC, createMD4, createMD5 } from "hash-wasm";

export interface NtlmCredentials {
  readonly user: string;
  readonly password: string;
  /** As sent. */
  readonly domain?: string;
}

export interface ClientHabits {
  /** The domain that is hashed, where that is not the one that is sent. */
  readonly hashedDomain?: string;
  /** The user name that is hashed, where that is not the one that is sent in upper case. */
  readonly hashedUser?: string;
  /** Names in OEM; default is UNICODE. */
  readonly oem?: boolean;
  /** Whether MsvAvFlags announces a MIC and one is there. */
  readonly mic?: boolean;
  /** The 16 octets of MsvAvChannelBindings. */
  readonly channelBindings?: Uint8Array;
  /** What is sent back in place of the server's target info (with its end). */
  readonly targetInfo?: (fromServer: Buffer) => Uint8Array;
  /** Flags that are set in the AUTHENTICATE_MESSAGE besides the server's. */
  readonly moreFlags?: number;
  /** What is sent in place of the NTLMv2 response. */
  readonly ntResponse?: Uint8Array;
}

const md4 = await createMD4();
const md5 = createMD5();

export function md4Of(octets: Uint8Array): Buffer {
  return Buffer.from(md4.init().update(octets).digest("binary"));
}

async function hmacMd5(key: Uint8Array, ...parts: Uint8Array[]): Promise<Buffer> {
  const hmac = (await createHMAC(md5, key)).init();
  for (const part of parts) hmac.update(part);
  return Buffer.from(hmac.digest("binary"));
}

const utf16 = (text: string) => Buffer.from(text, "utf16le");

/** UNICODE or OEM, REQUEST_TARGET, NTLM, ALWAYS_SIGN, EXTENDED_SESSIONSECURITY. */
export function negotiateMessage(oem = false, moreFlags = 0): Buffer {
  const message = Buffer.alloc(32);
  message.write("NTLMSSP\0", "latin1");
  message.writeUInt32LE(1, 8);
  message.writeUInt32LE(((oem ? 0x2 : 0x1) | 0x0008_8204 | moreFlags) >>> 0, 12);
  return message;
}

export interface ParsedChallenge {
  readonly flags: number;
  readonly serverChallenge: Buffer;
  readonly targetName: Buffer;
  readonly targetInfo: Buffer;
  /** Values by AvId. */
  readonly pairs: Map<number, Buffer>;
}

export function parseChallenge(octets: Uint8Array): ParsedChallenge {
  const message = Buffer.from(octets);
  if (message.toString("latin1", 0, 8) !== "NTLMSSP\0" || message.readUInt32LE(8) !== 2) {
    throw new Error("not a CHALLENGE_MESSAGE");
  }
  const field = (at: number) => {
    const offset = message.readUInt32LE(at + 4);
    return message.subarray(offset, offset + message.readUInt16LE(at));
  };
  const targetInfo = field(40);
  const pairs = new Map<number, Buffer>();
  for (let at = 0; targetInfo.readUInt16LE(at) !== 0;) {
    const end = at + 4 + targetInfo.readUInt16LE(at + 2);
    pairs.set(targetInfo.readUInt16LE(at), targetInfo.subarray(at + 4, end));
    at = end;
  }
  return {
    flags: message.readUInt32LE(20),
    serverChallenge: message.subarray(24, 32),
    targetName: field(12),
    targetInfo,
    pairs,
  };
}

export function avPair(id: number, value: Uint8Array): Buffer {
  const start = Buffer.alloc(4);
  start.writeUInt16LE(id, 0);
  start.writeUInt16LE(value.length, 2);
  return Buffer.concat([start, value]);
}

/** The AUTHENTICATE_MESSAGE in answer to a challenge. */
export async function authenticateMessage(
  { user, password, domain = "" }: NtlmCredentials,
  negotiate: Uint8Array,
  challengeOctets: Uint8Array,
  habits: ClientHabits = {},
): Promise<Buffer> {
  const challenge = parseChallenge(challengeOctets);
  const key = await hmacMd5(
    md4Of(utf16(password)),
    utf16((habits.hashedUser ?? user.toUpperCase()) + (habits.hashedDomain ?? domain)),
  );
  const clientChallenge = Buffer.concat([
    Buffer.from("0101000000000000", "hex"),
    challenge.pairs.get(7) ?? Buffer.alloc(8),
    Buffer.alloc(8, 0xaa),
    Buffer.alloc(4),
    targetInfoOf(challenge.targetInfo, habits),
    Buffer.alloc(4),
  ]);
  const proof = await hmacMd5(key, challenge.serverChallenge, clientChallenge);
  const names = habits.oem === true ? (text: string) => Buffer.from(text, "utf8") : utf16;
  const message = layOut({
    flags: (challenge.flags | (habits.moreFlags ?? 0)) >>> 0,
    fields: [
      Buffer.alloc(24), // LmChallengeResponse: zeros beside a timestamp
      Buffer.from(habits.ntResponse ?? Buffer.concat([proof, clientChallenge])),
      names(domain),
      names(user),
      names("WORKSTATION"),
      Buffer.alloc(0),
    ],
  });
  if (habits.mic === true) {
    const sessionKey = await hmacMd5(key, proof);
    (await hmacMd5(sessionKey, negotiate, challengeOctets, message)).copy(message, MIC_AT);
  }
  return message;
}

const MIC_AT = 72;

function targetInfoOf(fromServer: Buffer, habits: ClientHabits): Uint8Array {
  if (habits.targetInfo !== undefined) return habits.targetInfo(fromServer);
  const end = fromServer.subarray(-4);
  const added = [];
  if (habits.mic === true) added.push(avPair(6, Buffer.from([2, 0, 0, 0])));
  if (habits.channelBindings !== undefined) added.push(avPair(10, habits.channelBindings));
  return Buffer.concat([fromServer.subarray(0, -4), ...added, end]);
}

/** The six fields of an AUTHENTICATE_MESSAGE behind a fixed part with room for version and MIC. */
export function layOut(parts: { readonly flags: number; readonly fields: Buffer[] }): Buffer {
  const fixed = Buffer.alloc(MIC_AT + 16);
  fixed.write("NTLMSSP\0", "latin1");
  fixed.writeUInt32LE(3, 8);
  let offset = fixed.length;
  for (const [index, octets] of parts.fields.entries()) {
    const at = 12 + index * 8;
    fixed.writeUInt16LE(octets.length, at);
    fixed.writeUInt16LE(octets.length, at + 2);
    fixed.writeUInt32LE(offset, at + 4);
    offset += octets.length;
  }
  fixed.writeUInt32LE(parts.flags, 60);
  return Buffer.concat([fixed, ...parts.fields]);
}
