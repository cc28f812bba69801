/** Who is begun with when many connect at once, and what becomes of those who have to wait. */

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  CLOSED_A_TURN,
  NEWCOMERS_A_TURN,
  NEWCOMERS_WAITING,
  TLS_NEWCOMER,
} from "../../../src/limits.ts";
import type { Listener } from "../../../src/net/listener.ts";
import { Newcomers } from "../../../src/net/newcomers.ts";

const LISTENER = { binding: { security: "plain" } } as Listener;
const TLS_LISTENER = { binding: { security: "implicit-tls" } } as Listener;

class FakeNewcomer extends EventEmitter {
  readonly remoteAddress: string | undefined;
  paused = false;
  destroyed = false;

  constructor(remoteAddress: string | undefined) {
    super();
    this.remoteAddress = remoteAddress;
  }

  pause(): void {
    this.paused = true;
  }

  destroy(): void {
    this.destroyed = true;
  }
}

function room() {
  const begun: FakeNewcomer[] = [];
  const newcomers = new Newcomers((socket) => begun.push(socket as unknown as FakeNewcomer));
  const come = (address: string | undefined, count = 1) =>
    Array.from({ length: count }, () => {
      const socket = new FakeNewcomer(address);
      newcomers.came(socket as unknown as Socket, LISTENER);
      return socket;
    });
  return { begun, newcomers, come };
}

test("the first few of a turn are begun with at once, and not paused", async () => {
  const { begun, come } = room();
  for (let turn = 0; turn < 3; turn++) {
    const sockets = come("192.0.2.1", NEWCOMERS_A_TURN);
    assert.deepEqual(begun.splice(0), sockets);
    assert.ok(sockets.every(({ paused }) => !paused));
    await nextTurn();
  }
});

test("a client that comes again as soon as it is begun with does not keep the turn for ever", async () => {
  let comeAgain = true;
  let begun = 0;
  const newcomers: Newcomers = new Newcomers(() => {
    begun++;
    if (comeAgain) newcomers.came(new FakeNewcomer("192.0.2.1") as unknown as Socket, LISTENER);
  });
  newcomers.came(new FakeNewcomer("192.0.2.1") as unknown as Socket, LISTENER);
  assert.equal(begun, NEWCOMERS_A_TURN);
  await nextTurn();
  comeAgain = false;
  assert.ok(begun > NEWCOMERS_A_TURN, "and goes on in the next");
});

test("fewer at once begin with a TLS handshake, which is dear", () => {
  const begun: Socket[] = [];
  const newcomers = new Newcomers((socket) => begun.push(socket));
  for (let count = 0; count < NEWCOMERS_A_TURN; count++) {
    newcomers.came(new FakeNewcomer("192.0.2.1") as unknown as Socket, TLS_LISTENER);
  }
  assert.equal(begun.length, NEWCOMERS_A_TURN / TLS_NEWCOMER);
});

test("a flood from one address makes no other wait behind it", async () => {
  const { begun, come } = room();
  come("192.0.2.1", 1_000);
  const [other] = come("198.51.100.1");
  begun.length = 0;
  await nextTurn();
  assert.ok(begun.includes(other!), "in the very next turn");
  assert.ok(begun.length <= NEWCOMERS_A_TURN);
});

test("one IPv6 network is one address", async () => {
  const { begun, come } = room();
  come("192.0.2.1", NEWCOMERS_A_TURN);
  for (let host = 0; host < 200; host++) come(`2001:db8::${host.toString(16)}`);
  const [other] = come("2001:db8:1::1");
  begun.length = 0;
  await nextTurn();
  assert.ok(begun.indexOf(other!) === 1);
});

test("everybody who waits has his turn, in order, but for who has gone meanwhile", async () => {
  const { begun, come } = room();
  const sockets = come("192.0.2.1", 3 * NEWCOMERS_A_TURN);
  const gone = sockets[NEWCOMERS_A_TURN + 1]!;
  gone.emit("error", new Error("reset"));
  gone.destroy();
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  assert.deepEqual(begun, sockets.filter((socket) => socket !== gone));
  assert.ok(begun.slice(NEWCOMERS_A_TURN).every(({ paused }) => paused));
  assert.ok(begun.every((socket) => socket.listenerCount("error") === 0), "that is the next one's");
});

