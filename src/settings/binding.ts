/** Addresses to listen on, as "0.0.0.0:110" and "[::]:110" name them. */

import { isIPv4, isIPv6 } from "node:net";

/** One place to listen on. Port 0 takes any free port. */
export interface Binding {
  readonly address: string;
  readonly port: number;
}

/**
 * Reads "address:port" or "[v6-address]:port"; undefined for anything else.
 *
 * Names are not looked up, since a server should not wait for DNS to start; and ":110" is not taken,
 * since it leaves open whether IPv4, IPv6 or both are meant.
 */
export function parseBinding(text: string): Binding | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, v6, v4] = match;
  const port = Number(match[3]);
  if (port > 65_535) return undefined;
  if (v6 !== undefined) return isIPv6(v6) ? { address: v6, port } : undefined;
  return v4 !== undefined && isIPv4(v4) ? { address: v4, port } : undefined;
}

/** Writes a binding as `parseBinding` reads it. */
export function formatBinding({ address, port }: Binding): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether only this machine can connect to the address. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1" ||
    /^::ffff:127\./i.test(address);
}
