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

/**
 * What a limit per address counts as one address. Of IPv6 that is the network of 64 bits: RFC 6177 gives
 * every site at least one, so that a single client has 2^64 addresses to come from. Two kinds are told
 * apart further, since strangers share their first 64 bits: link-local addresses (RFC 4291 §2.5.6), and
 * IPv4 clients that a translator writes as IPv6 (RFC 6052 §2.1).
 *
 * @param address In the spelling of `plainAddress`.
 */
export function countedAddress(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  const between = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<number>(between).fill(0), ...after];
  const isLinkLocal = (groups[0]! & 0xffc0) === 0xfe80;
  const isTranslated = groups[0] === 0x64 && groups[1] === 0xff9b;
  const counted = isLinkLocal || isTranslated ? groups : groups.slice(0, 4);
  return counted.map((group) => group.toString(16)).join(":");
}

/** The groups of 16 bits in a part of an address; an IPv4 address at its end is two of them. */
function groupsOf(part: string): number[] {
  if (part === "") return [];
  return part.split(":").flatMap((group) => {
    if (!group.includes(".")) return [parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a << 8 | b, c << 8 | d];
  });
}

/** Address and port in one, IPv6 in brackets (RFC 5952 §6). */
export function addressAndPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
