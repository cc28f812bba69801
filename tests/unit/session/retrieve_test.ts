/** RETR and TOP: what is sent, and what happens when storage fails. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { READ_CHUNK_OCTETS } from "../../../src/limits.ts";
import type { FailureKind } from "../../../src/maildrop/store.ts";
import { piecesOf } from "../../support/body_pieces.ts";
import { MemoryStore, type MemoryStoreOptions } from "../../support/memory_store.ts";
import { SessionClient } from "../../support/session_client.ts";

async function clientWith(
  messages: readonly string[],
  options: MemoryStoreOptions = {},
): Promise<SessionClient> {
  const client = new SessionClient({ store: new MemoryStore(options) });
  for (const message of messages) client.store.deliver("alice", message);
  await client.logIn();
  return client;
}

const MESSAGES: readonly [string, string, string][] = [
  ["no line end at the end", "A: b\n\nc", "A: b\r\n\r\nc\r\n.\r\n"],
  ["stored CRLF", "A: b\r\n\r\nc\r\n", "A: b\r\n\r\nc\r\n.\r\n"],
  ["no octets", "", ".\r\n"],
  ["a dot as its first octet", ".\n", "..\r\n.\r\n"],
  ["lines of dots", "A: b\n\n.\n..\nc.\n.d\n", "A: b\r\n\r\n..\r\n...\r\nc.\r\n..d\r\n.\r\n"],
  ["a lone CR and NUL", "A: b\n\na\rb\0\n", "A: b\r\n\r\na\rb\0\r\n.\r\n"],
  ["a CR at its very end", "A: b\n\na\r", "A: b\r\n\r\na\r\r\n.\r\n"],
  ["an empty line at its end", "A: b\n\nc\n\n", "A: b\r\n\r\nc\r\n\r\n.\r\n"],
  [
    "a line of 100 kB",
    `A: b\n\n${"x".repeat(100_000)}\n`,
    `A: b\r\n\r\n${"x".repeat(100_000)}\r\n.\r\n`,
  ],
];

const WAYS = [1, 2, 7, 65_536].flatMap((readChunkOctets) => [
  { readChunkOctets, atOnce: false },
  { readChunkOctets, atOnce: true },
]);

function nameOf({ readChunkOctets, atOnce }: typeof WAYS[number]): string {
  return `read ${readChunkOctets} octets at a time${atOnce ? ", at once" : ""}`;
}

for (const way of WAYS) {
  for (const [what, stored, sent] of MESSAGES) {
    if (way.readChunkOctets < 7 && stored.length > 10_000) continue;
    test(`a message with ${what} is sent right, ${nameOf(way)}`, async () => {
      const client = await clientWith([stored], way);
      const { line, body } = await client.ask("RETR 1");
      assert.equal(line, `+OK ${stored.length} octets`);
      assert.equal(body, sent);
      assert.equal((await client.ask("NOOP")).line, "+OK");
      assert.equal(client.store.messagesOpen, 0);
    });
  }
}

test("2.1.5: RETR's figure is that of LIST, with sizes of either kind", async () => {
  for (const [exactSizes, octets] of [[false, 9], [true, 13]] as const) {
    const client = await clientWith(["A: b\n\n.\n\n"], { exactSizes });
    assert.equal((await client.ask("LIST 1")).line, `+OK 1 ${octets}`);
    assert.equal((await client.ask("RETR 1")).line, `+OK ${octets} octets`);
  }
});

test("the store is told the exact octets of a message that was sent whole, before stuffing", async () => {
  for (const readChunkOctets of [3, 65_536]) {
    const client = await clientWith(["A: b\n\n.\nc", ".\n"], { readChunkOctets });
    await client.askAll("RETR 1", "TOP 2 0");
    assert.deepEqual([...client.store.exactOctets], [["1", 14]]);
  }
});

const TOPS: readonly [string, string, string][] = [
  ["TOP 1 0", "A: b\n\n1\n2\n3\n", "A: b\r\n\r\n.\r\n"],
  ["TOP 1 2", "A: b\n\n1\n2\n3\n", "A: b\r\n\r\n1\r\n2\r\n.\r\n"],
  ["TOP 1 3", "A: b\n\n1\n2\n3", "A: b\r\n\r\n1\r\n2\r\n3\r\n.\r\n"],
  ["TOP 1 4", "A: b\n\n1\n2\n3\n", "A: b\r\n\r\n1\r\n2\r\n3\r\n.\r\n"],
  ["TOP 1 99999999999999999999999999", "A: b\n\n1\n", "A: b\r\n\r\n1\r\n.\r\n"],
  [`TOP 1 ${"9".repeat(400)}`, "A: b\n\n1\n", "A: b\r\n\r\n1\r\n.\r\n"],
  ["TOP 1 0", "A: b\n", "A: b\r\n.\r\n"],
  ["TOP 1 1", "A: b\n\n.\n.\n", "A: b\r\n\r\n..\r\n.\r\n"],
  ["TOP 1 0", "", ".\r\n"],
];

for (const way of WAYS) {
  for (const [command, stored, sent] of TOPS) {
    const name = `${command.slice(0, 16)} of ${JSON.stringify(stored)}`;
    test(`${name} is right, ${nameOf(way)}`, async () => {
      const client = await clientWith([stored], way);
      assert.equal((await client.ask(command)).body, sent);
      assert.equal(client.store.messagesOpen, 0);
    });
  }
}

test("TOP reads no further than it must", async () => {
  const client = await clientWith([`A: b\n\n${"x\n".repeat(1_000)}`], { readChunkOctets: 16 });
  client.store.mailbox("alice")[0]!.failReadAfter = { octets: 16, kind: "SYS/TEMP" };
  assert.equal((await client.ask("TOP 1 2")).body, "A: b\r\n\r\nx\r\nx\r\n.\r\n");
});

test("a small message is one array; the arrays of a large one stay as they were", async () => {
  const client = await clientWith(["a\n", "b\r\n".repeat(1_000)], { readChunkOctets: 64 });
  const small = await client.session.receive(Buffer.from("RETR 1"));
  assert.ok(small.body instanceof Uint8Array);
  const large = await client.session.receive(Buffer.from("RETR 2"));
  const pieces: Uint8Array[] = [];
  for await (const piece of piecesOf(large.body!)) pieces.push(piece);
  // The store overwrites its read buffer: a piece that still lay in it would have changed by now.
  assert.equal(Buffer.concat(pieces).toString(), `${"b\r\n".repeat(1_000)}.\r\n`);
});

test("sessions that draw by turns what comes at once do not see each other's octets", async () => {
  const letters = ["a", "b", "c"];
  const bodies = await Promise.all(letters.map(async (letter) => {
    const client = await clientWith([`${letter}\n`.repeat(1_000)], {
      readChunkOctets: 64,
      atOnce: true,
    });
    return client.session.receive(Buffer.from("RETR 1"));
  }));
  const drawn = bodies.map(({ body }) => piecesOf(body!));
  for (let left = true; left;) {
    left = false;
    for (const [i, pieces] of drawn.entries()) {
      const { value, done } = await pieces.next();
      if (done) continue;
      left = true;
      assert.match(Buffer.from(value).toString(), new RegExp(`^(${letters[i]}\r\n)*(\\.\r\n)?$`));
    }
  }
});

test("a message that is at hand is answered without a promise", async () => {
  const client = await clientWith(["a\n", "b\n".repeat(100)], {
    readChunkOctets: 64,
    atOnce: true,
  });
  const small = client.session.receive(Buffer.from("RETR 1"));
  assert.ok(!(small instanceof Promise) && small.body instanceof Uint8Array);
  const large = client.session.receive(Buffer.from("RETR 2"));
  assert.ok(!(large instanceof Promise) && "draw" in large.body!);
  for (let piece; (piece = large.body.draw()) !== undefined;) {
    assert.ok(!(piece instanceof Promise));
  }
});

test("the terminator comes with the last octets of the message", async () => {
  const client = await clientWith(["b\n".repeat(1_000)], { readChunkOctets: 64 });
  const { body } = await client.session.receive(Buffer.from("RETR 1"));
  let last: Uint8Array | undefined;
  for await (const piece of piecesOf(body!)) last = piece;
  assert.match(Buffer.from(last!).toString(), /^(b\r\n)+\.\r\n$/);
});

test("C0004: a message that is gone is -ERR for RETR and TOP, and the session goes on", async () => {
  const client = await clientWith(["a\n", "b\n"]);
  client.store.unlink("alice", 1);
  for (const command of ["RETR 1", "TOP 1 0"]) {
    assert.deepEqual(await client.ask(command), {
      line: "-ERR message is no longer in the mailbox",
      body: undefined,
      next: "read",
    });
  }
  assert.equal((await client.ask("RETR 2")).body, "b\r\n.\r\n");
});

test("a message that was renamed is found", async () => {
  const client = await clientWith(["a\n"]);
  client.store.rename("alice", 1);
  assert.equal((await client.ask("RETR 1")).body, "a\r\n.\r\n");
});

const KINDS: readonly [FailureKind, string][] = [
  ["SYS/TEMP", "-ERR [SYS/TEMP] Service temporarily unavailable"],
  // It is the message, symptom: "mailbox cannot be read" in a session that goes on reading it.
  ["SYS/PERM", "-ERR [SYS/PERM] message cannot be read"],
];

for (const [kind, line] of KINDS) {
  test(`a message that fails with ${kind} before anything was sent is -ERR, and the session goes on`, async () => {
    const client = await clientWith(["a\n", "b\n"]);
    client.store.mailbox("alice")[0]!.failReadAfter = { octets: 0, kind };
    assert.deepEqual(await client.ask("RETR 1"), { line, body: undefined, next: "read" });
    assert.equal(client.store.messagesOpen, 0);
    assert.equal((await client.ask("RETR 2")).body, "b\r\n.\r\n");
  });
}

for (const atOnce of [false, true]) {
  test(
    `a message that fails half-way throws out of its body and never shows a terminator${
      atOnce ? ", at once" : ""
    }`,
    () => failsHalfWay(atOnce),
  );
}

async function failsHalfWay(atOnce: boolean): Promise<void> {
  const client = await clientWith(["x\n".repeat(100)], { readChunkOctets: 16, atOnce });
  const failed: string[] = [];
  client.store.mailbox("alice")[0]!.failReadAfter = { octets: 64, kind: "SYS/TEMP" };
  const { line, body } = await client.session.receive(Buffer.from("RETR 1"));
  assert.equal(line, "+OK 200 octets");
  await assert.rejects(async () => {
    for await (const piece of piecesOf(body!)) {
      failed.push(Buffer.from(piece).toString());
    }
  }, /Reading failed/);
  assert.equal(failed.join(""), "x\r\n".repeat(32));
  assert.equal(client.store.messagesOpen, 0);
  assert.equal(client.session.end().retrieved, 0);
  assert.equal(client.store.exactOctets.size, 0);
}

test("a message that ends before its stored size does not pass for whole", async () => {
  for (const [readChunkOctets, octets] of [[65_536, 0], [4, 8]] as const) {
    const client = await clientWith(["A: b\n\nxyz\n"], { readChunkOctets });
    const open = client.store.open.bind(client.store);
    client.store.open = async (account) => {
      const maildrop = await open(account);
      const openMessage = maildrop.open.bind(maildrop);
      maildrop.open = async (number) => {
        const stored = await openMessage(number);
        let given = 0;
        return {
          storedOctets: stored.storedOctets,
          close: () => stored.close(),
          async read() {
            if (given >= octets) return undefined;
            const chunk = await stored.read(new Uint8Array(READ_CHUNK_OCTETS));
            given += chunk?.length ?? 0;
            return chunk;
          },
        };
      };
      return maildrop;
    };
    const second = new SessionClient({ store: client.store });
    await second.logIn();
    const answer = await second.session.receive(Buffer.from("RETR 1"));
    if (octets === 0) {
      assert.equal(answer.line, "-ERR [SYS/TEMP] Service temporarily unavailable");
    } else {
      await assert.rejects(second.hear(answer), /ended before its stored size/);
    }
  }
});

test("a message that was not drawn to its end does not count as retrieved", async () => {
  const client = await clientWith(["x\n".repeat(100)], { readChunkOctets: 16 });
  const { body } = await client.session.receive(Buffer.from("RETR 1"));
  for await (const _piece of piecesOf(body!)) break;
  assert.equal(client.store.messagesOpen, 0);
  const { retrieved, retrievedOctets } = client.session.end();
  assert.deepEqual({ retrieved, retrievedOctets }, { retrieved: 0, retrievedOctets: 0 });
});

test("what was sent is counted in octets before stuffing", async () => {
  const client = await clientWith([".\n", "A: b\n\n.\n.\n"]);
  await client.askAll("RETR 1", "RETR 1", "TOP 2 1");
  const { retrieved, retrievedOctets, topped, toppedOctets } = client.session.end();
  assert.deepEqual({ retrieved, retrievedOctets, topped, toppedOctets }, {
    retrieved: 2,
    retrievedOctets: 6,
    topped: 1,
    toppedOctets: 11,
  });
});
