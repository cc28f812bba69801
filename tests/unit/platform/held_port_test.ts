import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { holdPort } from "../../../src/platform/held_port.ts";

/** A server, or the code of why there is none. */
async function listen(options: net.ListenOptions): Promise<net.Server | string> {
  const server = net.createServer();
  server.listen(options);
  try {
    await once(server, "listening");
    return server;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "";
  }
}

for (const address of ["127.0.0.1", "0.0.0.0", "::1", "::"]) {
  test(`a port of ${address} that is held is for those only who share it`, async () => {
    const held = holdPort(address, 0);
    if (held === undefined && address.includes(":")) return;
    assert.ok(held !== undefined && held.port > 0);
    const { port } = held;
    const ipv6Only = address.includes(":");
    assert.equal(await listen({ host: address, port, ipv6Only }), "EADDRINUSE");
    assert.equal(holdPort(address, port), undefined, "nobody holds it twice");
    const shared = await listen({ host: address, port, ipv6Only, reusePort: true });
    assert.ok(typeof shared !== "string", String(shared));
    shared.close();
    held.close();
    const free = await listen({ host: address, port, ipv6Only });
    assert.ok(typeof free !== "string", String(free));
    free.close();
  });
}

test("a client finds nobody at a port that is only held", async () => {
  const held = holdPort("127.0.0.1", 0)!;
  const socket = net.connect({ port: held.port, host: "127.0.0.1" });
  const [error] = await once(socket, "error");
  assert.equal((error as NodeJS.ErrnoException).code, "ECONNREFUSED");
  held.close();
});

test("a port that somebody listens on cannot be held", async () => {
  const server = await listen({ host: "127.0.0.1", port: 0 }) as net.Server;
  const { port } = server.address() as net.AddressInfo;
  assert.equal(holdPort("127.0.0.1", port), undefined);
  assert.equal(holdPort("0.0.0.0", port), undefined);
  assert.equal(holdPort("127.0.0.1", port, { shared: true }), undefined);
  server.close();
});

test("one address beside all of them is held where the port is shared", () => {
  const all = holdPort("0.0.0.0", 0)!;
  assert.equal(holdPort("127.0.0.1", all.port), undefined);
  const one = holdPort("127.0.0.1", all.port, { shared: true });
  assert.equal(one?.port, all.port);
  one.close();
  all.close();
});

test("what is no address of this machine is not held", () => {
  for (const address of ["192.0.2.1", "mail.example.com", "fe80::1%lo", ""]) {
    assert.equal(holdPort(address, 0), undefined, address);
  }
});
