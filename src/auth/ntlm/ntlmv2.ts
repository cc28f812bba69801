/**
 * The arithmetic of NTLMv2 ([MS-NLMP] §3.3.2, §3.1.5.1.2). Without key exchange, the exported session key is
 * the session base key, so a MIC needs no RC4.
 */

import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

function hmacMd5(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac("md5", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** NTOWFv2: the user's key. The user name in upper case, the domain exactly as the client hashed it. */
export function responseKey(ntHash: Uint8Array, upperUser: string, domain: string): Uint8Array {
  return hmacMd5(ntHash, Buffer.from(upperUser + domain, "utf16le"));
}

/** NTProofStr: what the client's answer has to begin with. */
export function ntProof(
  key: Uint8Array,
  serverChallenge: Uint8Array,
  clientChallenge: Uint8Array,
): Uint8Array {
  return hmacMd5(key, serverChallenge, clientChallenge);
}

/** SessionBaseKey, and with neither key exchange nor LM in play the ExportedSessionKey. */
export function sessionBaseKey(key: Uint8Array, proof: Uint8Array): Uint8Array {
  return hmacMd5(key, proof);
}

/** The MIC over the three messages, the last with zeros in place of it. */
export function messageIntegrityCode(
  sessionKey: Uint8Array,
  messages: readonly [negotiate: Uint8Array, challenge: Uint8Array, authenticate: Uint8Array],
): Uint8Array {
  return hmacMd5(sessionKey, ...messages);
}

/** Compares octets of a public length in time that does not depend on them. */
export function equalOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
