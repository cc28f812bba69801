/** PROXY headers as load balancers make them, and as they had better not. */

import { Buffer } from "node:buffer";
import net from "node:net";

export interface BinaryHeader {
  /** The octet of version and command; version 2 and PROXY unless given. */
  readonly command?: number;
  /** The octet of family and transport. */
  readonly family: number;
  /** What stands behind the fixed part. */
  readonly rest: Uint8Array;
  /** The length that the header says it has; that of `rest` unless given. */
  readonly length?: number;
}

export const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

export function binaryHeader({ command = 0x21, family, rest, length = rest.length }: BinaryHeader) {
  const fixed = Buffer.from([command, family, length >> 8, length & 0xff]);
  return Buffer.concat([SIGNATURE, fixed, rest]);
}

/** Source and target, with ports. */
export function addresses(source: string, sourcePort: number, target: string, targetPort: number) {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(sourcePort, 0);
  ports.writeUInt16BE(targetPort, 2);
  return Buffer.concat([addressOctets(source), addressOctets(target), ports]);
}

/** IPv4, or IPv6 with all of its eight groups written out. */
function addressOctets(address: string): Buffer {
  if (net.isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const groups = address.split(":").map((group) => Number.parseInt(group, 16));
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

export function typedValue(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}

/** What a load balancer says that ended the client's TLS. */
export function sslValue(version: string | undefined, client = 0x01): Buffer {
  const fixed = Buffer.from([client, 0, 0, 0, 0]);
  const named = version === undefined ? [] : [typedValue(0x21, Buffer.from(version, "latin1"))];
  return typedValue(0x20, Buffer.concat([fixed, ...named]));
}
