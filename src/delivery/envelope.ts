/**
 * What is written before a message where it is delivered (RFC 5321 §4.4): who sent it, and to whom it came.
 *
 * A stranger chooses the sender. One that cannot stand in a header line is left out: refusing the message for
 * it would have the mail system try again for days.
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

/** Whether an address can stand in a header line, between angle brackets too. */
export function fitsHeader(address: string): boolean {
  return Buffer.byteLength(address, "utf8") <= PATH_OCTETS &&
    !/\p{Cc}|[\u2028\u2029\ufffd<>]/u.test(address);
}

/** The header lines that tell the envelope; none for an address that cannot stand in one. */
export function envelopeLines({ sender, recipient }: Envelope): Uint8Array {
  const from = sender === undefined || !fitsHeader(sender) ? "" : `Return-Path: <${sender}>\n`;
  const to = fitsHeader(recipient) ? `Delivered-To: ${recipient}\n` : "";
  return Buffer.from(`${from}${to}`, "utf8");
}
