/**
 * What is written before a message where it is delivered (RFC 5321 §4.4): who sent it, and to whom it came.
 *
 * *Does not know* where the message is put.
 */

import { Buffer } from "node:buffer";

/** Longest path of an envelope, octets (RFC 5321 §4.5.3.1.3). */
export const PATH_OCTETS = 256;

export interface Envelope {
  /** "" is the null sender of bounces; undefined where nobody told. */
  readonly sender: string | undefined;
  /** For whom it was accepted. */
  readonly recipient: string;
}

/** Why a text can be no address in an envelope, as a clause; undefined if it can. */
export function faultOfAddress(address: string): string | undefined {
  if (Buffer.byteLength(address, "utf8") > PATH_OCTETS) {
    return `has more than ${PATH_OCTETS} octets`;
  }
  if (/\p{Cc}|[\u2028\u2029\ufffd<>]/u.test(address)) {
    return "has characters in it that it cannot have";
  }
  return undefined;
}

/** The header lines that tell the envelope. Addresses have been found to have no fault. */
export function envelopeLines({ sender, recipient }: Envelope): Uint8Array {
  const from = sender === undefined ? "" : `Return-Path: <${sender}>\n`;
  return Buffer.from(`${from}Delivered-To: ${recipient}\n`, "utf8");
}
