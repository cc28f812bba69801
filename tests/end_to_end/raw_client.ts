/** What a test needs beside Pop3Client: octets as they come, and a client that does not read. */

import { Buffer } from "node:buffer";
import { once } from "node:events";
import net from "node:net";
import type { Wire } from "../support/wire.ts";

/** All that the server says until it closes, as text. */
export async function readToEnd(wire: Wire): Promise<string> {
  const chunks: Uint8Array[] = [];
  for (let chunk; (chunk = await wire.read()) !== undefined;) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

/** Reads until `text` has come, and returns all that has. Fails if the server closes before. */
export async function readUntil(wire: Wire, text: string): Promise<string> {
  let all = "";
  while (!all.includes(text)) {
    const chunk = await wire.read();
    if (chunk === undefined) throw new Error(`The server closed after ${JSON.stringify(all)}`);
    all += Buffer.from(chunk).toString("latin1");
  }
  return all;
}

/** A connection of which nothing is read, so that what the server sends fills its buffers and stops. */
export async function connectDeaf(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.pause();
  return socket;
}
