/** Values as C has them in memory, on 64-bit systems with the lowest octet first, as all of ours are. */

import { Buffer } from "node:buffer";
import { foreignMemory } from "../../platform/foreign_functions.ts";

/** Octets of an address. */
export const ADDRESS_OCTETS = 8;

/** A text with its NUL. The caller keeps it alive for as long as C may look at it. */
export function textMemory(text: string): Uint8Array {
  return octetsMemory(Buffer.from(text));
}

/** Octets with a NUL behind them. */
export function octetsMemory(octets: Uint8Array): Uint8Array {
  const memory = foreignMemory(octets.length + 1);
  memory.set(octets);
  return memory;
}

/** Addresses, one after the other. */
export function addressesMemory(addresses: readonly bigint[]): Uint8Array {
  const memory = foreignMemory(addresses.length * ADDRESS_OCTETS);
  addresses.forEach((address, at) =>
    viewOf(memory).setBigUint64(at * ADDRESS_OCTETS, address, true)
  );
  return memory;
}

/** The text at a place up to its NUL. */
export function textAt(memory: Uint8Array, at: number): string {
  const end = memory.indexOf(0, at);
  return Buffer.from(memory.subarray(at, end < 0 ? memory.length : end)).toString("utf8");
}

export function addressAt(memory: Uint8Array, at: number): bigint {
  return viewOf(memory).getBigUint64(at, true);
}

export function int32At(memory: Uint8Array, at: number): number {
  return viewOf(memory).getInt32(at, true);
}

export function uint32At(memory: Uint8Array, at: number): number {
  return viewOf(memory).getUint32(at, true);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
