/** Who may connect by an address, which tests on this machine alone cannot show from outside. */

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type LmtpListening, LmtpServer } from "../../../../src/net/lmtp/lmtp_server.ts";
import { freePort } from "../../../support/free_port.ts";
import { LmtpClient } from "../../../support/lmtp_client.ts";

function listening(port: number, isTrusted: (address: string) => boolean): LmtpListening {
  return {
    bindings: [{ address: "127.0.0.1", port, security: "plain", protocol: "lmtp" }],
    sockets: [],
    isTrusted,
    serverName: "mail.example.com",
    mostOctets: 1_000,
    maxBadCommands: 10,
    services: {
      recipient: () => Promise.reject(new Error("not asked")),
      deliver: () => Promise.reject(new Error("not asked")),
    },
  };
}

/** All that is said to somebody who connects and waits. */
async function said(port: number): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (octets) => text += octets);
  socket.on("error", () => {});
  await once(socket, "close");
  return text;
}

test("whoever is not trusted hears nothing, and a change holds for the next one", async () => {
  const port = await freePort();
  const server = new LmtpServer({ sharedPorts: false });
  const asked: string[] = [];
  const untrusting = listening(port, (address) => {
    asked.push(address);
    return false;
  });
  const change = await server.prepare(untrusting);
  assert.equal(await said(port), "", "nobody is served before it is kept");
  change.keep();
  assert.equal(await said(port), "");
  assert.deepEqual(asked, ["127.0.0.1"]);
  (await server.prepare(listening(port, () => true))).keep();
  const { client } = await LmtpClient.greeted({ port });
  await client.quit();
  const undone = await server.prepare({ ...untrusting, bindings: [] });
  await undone.undo();
  await (await LmtpClient.greeted({ port })).client.quit();
  await server.stop(0);
  await assert.rejects(LmtpClient.connect({ port }));
});

test("a fault in popkeep is no refusal, and is told to the log alone", async () => {
  const port = await freePort();
  const server = new LmtpServer({ sharedPorts: false });
  (await server.prepare(listening(port, () => true))).keep();
  const { client } = await LmtpClient.greeted({ port });
  await client.asked("MAIL FROM:<>", /^250/);
  await client.asked("RCPT TO:<x>", /^451 4\.3\.0 a fault in popkeep, see its log$/);
  await client.quit();
  await server.stop(0);
});

test("who says nothing is sent away, in a message too; who waits for us is not", async () => {
  const port = await freePort();
  const server = new LmtpServer({ sharedPorts: false });
  const whole: boolean[] = [];
  const { services, ...others } = listening(port, () => true);
  const slow = {
    ...services,
    recipient: async (address: string) => {
      await sleep(1_000);
      return { address };
    },
    deliver: async ({ octets }: { readonly octets: AsyncIterable<Uint8Array> }) => {
      try {
        for await (const _ of octets);
        whole.push(true);
        return [{ code: 250, status: "2.0.0", text: "saved" }];
      } catch (error) {
        whole.push(false);
        throw error;
      }
    },
  };
  (await server.prepare({ ...others, services: slow, idleMs: 300 })).keep();
  const idle = (await LmtpClient.greeted({ port })).client;
  const within = (await LmtpClient.greeted({ port })).client;
  await within.begin(["x"]);
  within.send("half a message\r\n");
  for (const client of [idle, within]) {
    assert.match(await client.untilClosed(), /^421 4\.4\.2 Timeout/);
    client.vanish();
  }
  const giveUpAtMs = performance.now() + 30_000;
  while (whole.length === 0 && performance.now() < giveUpAtMs) await sleep(10);
  assert.deepEqual(whole, [false]);
  await server.stop(0);
});
