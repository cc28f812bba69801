/**
 * AV pairs, the attributes that server and client tell each other ([MS-NLMP] §2.2.2.1): each an id, a
 * length and a value, up to the pair MsvAvEOL.
 */

import { Buffer } from "node:buffer";

export const AvId = {
  end: 0,
  netbiosComputer: 1,
  netbiosDomain: 2,
  dnsComputer: 3,
  dnsDomain: 4,
  flags: 6,
  timestamp: 7,
  channelBindings: 10,
} as const;

/** The bit of `AvId.flags` by which a client says that its message has a MIC. */
export const AV_FLAG_MIC = 0x2;

/** Values by id, in their order. */
export type TargetInfo = ReadonlyMap<number, Uint8Array>;

const PAIR_START_OCTETS = 4;

export function encodeTargetInfo(pairs: TargetInfo): Buffer {
  const end: [number, Uint8Array] = [AvId.end, new Uint8Array()];
  return Buffer.concat([...pairs, end].flatMap(([id, value]) => {
    const start = Buffer.alloc(PAIR_START_OCTETS);
    start.writeUInt16LE(id, 0);
    start.writeUInt16LE(value.length, 2);
    return [start, value];
  }));
}

/**
 * Reads pairs up to their end; what stands behind it (clients add four octets of zero) is not looked at.
 * Undefined if the octets end first, or an id comes twice and nobody could say which one counts.
 */
export function parseTargetInfo(octets: Uint8Array): TargetInfo | undefined {
  const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  const pairs = new Map<number, Uint8Array>();
  for (let at = 0; at + PAIR_START_OCTETS <= buffer.length;) {
    const id = buffer.readUInt16LE(at);
    const start = at + PAIR_START_OCTETS;
    const end = start + buffer.readUInt16LE(at + 2);
    if (id === AvId.end) return end === start ? pairs : undefined;
    if (end > buffer.length || pairs.has(id)) return undefined;
    pairs.set(id, buffer.subarray(start, end));
    at = end;
  }
  return undefined;
}

/** Whether every pair that was sent came back, unaltered. */
export function holdsAll(returned: TargetInfo, sent: TargetInfo): boolean {
  return [...sent].every(([id, value]) => {
    const found = returned.get(id);
    return found !== undefined && Buffer.compare(found, value) === 0;
  });
}
