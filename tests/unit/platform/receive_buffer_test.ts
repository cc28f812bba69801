/** What one reading brings of a client who sends as fast as he may. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { boundReceiving } from "../../../src/platform/receive_buffer.ts";

const BOUND_OCTETS = 16_384;

/** Deno reads so many at a time, whatever the system has. */
const DENO_READS_OCTETS = 65_536;

const SENT_OCTETS = 600_000;

test("one reading brings no more than the bound and what the system adds", async () => {
  const server = net.createServer({ allowHalfOpen: true });
  server.listen({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  boundReceiving(server, BOUND_OCTETS);
  const accepting = once(server, "connection");
  const client = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  const [socket] = await accepting as [net.Socket];
  const brought: number[] = [];
  socket.pause();
  client.end(Buffer.alloc(SENT_OCTETS));
  await sleep(100);
  socket.on("data", (octets: Uint8Array) => {
    brought.push(octets.length);
    // The sender fills what the system has for him.
    socket.pause();
    setTimeout(() => socket.resume(), 5);
  });
  const ended = once(socket, "end");
  socket.resume();
  await ended;
  const most = "Deno" in globalThis ? DENO_READS_OCTETS : 2 * BOUND_OCTETS;
  assert.equal(brought.reduce((sum, octets) => sum + octets, 0), SENT_OCTETS);
  assert.ok(Math.max(...brought) <= most, `${brought}`);
  socket.destroy();
  server.close();
});

test("a server that does not listen is left as it is", () => {
  assert.doesNotThrow(() => boundReceiving(net.createServer(), BOUND_OCTETS));
});
