/** The TRANSACTION state and UPDATE, but for the sending of messages. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RemovedMessages } from "../../../src/maildrop/removed_messages.ts";
import type { UpdateOutcome } from "../../../src/maildrop/store.ts";
import type { SessionEvents } from "../../../src/session/services.ts";
import { StorageFailure } from "../../../src/maildrop/store.ts";
import { MemoryStore } from "../../support/memory_store.ts";
import { piecesOf } from "../../support/body_pieces.ts";
import { SessionClient } from "../../support/session_client.ts";

/** Alice, logged in, with messages of 10, 20 and 30 octets. */
async function loggedIn(
  options: { services?: { maxBadCommands?: number }; events?: SessionEvents } = {},
): Promise<SessionClient> {
  const client = new SessionClient(options);
  for (const octets of [10, 20, 30]) {
    client.store.deliver("alice", `${"x".repeat(octets - 2)}\r\n`);
  }
  await client.logIn();
  return client;
}

test("V0004: STAT is number and octets of the messages without a mark, and nothing more", async () => {
  const client = await loggedIn();
  assert.equal((await client.ask("STAT")).line, "+OK 3 60");
  await client.ask("DELE 2");
  assert.equal((await client.ask("STAT")).line, "+OK 2 40");
  await client.ask("RSET");
  assert.equal((await client.ask("STAT")).line, "+OK 3 60");
});

test("V0005: LIST has number and octets of each message without a mark, and nothing more", async () => {
  const client = await loggedIn();
  assert.equal((await client.ask("LIST")).body, "1 10\r\n2 20\r\n3 30\r\n.\r\n");
  assert.equal((await client.ask("LIST 2")).line, "+OK 2 20");
});

test("UIDL has number and unique-id of each message without a mark", async () => {
  const client = await loggedIn();
  assert.equal((await client.ask("UIDL")).body, "1 1\r\n2 2\r\n3 3\r\n.\r\n");
  assert.equal((await client.ask("UIDL 3")).line, "+OK 3 3");
});

test("numbers do not move after DELE", async () => {
  const client = await loggedIn();
  assert.equal((await client.ask("DELE 1")).line, "+OK message marked as deleted");
  assert.equal((await client.ask("LIST")).body, "2 20\r\n3 30\r\n.\r\n");
  assert.equal((await client.ask("UIDL")).body, "2 2\r\n3 3\r\n.\r\n");
  assert.equal((await client.ask("LIST 3")).line, "+OK 3 30");
  assert.equal((await client.ask("RETR 3")).line, "+OK 30 octets");
});

for (const command of ["LIST 2", "UIDL 2", "RETR 2", "TOP 2 0", "DELE 2"]) {
  test(`${command} does not see a marked message, and does again after RSET`, async () => {
    const client = await loggedIn();
    await client.ask("DELE 2");
    assert.equal((await client.ask(command)).line, "-ERR message is marked as deleted");
    await client.ask("RSET");
    assert.match((await client.ask(command)).line, /^\+OK/);
  });
}

const NO_NUMBERS = [
  ...["0", "4", "1.5", "0x1", "1e0", "+1", "-1", "4294967297", "18446744073709551617"],
  ...["99999999999999999999999", "a", "*", "1\xff", "\xb2", "1,2", "1:2", "NaN", "Infinity"],
];

for (const number of NO_NUMBERS) {
  test(`${JSON.stringify(number)} is no message`, async () => {
    const client = await loggedIn();
    for (
      const command of [`LIST ${number}`, `UIDL ${number}`, `RETR ${number}`, `DELE ${number}`]
    ) {
      assert.deepEqual(await client.ask(command), {
        line: "-ERR no such message",
        body: undefined,
        next: "read",
      }, command);
    }
    assert.equal((await client.ask(`TOP ${number} 1`)).line, "-ERR no such message");
    assert.equal((await client.ask("STAT")).line, "+OK 3 60");
  });
}

const WRONG_ARGUMENTS = [
  ...[
    "STAT 1",
    "LIST 1 2",
    "LIST 1 x",
    "UIDL 1 2",
    "RETR",
    "RETR ",
    "RETR 1 x",
    "DELE",
    "DELE 1 2",
  ],
  ...["NOOP x", "RSET 1", "QUIT x", "CAPA x", "TOP", "TOP 1", "TOP 1 ", "TOP 1 2 3", "LANG en de"],
  ...["TOP 1 -1", "TOP 1 +1", "TOP 1 1.0", "TOP 1 0x1", "TOP 1 1e1", "TOP 1 a"],
];

