/**
 * The server's CHALLENGE_MESSAGE ([MS-NLMP] §2.2.1.2, §3.2.5.1.1).
 *
 * Neither signing nor sealing nor key exchange is offered: POP3 has no NTLM layer, TLS protects the session.
 * Target info goes to every client, asked for or not, since NTLMv2 needs it. No version is told.
 */

import { Buffer } from "node:buffer";
import {
  ALWAYS_SIGN,
  EXTENDED_SESSION_SECURITY,
  has,
  KEY_128,
  KEY_56,
  NTLM,
  OEM,
  REQUEST_TARGET,
  TARGET_INFO,
  TARGET_TYPE_DOMAIN,
  UNICODE,
} from "./flags.ts";
import { beginMessage, writeField } from "./message.ts";
import { AvId, encodeTargetInfo, type TargetInfo } from "./target_info.ts";

/** What the server calls itself to NTLM clients. All but the NetBIOS domain may be "", then it is not said. */
export interface ServerNames {
  /** ASCII, at most 15 characters. */
  readonly netbiosDomain: string;
  readonly netbiosComputer: string;
  readonly dnsDomain: string;
  readonly dnsComputer: string;
}

export const SERVER_CHALLENGE_OCTETS = 8;

const TYPE = 2;
const TARGET_NAME_AT = 12;
const FLAGS_AT = 20;
const SERVER_CHALLENGE_AT = 24;
const TARGET_INFO_AT = 40;
const FIXED_OCTETS = 56;

/** Flags that mean the same on both sides and are on when the client offers them. */
const ECHOED = REQUEST_TARGET | ALWAYS_SIGN | EXTENDED_SESSION_SECURITY | KEY_128 | KEY_56;

/** 1601-01-01 to 1970-01-01, ms: a FILETIME counts from the former ([MS-DTYP] §2.3.3). */
const FILETIME_EPOCH_MS = 11_644_473_600_000;

/** The server's names and its time, which the client has to send back. */
export function serverTargetInfo(names: ServerNames, nowMs: number): TargetInfo {
  const said: [number, string][] = [
    [AvId.netbiosDomain, names.netbiosDomain],
    [AvId.netbiosComputer, names.netbiosComputer],
    [AvId.dnsDomain, names.dnsDomain],
    [AvId.dnsComputer, names.dnsComputer],
  ];
  const timestamp = Buffer.alloc(8);
  timestamp.writeBigUInt64LE(BigInt(Math.floor(nowMs) + FILETIME_EPOCH_MS) * 10_000n);
  return new Map<number, Uint8Array>([
    ...said.filter(([, name]) => name !== "")
      .map(([id, name]): [number, Uint8Array] => [id, Buffer.from(name, "utf16le")]),
    [AvId.timestamp, timestamp],
  ]);
}

/**
 * @param clientFlags Of its NEGOTIATE_MESSAGE.
 * @param serverChallenge 8 random octets, for this exchange alone.
 */
export function encodeChallenge(
  clientFlags: number,
  { serverChallenge, targetName, targetInfo }: {
    readonly serverChallenge: Uint8Array;
    readonly targetName: string;
    readonly targetInfo: TargetInfo;
  },
): Uint8Array {
  const unicode = has(clientFlags, UNICODE);
  const name = Buffer.from(targetName, unicode ? "utf16le" : "latin1");
  const info = encodeTargetInfo(targetInfo);
  const message = beginMessage(TYPE, FIXED_OCTETS + name.length + info.length);
  const ours = (unicode ? UNICODE : OEM) | NTLM | TARGET_TYPE_DOMAIN | TARGET_INFO;
  message.writeUInt32LE((ours | (clientFlags & ECHOED)) >>> 0, FLAGS_AT);
  message.set(serverChallenge, SERVER_CHALLENGE_AT);
  writeField(message, TARGET_NAME_AT, name, FIXED_OCTETS);
  writeField(message, TARGET_INFO_AT, info, FIXED_OCTETS + name.length);
  return message;
}
