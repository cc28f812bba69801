/** What counts as one client where something is limited by address. Pure: text in, text out. */

/**
 * What a limit per address counts as one address. Of IPv6 that is the network of 64 bits: RFC 6177 gives
 * every site at least one, so that a single client has 2^64 addresses to come from. Three kinds are told
 * apart further, since strangers share their first 64 bits: link-local addresses (RFC 4291 §2.5.6), IPv4
 * clients that a translator writes as IPv6 (RFC 6052 §2.1), and what has no first bits (RFC 4291 §2.5).
 *
 * @param address An IPv4-mapped one written as the IPv4 address, and none with a zone.
 */
export function countedAddress(address: string): string {
  const groups = countedGroups(address);
  return groups === undefined ? address : written(groups);
}

/**
 * The network around what `countedAddress` counts that may be one client's as well: of IPv6 that of 48 bits,
 * the largest that a site is given (RFC 6177 §2). Undefined for all others: an IPv4 address is one client,
 * and who is counted by the whole address has strangers around.
 */
export function siteOf(address: string): string | undefined {
  const groups = countedGroups(address);
  return groups?.length === 4 ? written(groups.slice(0, 3)) : undefined;
}

function written(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(":");
}

/** The eight groups of 16 bits of an IPv6 address; of a text that is none, whatever number there is. */
export function ipv6Groups(address: string): readonly number[] {
  const [head = "", tail] = address.toLowerCase().split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  const between = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array<number>(between).fill(0), ...after];
}

/** Undefined for IPv4. */
function countedGroups(address: string): readonly number[] | undefined {
  if (!address.includes(":")) return undefined;
  const groups = ipv6Groups(address);
  const isLinkLocal = (groups[0]! & 0xffc0) === 0xfe80;
  const isTranslated = groups[0] === 0x64 && groups[1] === 0xff9b;
  const hasNoNetwork = groups.slice(0, 4).every((group) => group === 0);
  return isLinkLocal || isTranslated || hasNoNetwork ? groups : groups.slice(0, 4);
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
