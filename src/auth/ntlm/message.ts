/**
 * What the three NTLM messages share ([MS-NLMP] §2.2.1): signature, type, and fields that say where in the
 * message their octets stand.
 *
 * *Knows* octets. *Does not know* what any message is for.
 */

import { Buffer } from "node:buffer";

const SIGNATURE = Buffer.from("NTLMSSP\0", "latin1");

/** Octets of signature and type, with which every message begins. */
export const MESSAGE_START_OCTETS = 12;

/** Octets of a field: length, space (ignored on receipt) and offset. */
export const FIELD_OCTETS = 8;

/** A field that was found inside of its message. */
export interface Field {
  readonly octets: Uint8Array;
  /** Where it begins; undefined for an empty one, whose offset says nothing. */
  readonly offset: number | undefined;
}

/** The message as a Buffer over the same octets; undefined unless it is of this type and this long. */
export function openMessage(
  octets: Uint8Array,
  type: number,
  minOctets: number,
): Buffer | undefined {
  const message = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  if (message.length < Math.max(minOctets, MESSAGE_START_OCTETS)) return undefined;
  if (!message.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return undefined;
  return message.readUInt32LE(SIGNATURE.length) === type ? message : undefined;
}

/** Writes signature and type into a new message of `octets` octets, the rest zero. */
export function beginMessage(type: number, octets: number): Buffer {
  const message = Buffer.alloc(octets);
  SIGNATURE.copy(message);
  message.writeUInt32LE(type, SIGNATURE.length);
  return message;
}

/** Reads the field at `at`; undefined unless it lies wholly in the message and behind its fixed part. */
export function readField(message: Buffer, at: number, fixedOctets: number): Field | undefined {
  const length = message.readUInt16LE(at);
  const offset = message.readUInt32LE(at + 4);
  if (length === 0) return { octets: new Uint8Array(), offset: undefined };
  if (offset < fixedOctets || offset + length > message.length) return undefined;
  return { octets: message.subarray(offset, offset + length), offset };
}

/** Writes a field at `at` that points to `octets` at `offset`, and the octets there. */
export function writeField(message: Buffer, at: number, octets: Uint8Array, offset: number): void {
  message.writeUInt16LE(octets.length, at);
  message.writeUInt16LE(octets.length, at + 2);
  message.writeUInt32LE(offset, at + 4);
  message.set(octets, offset);
}
