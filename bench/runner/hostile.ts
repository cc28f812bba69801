/**
 * Clients that mean harm, several hundred at once. What a server answers does not matter here, only that
 * it lives and what it has kept of it afterwards (works/memory.ts).
 */

import { Buffer } from "node:buffer";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Target {
  readonly plainPort: number;
  readonly tlsPort: number;
  /** Users are this and a number, 0 to 49. */
  readonly user: string;
}

const CLIENTS_A_KIND = 200;
const HELD_MS = 5000;

/** Wrong passwords come last: whoever guesses is answered later and later. */
export async function actHostile(target: Target): Promise<void> {
  await all(target.plainPort, () => Buffer.alloc(1 << 20, "A")); // a line without an end
  await all(target.plainPort, (client) =>
    // asks for all mail many times over and reads none of it
    `USER ${target.user}${client % 50}\r\nPASS secret\r\n${retrieveAll()}`, { reads: false });
  await all(target.tlsPort, () => Buffer.from([22, 3, 1, 2, 0, 1])); // half a TLS handshake
  await all(target.plainPort, () => "NOOP NOOP\r\n".repeat(20_000)); // nonsense without a pause
  await all(target.plainPort, (client) => `USER ${target.user}${client % 50}\r\nPASS wrong\r\n`);
}

function retrieveAll(): string {
  let commands = "";
  for (let message = 1; message <= 200; message++) commands += `RETR ${message}\r\n`;
  return commands;
}

/** Connects them all, lets each send what it has, holds them, and breaks the connections off. */
async function all(
  port: number,
  send: (client: number) => string | Uint8Array,
  { reads = true } = {},
): Promise<void> {
  const sockets: net.Socket[] = [];
  for (let client = 0; client < CLIENTS_A_KIND; client++) {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => {}); // being thrown out is what it deserves
    socket.once("connect", () => {
      if (reads) socket.resume();
      else socket.pause();
      socket.write(send(client));
    });
    sockets.push(socket);
  }
  await sleep(HELD_MS);
  for (const socket of sockets) socket.destroy();
  await sleep(200);
}
