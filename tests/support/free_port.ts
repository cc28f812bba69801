/**
 * Ports for servers that cannot choose their own.
 *
 * They lie below those that Linux gives to connections (`net.ipv4.ip_local_port_range`): of those, the next
 * connection of any test that runs beside could have the one that was just found to be free.
 */

import { randomInt } from "node:crypto";
import { once } from "node:events";
import net from "node:net";

const FIRST_PORT = 10_000;
const END_PORT = 32_768;

/** So many ports in use one after the other, and something else is wrong. */
const MAX_TRIES = 100;

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
  for (let tries = 1;; tries++) {
    const port = randomInt(FIRST_PORT, END_PORT);
    const server = net.createServer();
    try {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      return { port, release: () => once(server.close(), "close") };
    } catch (error) {
      if (tries === MAX_TRIES) throw error;
    }
  }
}