for (const line of WRONG_ARGUMENTS) {
  test(`${JSON.stringify(line)} has wrong arguments and does nothing`, async () => {
    const client = await loggedIn();
    assert.equal((await client.ask(line)).line, "-ERR wrong arguments");
    assert.equal(client.session.state, "TRANSACTION");
    assert.equal((await client.ask("STAT")).line, "+OK 3 60");
  });
}

test("2.1.1: blanks of any number and kind part arguments, and trailing ones do no harm", async () => {
  const client = await loggedIn();
  assert.equal((await client.ask("list \t 2 \t")).line, "+OK 2 20");
  assert.equal((await client.ask("STAT ")).line, "+OK 3 60");
  assert.match((await client.ask("TOP\t1\t\t0")).line, /^\+OK/);
  assert.equal((await client.ask("LIST 002")).line, "+OK 2 20");
});

test("NOOP does nothing and says so", async () => {
  assert.equal((await (await loggedIn()).ask("NOOP")).line, "+OK");
});

for (const line of ["USER bob", "PASS secret", "STLS", "UTF8", "AUTH PLAIN"]) {
  test(`${line} after a login is in the wrong state`, async () => {
    const client = await loggedIn();
    assert.equal((await client.ask(line)).line, "-ERR command is not valid in this state");
  });
}

test("first words of other protocols are unknown commands after a login", async () => {
  assert.deepEqual(await (await loggedIn()).ask("GET / HTTP/1.1"), {
    line: "-ERR unknown command",
    body: undefined,
    next: "read",
  });
});

test("C0005: bad commands are counted after a login too, and messages that are not there are not bad", async () => {
  const client = await loggedIn({ services: { maxBadCommands: 2 } });
  await client.ask("DELE 1");
  for (const line of ["RETR 9", "RETR 0", "LIST 99999999999", "RETR 1", "DELE 1", "TOP 9 0"]) {
    assert.equal((await client.ask(line)).next, "read", line);
  }
  assert.equal((await client.ask("XTND")).next, "read");
  assert.deepEqual(await client.ask("LAST"), {
    line: "-ERR [SYS/PERM] too many bad commands",
    body: undefined,
    next: "close",
  });
});

for (
  const line of [
    "NOOP x",
    "STAT 1",
    "RETR",
    "RETR x",
    "DELE -1",
    "TOP 1",
    "TOP 1 x",
    "USER a",
    "STLS",
  ]
) {
  test(`C0005: ${line} cannot be said for ever after a login, symptom: wrong arguments never counted`, async () => {
    const client = await loggedIn({ services: { maxBadCommands: 3 } });
    for (const next of ["read", "read", "close"]) {
      assert.equal((await client.ask(line)).next, next);
    }
  });
}

test("an empty maildrop lists nothing", async () => {
  const client = new SessionClient();
  await client.logIn();
  assert.equal((await client.ask("STAT")).line, "+OK 0 0");
  assert.equal((await client.ask("LIST")).body, ".\r\n");
  assert.equal((await client.ask("UIDL")).body, ".\r\n");
  assert.equal((await client.ask("RETR 1")).line, "-ERR no such message");
});

test("first lines of listings hold no number", async () => {
  const client = await loggedIn();
  for (const command of ["LIST", "UIDL", "TOP 1 0", "CAPA", "LANG"]) {
    assert.doesNotMatch((await client.ask(command)).line, /[0-9]/);
  }
});

test("a long listing comes in pieces, made as they are drawn, and has all lines", async () => {
  const client = new SessionClient();
  for (let n = 0; n < 10_000; n++) client.store.deliver("alice", "");
  await client.logIn();
  await client.ask("DELE 5000");
  const answer = await client.session.receive(new TextEncoder().encode("LIST"));
  let text = "", pieces = 0;
  for await (const piece of piecesOf(answer.body!)) {
    assert.ok(piece.length < 33_000);
    text += new TextDecoder().decode(piece);
    pieces++;
  }
  assert.ok(pieces > 2);
  const lines = text.split("\r\n");
  assert.equal(lines.length, 9_999 + 2);
  assert.deepEqual(lines.slice(4_997, 5_001), ["4998 0", "4999 0", "5001 0", "5002 0"]);
  assert.deepEqual(lines.slice(-3), ["10000 0", ".", ""]);
});

