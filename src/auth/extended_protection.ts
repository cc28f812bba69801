/**
 * Extended protection: the client's proof says which TLS channel it was made for, so that a server in the
 * middle cannot pass it on ([MS-NLMP] §3.2.5.1.2, RFC 5929 §4; Exchange's ExtendedProtectionPolicy).
 */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { SecureChannel } from "./secure_channel.ts";
import { serverEndPoint } from "./server_end_point.ts";

/**
 * - `none`: what a client says of channels is not looked at.
 * - `allow`: it may say nothing; what it says has to be right.
 * - `require`: it has to say, and be right.
 */
export type ExtendedProtection = "none" | "allow" | "require";

/** What a client's MsvAvChannelBindings has to be on this channel; undefined where nobody can tell. */
export function expectedBindings(channel: SecureChannel | undefined): Uint8Array | undefined {
  const certificate = channel?.serverCertificate;
  const hash = certificate === undefined ? undefined : serverEndPoint(certificate);
  return hash === undefined ? undefined : channelBindingsHash(hash);
}

/**
 * MD5 of the gss_channel_bindings structure (RFC 2744 §3.11 in the layout of RFC 4121 §4.1.1.2): no
 * addresses, then the length and the octets of the application data.
 */
export function channelBindingsHash(certificateHash: Uint8Array): Uint8Array {
  const prefix = Buffer.from("tls-server-end-point:", "latin1");
  const structure = Buffer.alloc(20);
  structure.writeUInt32LE(prefix.length + certificateHash.length, 16);
  return createHash("md5").update(structure).update(prefix).update(certificateHash).digest();
}

/** Whether any client could meet the policy on this channel. */
export function canBeMet(policy: ExtendedProtection, expected: Uint8Array | undefined): boolean {
  return policy !== "require" || expected !== undefined;
}

/** Whether what the client says of its channel meets the policy. */
export function meetsPolicy(
  policy: ExtendedProtection,
  said: Uint8Array | undefined,
  expected: Uint8Array | undefined,
): boolean {
  if (policy === "none") return true;
  if (said === undefined) return policy === "allow";
  // Bindings where we see no TLS at all: whoever ended the client's TLS is not us.
  return expected !== undefined && said.length === expected.length &&
    timingSafeEqual(said, expected);
}
