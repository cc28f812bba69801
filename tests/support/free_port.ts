/** Ports for servers that cannot choose their own. */

import { once } from "node:events";
import net from "node:net";

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const { port, release } = await heldPort();
  await release();
  return port;
}

/** Two of them: one that was released before the next is chosen could be chosen again. */
export async function twoFreePorts(): Promise<[number, number]> {
  const [one, other] = [await heldPort(), await heldPort()];
  await Promise.all([one.release(), other.release()]);
  return [one.port, other.port];
}

async function heldPort(): Promise<{ port: number; release: () => Promise<unknown> }> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  return { port, release: () => once(server.close(), "close") };
}