test("there is an end to how many wait: more are closed, a part a turn, so that they cannot come at once", async () => {
  const { begun, come } = room();
  const sockets = come("192.0.2.1", NEWCOMERS_A_TURN + NEWCOMERS_WAITING + CLOSED_A_TURN + 3);
  const closed = () => sockets.filter(({ destroyed }) => destroyed).length;
  assert.equal(closed(), 0);
  await nextTurn();
  assert.equal(closed(), CLOSED_A_TURN);
  assert.equal(begun.length, 2 * NEWCOMERS_A_TURN);
  await nextTurn();
  assert.equal(closed(), CLOSED_A_TURN + 3);
});

test("where there is no room for sockets at all, one is closed at once", () => {
  const newcomers = new Newcomers(() => {}, { most: 2, room: () => 5 });
  const sockets = Array.from({ length: NEWCOMERS_A_TURN + 8 }, () => new FakeNewcomer("192.0.2.1"));
  for (const socket of sockets) newcomers.came(socket as unknown as Socket, LISTENER);
  assert.equal(sockets.filter(({ destroyed }) => destroyed).length, 3);
  newcomers.destroyAll();
  assert.equal(sockets.filter(({ destroyed }) => destroyed).length, 8);
});

test("where no more may wait, those go first who came most", async () => {
  const { begun, come } = room();
  const flood = come("192.0.2.1", NEWCOMERS_A_TURN + NEWCOMERS_WAITING);
  const [other, another] = [...come("198.51.100.1"), ...come("198.51.100.2")];
  begun.length = 0;
  await nextTurn();
  assert.deepEqual(flood.map(({ destroyed }) => destroyed).indexOf(true), flood.length - 2);
  assert.ok(begun.includes(other!) && begun.includes(another!));
});

test("who waits when the server stops is closed, and never begun with", async () => {
  const { begun, newcomers, come } = room();
  const sockets = come("192.0.2.1", 100);
  newcomers.destroyAll();
  assert.ok(sockets.slice(NEWCOMERS_A_TURN).every(({ destroyed }) => destroyed));
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  assert.equal(begun.length, NEWCOMERS_A_TURN);
});

test("who has gone before his turn could be noted is closed", () => {
  const { come } = room();
  come("192.0.2.1", NEWCOMERS_A_TURN);
  const [gone] = come(undefined);
  assert.ok(gone!.destroyed);
});

// Bun's runner takes the exception for the test's own.
const testOfExceptions = "Bun" in globalThis ? () => {} : test;

testOfExceptions(
  "one that cannot be begun with keeps none of those behind waiting for others to come",
  async () => {
    const begun: Socket[] = [];
    const bad = new FakeNewcomer("192.0.2.1") as unknown as Socket;
    const newcomers = new Newcomers((socket) => {
      if (socket === bad) throw new Error("it cannot be begun with");
      begun.push(socket);
    });
    const failures: unknown[] = [];
    const note = (error: unknown) => void failures.push(error);
    process.on("uncaughtException", note);
    try {
      for (let count = 0; count < NEWCOMERS_A_TURN; count++) {
        newcomers.came(new FakeNewcomer("192.0.2.1") as unknown as Socket, LISTENER);
      }
      newcomers.came(bad, LISTENER);
      for (let count = 0; count < 5; count++) {
        newcomers.came(new FakeNewcomer("192.0.2.1") as unknown as Socket, LISTENER);
      }
      for (let turn = 0; turn < 4; turn++) await nextTurn();
    } finally {
      process.off("uncaughtException", note);
    }
    assert.equal(failures.length, 1);
    assert.equal(begun.length, NEWCOMERS_A_TURN + 5);
  },
);

test("all who are too many are closed, also when nobody comes any more", async () => {
  const newcomers = new Newcomers(() => {}, { most: 1 });
  const sockets = Array.from(
    { length: NEWCOMERS_A_TURN + 2 + 2 * CLOSED_A_TURN },
    () => new FakeNewcomer("192.0.2.1"),
  );
  for (const socket of sockets) newcomers.came(socket as unknown as Socket, LISTENER);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  assert.equal(sockets.filter(({ destroyed }) => destroyed).length, 2 * CLOSED_A_TURN + 1);
});
