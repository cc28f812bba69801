/** Whether a server answers: a connection gets a greeting. */

import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Tries until the port has greeted; false when it is `until`, by performance.now(). */
export async function greets(port: number, until: number): Promise<boolean> {
  while (performance.now() < until) {
    if (await greetsNow(port)) return true;
    await sleep(1);
  }
  return false;
}

function greetsNow(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("data", (octets) => {
      socket.destroy();
      resolve(octets.toString("latin1").startsWith("+OK"));
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}