test("C0004: what others deliver and remove is not seen", async () => {
  const client = await loggedIn();
  client.store.deliver("alice", "new\n");
  client.store.unlink("alice", 2);
  assert.equal((await client.ask("STAT")).line, "+OK 3 60");
  assert.equal((await client.ask("UIDL")).body, "1 1\r\n2 2\r\n3 3\r\n.\r\n");
  assert.equal((await client.ask("RETR 4")).line, "-ERR no such message");
});

test("QUIT removes what is marked and nothing else", async () => {
  const client = await loggedIn();
  await client.askAll("DELE 1", "DELE 3");
  assert.deepEqual(await client.ask("QUIT"), {
    line: "+OK signing off, maildrop updated",
    body: undefined,
    next: "close",
  });
  assert.deepEqual(client.store.mailbox("alice").map(({ uniqueId }) => uniqueId), ["2"]);
  assert.equal(client.session.state, "UPDATE");
});

test("V0006: QUIT says -ERR once if a marked message is left, and still closes", async () => {
  const client = await loggedIn();
  client.store.mailbox("alice")[0]!.failRemove = true;
  await client.askAll("DELE 1", "DELE 2");
  assert.deepEqual(await client.ask("QUIT"), {
    line: "-ERR some deleted messages not removed",
    body: undefined,
    next: "close",
  });
  const left = client.store.mailbox("alice").map(({ uniqueId }) => uniqueId);
  assert.deepEqual(left, ["1", "3"]);
  const { removed, remaining, droppedMarks } = client.session.end();
  assert.deepEqual({ removed, remaining, droppedMarks }, {
    removed: 1,
    remaining: 2,
    droppedMarks: 0,
  });
});

test("what UPDATE removed itself is told, with unique-ids, and what was left or gone is not", async () => {
  const told: RemovedMessages[] = [];
  const client = await loggedIn({
    events: { messagesRemoved: (removed) => void told.push(removed) },
  });
  client.store.mailbox("alice")[0]!.failRemove = true;
  client.store.unlink("alice", 2);
  await client.askAll("DELE 1", "DELE 2", "DELE 3", "QUIT");
  assert.equal(told.length, 1);
  const { messages, octets, uniqueIds, uniqueIdsLeftOut } = told[0]!;
  assert.deepEqual([messages, uniqueIds, uniqueIdsLeftOut], [1, "3", 0]);
  assert.ok(octets > 0);
});

test("a session that removed nothing tells of nothing", async () => {
  const told: RemovedMessages[] = [];
  const client = await loggedIn({
    events: { messagesRemoved: (removed) => void told.push(removed) },
  });
  await client.askAll("RETR 1", "QUIT");
  assert.equal(told.length, 0);
});

test("a message that somebody else removed already counts as removed", async () => {
  const client = await loggedIn();
  await client.ask("DELE 2");
  client.store.unlink("alice", 2);
  assert.match((await client.ask("QUIT")).line, /^\+OK/);
});

test("UPDATE that fails altogether is one -ERR with its response code", async () => {
  const store = new MemoryStore();
  store.deliver("alice", "a\n");
  const open = store.open.bind(store);
  store.open = async (account) => {
    const maildrop = await open(account);
    maildrop.update = (): Promise<UpdateOutcome> =>
      Promise.reject(new StorageFailure("SYS/TEMP", "the disk is gone"));
    return maildrop;
  };
  const client = new SessionClient({ store });
  await client.logIn();
  await client.ask("DELE 1");
  assert.deepEqual(await client.ask("QUIT"), {
    line: "-ERR [SYS/TEMP] Service temporarily unavailable",
    body: undefined,
    next: "close",
  });
  assert.equal(client.session.end().removed, 0);
  assert.equal(store.maildropsOpen, 0);
});

test("QUIT with nothing to do asks nothing of the store", async () => {
  const client = await loggedIn();
  assert.equal((await client.ask("QUIT")).line, "+OK signing off");
  assert.equal(client.store.updates, 0);
});

test("only messages that were sent whole become seen, and only by QUIT", async () => {
  const client = await loggedIn();
  await client.askAll("RETR 1", "TOP 2 100", "LIST");
  const seen = () => client.store.mailbox("alice").map((message) => message.seen);
  assert.deepEqual(seen(), [false, false, false]);
  await client.ask("QUIT");
  assert.deepEqual(seen(), [true, false, false]);
});

test("nothing is answered after QUIT but that it is over", async () => {
  const client = await loggedIn();
  await client.ask("QUIT");
  const answer = client.session.receive(new TextEncoder().encode("DELE 1"));
  assert.deepEqual(answer, { line: "-ERR session is over", next: "close" });
});
