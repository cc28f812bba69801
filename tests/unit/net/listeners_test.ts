/** How the places that are listened on change: all that was asked for, or nothing. */

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import type { Binding } from "../../../src/net/listener.ts";
import { ListenFailure } from "../../../src/net/listener.ts";
import { Listeners } from "../../../src/net/listeners.ts";
import { freePort, twoFreePorts } from "../../support/free_port.ts";

function plain(address: string, port: number): Binding {
  return { address, port, security: "plain" };
}

async function withListeners(run: (listeners: Listeners) => Promise<void>): Promise<void> {
  const listeners = new Listeners((socket, listener) => {
    socket.on("error", () => {});
    socket.end(`${listener.binding.address} ${listener.binding.security}`);
  });
  try {
    await run(listeners);
  } finally {
    listeners.closeAll();
  }
}

/** What the listener at a port says, or undefined if there is none. */
async function sayingAt(port: number): Promise<string | undefined> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  let said = "";
  socket.on("data", (chunk) => said += chunk);
  try {
    await once(socket, "close");
    return said === "" ? undefined : said;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** An address that is for documentation only (RFC 5737), so that no machine has it. */
const NOT_OURS = plain("192.0.2.1", 1_110);

test("each binding is listened on, and its clients come with it", () =>
  withListeners(async (listeners) => {
    const [one, other] = await twoFreePorts();
    await listeners.change([
      plain("127.0.0.1", one),
      { ...plain("127.0.0.1", other), security: "implicit-tls" },
    ]);
    assert.equal(await sayingAt(one), "127.0.0.1 plain");
    assert.equal(await sayingAt(other), "127.0.0.1 implicit-tls");
    assert.deepEqual(listeners.all.map(({ port }) => port), [one, other]);
  }));

test("if one binding cannot be had, none is listened on", () =>
  withListeners(async (listeners) => {
    const port = await freePort();
    await assert.rejects(
      listeners.change([plain("127.0.0.1", port), NOT_OURS]),
      (error: unknown) =>
        error instanceof ListenFailure && error.port === NOT_OURS.port &&
        /^Cannot listen on 192\.0\.2\.1:1110: this machine has no such address$/.test(
          error.message,
        ),
    );
    assert.equal(await sayingAt(port), undefined);
    assert.deepEqual(listeners.all, []);
  }));

test("a binding that stays is the same listener, and its security can change", () =>
  withListeners(async (listeners) => {
    const [stays, goes] = await twoFreePorts();
    await listeners.change([plain("127.0.0.1", stays), plain("127.0.0.1", goes)]);
    const [before] = listeners.all;
    await listeners.change([{ ...plain("127.0.0.1", stays), security: "implicit-tls" }]);
    assert.equal(listeners.all.length, 1);
    assert.equal(listeners.all[0], before);
    assert.equal(await sayingAt(stays), "127.0.0.1 implicit-tls");
    assert.equal(await sayingAt(goes), undefined);
  }));

for (const [from, to] of [["0.0.0.0", "127.0.0.1"], ["127.0.0.1", "0.0.0.0"]] as const) {
  test(`a port goes from ${from} to ${to}, though one hides the other`, () =>
    withListeners(async (listeners) => {
      const port = await freePort();
      await listeners.change([plain(from, port)]);
      await listeners.change([plain(to, port)]);
      assert.equal(await sayingAt(port), `${to} plain`);
    }));

  test(`a change from ${from} to ${to} that fails elsewhere leaves ${from}`, () =>
    withListeners(async (listeners) => {
      const port = await freePort();
      await listeners.change([plain(from, port)]);
      await assert.rejects(listeners.change([plain(to, port), NOT_OURS]), ListenFailure);
      assert.equal(await sayingAt(port), `${from} plain`);
      assert.deepEqual(listeners.all.map(({ binding }) => binding.address), [from]);
      // Nothing is stuck: what can be had is had.
      await listeners.change([plain(to, port)]);
      assert.equal(await sayingAt(port), `${to} plain`);
    }));
}
