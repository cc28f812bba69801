/** Network addresses as limits and logs use them. *Knows*: text. *Does not know*: sockets. */

/** An IPv4 address that reached an IPv6 socket, as RFC 4291 §2.5.5.2 writes it. */
const MAPPED_IPV4 = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;

/**
 * The one spelling of a peer's address. An IPv4-mapped IPv6 address is the IPv4 address: it is the
 * same client, so it must not get a second set of limits. A zone ("%eth0") is no part of who it is.
 */
export function plainAddress(address: string): string {
  const zone = address.indexOf("%");
  const bare = zone < 0 ? address : address.slice(0, zone);
  return MAPPED_IPV4.exec(bare)?.[1] ?? bare;
}

/** Address and port in one, IPv6 in brackets (RFC 5952 §6). */
export function addressAndPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
