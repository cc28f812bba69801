/** Network addresses as limits and logs use them. *Knows*: text. *Does not know*: sockets. */

import { ipv6Groups } from "../counted_address.ts";

/** An IPv4 address that reached an IPv6 socket, as the system and RFC 4291 §2.5.5.2 write it. */
const MAPPED_IPV4 = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;

/**
 * The one spelling of a peer's address. An IPv4-mapped IPv6 address is the IPv4 address: it is the
 * same client, so it must not get a second set of limits, in whatever spelling a load balancer tells it. A
 * zone ("%eth0") is no part of who it is.
 */
export function plainAddress(address: string): string {
  const zone = address.indexOf("%");
  const bare = zone < 0 ? address : address.slice(0, zone);
  if (!bare.includes(":")) return bare;
  return MAPPED_IPV4.exec(bare)?.[1] ?? mappedIpv4(ipv6Groups(bare)) ?? bare;
}

/** The IPv4 address that these groups map; undefined if they are another address. */
function mappedIpv4(groups: readonly number[]): string | undefined {
  const [high = 0, low = 0] = groups.slice(6);
  if (groups.length !== 8 || groups[5] !== 0xffff) return undefined;
  if (groups.slice(0, 5).some((group) => group !== 0)) return undefined;
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

/** Address and port in one, IPv6 in brackets (RFC 5952 §6). */
export function addressAndPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
