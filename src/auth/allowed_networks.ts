/** Addresses and networks: those that a user may log in from (Dovecot's `allow_nets`), and those of settings. */

import { BlockList, isIP, isIPv4 } from "node:net";

/** Tells whether an address is allowed; undefined stands for one that is not known, and never is. */
export type AllowedNetworks = (address: string | undefined) => boolean;

/**
 * Tells whether an address is in one of `networks`, each an address or `address/bits`.
 *
 * @throws {Error} If one of them is neither.
 */
export function addressesIn(networks: readonly string[]): AllowedNetworks {
  if (networks.length === 0) return () => false;
  const all = parseAllowedNetworks(networks.join(","));
  if (all === undefined) throw new Error(`Not addresses and networks: ${networks.join(", ")}`);
  return all;
}

/**
 * Reads `allow_nets`: addresses and `address/bits`, parted by commas. The word `local`, for connections
 * that have no address, allows nothing here.
 *
 * Returns undefined for anything else: a restriction that is not understood must not be left out.
 */
export function parseAllowedNetworks(text: string): AllowedNetworks | undefined {
  const list = new BlockList();
  for (const part of text.split(",")) {
    if (part === "local") continue;
    const [address = "", bits, ...more] = part.split("/");
    // A zone is this machine's name for a link: no part of an address that somebody comes from.
    const version = address.includes("%") ? 0 : isIP(address);
    const longest = version === 4 ? 32 : 128;
    const prefix = bits === undefined ? longest : /^[0-9]{1,3}$/.test(bits) ? Number(bits) : -1;
    if (version === 0 || prefix < 0 || prefix > longest || more.length > 0) return undefined;
    list.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  }
  return (address) => {
    if (address === undefined) return false;
    // An IPv4 client of a socket for both versions.
    const plain = address.replace(/^::ffff:(?=[0-9.]+$)/i, "").replace(/%.*$/, "");
    if (isIP(plain) === 0) return false;
    return list.check(plain, isIPv4(plain) ? "ipv4" : "ipv6");
  };
}
