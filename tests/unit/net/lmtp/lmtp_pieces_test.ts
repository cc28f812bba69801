/** Messages that are made to keep others waiting: of lines with dots, of small pieces, and that never end. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { LMTP_PIECE_OCTETS } from "../../../../src/limits.ts";
import type { LmtpMessage, LmtpReply } from "../../../../src/net/lmtp/lmtp_services.ts";
import { type LmtpListening, LmtpServer } from "../../../../src/net/lmtp/lmtp_server.ts";
import { freePort } from "../../../support/free_port.ts";
import { LmtpClient } from "../../../support/lmtp_client.ts";

const SAVED: LmtpReply = { code: 250, status: "2.0.0", text: "saved" };

/** 100 kB, so that it has a second piece. */
const LONG = "a line of a message\r\n".repeat(5_000);

interface Received {
  pieces: number;
  text: string;
  /** Why it is not whole. */
  fault?: unknown;
}

async function withServer(
  others: Partial<LmtpListening>,
  body: (port: number, received: Received[]) => Promise<void>,
): Promise<void> {
  const received: Received[] = [];
  const port = await freePort();
  const server = new LmtpServer({ sharedPorts: false });
  const change = await server.prepare({
    bindings: [{ address: "127.0.0.1", port, security: "plain", protocol: "lmtp" }],
    sockets: [],
    isTrusted: () => true,
    serverName: "mail.example.com",
    mostOctets: 10_000_000,
    maxBadCommands: 10,
    services: {
      recipient: (address) => Promise.resolve({ address }),
      deliver: async ({ octets, recipients }: LmtpMessage<object>) => {
        const message: Received = { pieces: 0, text: "" };
        received.push(message);
        try {
          for await (const piece of octets) {
            message.pieces++;
            message.text += String(piece);
          }
        } catch (error) {
          message.fault = error;
          throw error;
        }
        return recipients.map(() => SAVED);
      },
    },
    ...others,
  });
  change.keep();
  try {
    await body(port, received);
  } finally {
    await server.stop(0);
  }
}

async function begun(port: number, recipients: number): Promise<LmtpClient> {
  const { client } = await LmtpClient.greeted({ port });
  await client.begin(Array<string>(recipients).fill("x"));
  return client;
}

test("a message whose lines begin with dots is handed on in few pieces, not one for each line", async () => {
  await withServer({}, async (port, received) => {
    const message = ".\r\n".repeat(200_000);
    const { client } = await LmtpClient.greeted({ port });
    assert.deepEqual(await client.deliver(["x"], message), ["250 2.0.0 saved"]);
    await client.quit();
    const [{ pieces, text }] = received as [Received];
    assert.ok(text === message);
    assert.equal(pieces, Math.ceil(message.length / LMTP_PIECE_OCTETS));
  });
});

test("a message that is sent octet by octet is handed on in one piece", async () => {
  await withServer({}, async (port, received) => {
    const client = await begun(port, 1);
    client.socket.setNoDelay(true);
    for (const octet of "Subject: x\r\n\r\n.\r\n") {
      client.send(octet);
      await new Promise((go) => setTimeout(go, 2));
    }
    assert.equal(await client.reply(), "250 2.0.0 saved");
    await client.quit();
    assert.deepEqual(received, [{ pieces: 1, text: "Subject: x\r\n\r\n" }]);
  });
});

test("doubled dots stay where no line begins, behind a bare LF", async () => {
  await withServer({}, async (port, received) => {
    const client = await begun(port, 1);
    client.send("a\n..b\r\n..c\r\n.\r\n");
    assert.equal(await client.reply(), "250 2.0.0 saved");
    await client.quit();
    assert.equal(received[0]!.text, "a\n..b\r\n.c\r\n");
  });
});

test("clients that send nothing behind DATA keep no places from others", async () => {
  await withServer({}, async (port, received) => {
    const silent = [await begun(port, 100), await begun(port, 28)];
    const third = await begun(port, 1);
    third.send(".\r\n");
    assert.equal(await third.reply(), "250 2.0.0 saved");
    await third.quit();
    assert.equal(received.length, 1);
    for (const one of silent) one.vanish();
  });
});

test("clients that stop in the middle of a message are sent away, and give their places to others", async () => {
  await withServer({ pieceMs: 500 }, async (port, received) => {
    const stopped = [await begun(port, 100), await begun(port, 28)];
    for (const one of stopped) one.send(LONG);
    const third = await begun(port, 1);
    third.send(".\r\n");
    assert.equal(await third.reply(), "250 2.0.0 saved");
    await third.quit();
    for (const one of stopped) {
      assert.equal(
        await one.untilClosed(),
        "421 4.4.2 the message comes too slowly\r\n",
      );
      one.vanish();
    }
    const faults = received.flatMap(({ fault }) => fault === undefined ? [] : [String(fault)]);
    assert.deepEqual(faults, Array(2).fill("Error: the client sends too slowly"));
  });
});

test("a client that sends each piece just in time is sent away when all took too long", async () => {
  await withServer({ pieceMs: 60_000, messageMs: 700 }, async (port, received) => {
    const slow = await begun(port, 1);
    const drip = setInterval(() => slow.send("x".repeat(LMTP_PIECE_OCTETS)), 450);
    try {
      assert.equal(await slow.untilClosed(), "421 4.4.2 the message comes too slowly\r\n");
    } finally {
      clearInterval(drip);
      slow.vanish();
    }
    const [{ pieces, fault }] = received as [Received];
    assert.ok(pieces >= 1);
    assert.equal(String(fault), "Error: the client sends too slowly");
  });
});

test("a message of any length may come whose pieces come promptly", async () => {
  await withServer({ messageMs: 1_000 }, async (port, received) => {
    const client = await begun(port, 1);
    const piece = "x".repeat(LMTP_PIECE_OCTETS - 2) + "\r\n";
    for (let pieces = 0; pieces < 25; pieces++) {
      client.send(piece);
      await new Promise((go) => setTimeout(go, 100));
    }
    client.send(".\r\n");
    assert.equal(await client.reply(), "250 2.0.0 saved");
    await client.quit();
    assert.equal(received[0]!.pieces, 25);
  });
});

test("a client is not late while we are busy with its message", async () => {
  const services: LmtpListening["services"] = {
    recipient: (address) => Promise.resolve({ address }),
    deliver: async ({ octets }) => {
      for await (const _ of octets) await new Promise((go) => setTimeout(go, 1_000));
      return [SAVED];
    },
  };
  await withServer({ services, pieceMs: 500 }, async (port) => {
    const { client } = await LmtpClient.greeted({ port });
    assert.deepEqual(await client.deliver(["x"], LONG), ["250 2.0.0 saved"]);
    await client.quit();
  });
});

test("what of a message nobody has read is read to its end, and no command", async () => {
  const services: LmtpListening["services"] = {
    recipient: (address) => Promise.resolve({ address }),
    deliver: () => Promise.reject(new Error("a fault")),
  };
  await withServer({ services }, async (port) => {
    const { client } = await LmtpClient.greeted({ port });
    for (const message of ["x\r\n", "QUIT\r\n".repeat(200_000)]) {
      assert.match((await client.deliver(["x"], message))[0]!, /^451 4\.3\.0 /);
    }
    const closed = once(client.socket, "close");
    await client.quit();
    await closed;
  });
});
