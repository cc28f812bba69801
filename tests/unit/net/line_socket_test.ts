/** Lines of an old server that come whole, in pieces, and never to their end. */

import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { LineSocket } from "../../../src/net/old_server/line_socket.ts";

/** What is sent to one client, and what he does with it. */
async function withLines(
  send: (socket: net.Socket) => () => void,
  body: (lines: LineSocket) => Promise<void>,
  timeoutMs = 60_000,
): Promise<void> {
  let stop = () => {};
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    stop = send(socket);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as net.AddressInfo;
  const lines = new LineSocket(net.connect({ port, host: "127.0.0.1" }), timeoutMs);
  try {
    await body(lines);
  } finally {
    stop();
    lines.close();
    server.close();
  }
}

test("lines come as they were sent, in whatever pieces", () =>
  withLines((socket) => {
    socket.write("+OK one\r\ntw");
    const later = setTimeout(() => socket.write("o\r\n"), 50);
    return () => clearTimeout(later);
  }, async (lines) => {
    assert.equal(String(await lines.readLine()), "+OK one");
    assert.equal(String(await lines.readLine()), "two");
  }));

for (
  const [name, octets, everyMs] of [
    ["an octet now and then", "1", 50],
    ["as fast as it can", "1".repeat(16_384), 1],
  ] as const
) {
  test(`a line that never ends is given up in time: ${name}`, () =>
    withLines((socket) => {
      const drip = setInterval(() => socket.write(octets), everyMs);
      return () => clearInterval(drip);
    }, async (lines) => {
      await assert.rejects(lines.readLine(), /no answer within 0\.5 s/);
    }, 500));
}
