/** How sessions end, and that whatever they held is given back. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { MemoryStore } from "../../support/memory_store.ts";
import { SessionClient } from "../../support/session_client.ts";

/** A gate that stays shut until it is opened. */
function gate(): { passed: Promise<void>; open(): void } {
  let open!: () => void;
  const passed = new Promise<void>((resolve) => open = resolve);
  return { passed, open };
}

interface Held {
  places: number;
}

function clientCounting(
  store = new MemoryStore(),
  held: Held = { places: 0 },
): [SessionClient, Held] {
  const admitUser = () => {
    held.places++;
    return { release: () => void held.places-- };
  };
  return [new SessionClient({ store, services: { admitUser } }), held];
}

test("V0003: the inactivity timer is one -ERR line and the end", () => {
  const { session } = new SessionClient();
  assert.deepEqual(session.timedOut(), {
    line: "-ERR idle too long, closing connection",
    next: "close",
  });
});

test("a server that stops says so with [SYS/TEMP]", () => {
  const { session } = new SessionClient();
  assert.deepEqual(session.shuttingDown(), {
    line: "-ERR [SYS/TEMP] Service unavailable, server is shutting down",
    next: "close",
  });
});

for (const how of ["timedOut", "shuttingDown", "nothing"] as const) {
  test(`marks come to nothing without QUIT: ${how}`, async () => {
    const [client, held] = clientCounting();
    for (let n = 0; n < 3; n++) client.store.deliver("alice", "a\n");
    await client.logIn();
    await client.askAll("RETR 3", "DELE 1", "DELE 2");
    if (how !== "nothing") client.session[how]();
    assert.deepEqual(client.session.end(), {
      user: "alice",
      mechanism: "USER",
      actedBy: undefined,
      folder: undefined,
      messages: 3,
      retrieved: 1,
      retrievedOctets: 3,
      topped: 0,
      toppedOctets: 0,
      marked: 2,
      markedOctets: 4,
      removed: 0,
      remaining: 3,
      droppedMarks: 2,
    });
    assert.equal(client.store.mailbox("alice").length, 3);
    assert.equal(client.store.updates, 0);
    assert.equal(client.store.maildropsOpen, 0);
    assert.equal(held.places, 0);
  });
}

test("after QUIT the summary tells what was removed", async () => {
  const [client, held] = clientCounting();
  for (let n = 0; n < 3; n++) client.store.deliver("alice", "a\n");
  await client.logIn();
  await client.askAll("DELE 1", "DELE 2", "QUIT");
  const { marked, removed, remaining, droppedMarks } = client.session.end();
  assert.deepEqual({ marked, removed, remaining, droppedMarks }, {
    marked: 2,
    removed: 2,
    remaining: 1,
    droppedMarks: 0,
  });
  assert.deepEqual([client.store.maildropsOpen, held.places], [0, 0]);
});

test("a session that never logged in has an empty summary", async () => {
  const client = new SessionClient();
  await client.ask("CAPA");
  const { user, mechanism, messages, remaining } = client.session.end();
  assert.deepEqual({ user, mechanism, messages, remaining }, {
    user: undefined,
    mechanism: undefined,
    messages: 0,
    remaining: 0,
  });
});

test("end gives back once, however often it is called", async () => {
  const [client, held] = clientCounting();
  await client.logIn();
  assert.equal(client.session.end(), client.session.end());
  assert.deepEqual([client.store.maildropsOpen, held.places], [0, 0]);
});

test("a connection that ends while its maildrop is being opened leaves nothing open", async () => {
  const [client, held] = clientCounting();
  const opening = gate();
  client.store.holdOpen = opening.passed;
  await client.ask("USER alice");
  const answer = client.session.receive(Buffer.from("PASS secret"));
  await nextTurn();
  assert.equal(held.places, 1, "the password is checked and the opening under way");
  client.session.end();
  opening.open();
  assert.equal((await answer).next, "close");
  assert.deepEqual([client.store.maildropsOpen, held.places], [0, 0]);
});

test("a connection that ends while its password is being checked opens nothing", async () => {
  const checking = gate();
  const store = new MemoryStore();
  let admitted = 0;
  const client = new SessionClient({
    store,
    services: {
      admitUser: () => (admitted++, { release() {} }),
      checkPassword: async () => {
        await checking.passed;
        return { kind: "granted", account: { user: "alice", extra: {} } };
      },
    },
  });
  await client.ask("USER alice");
  const answer = client.session.receive(Buffer.from("PASS secret"));
  client.session.end();
  checking.open();
  assert.equal((await answer).next, "close");
  assert.deepEqual([admitted, store.maildropsOpen], [0, 0]);
});

test("a connection that ends after QUIT was sent lets UPDATE finish, then gives all back", async () => {
  const [client, held] = clientCounting();
  client.store.deliver("alice", "a\n");
  await client.logIn();
  await client.ask("DELE 1");
  const updating = gate();
  client.store.holdUpdate = updating.passed;
  const answer = client.session.receive(Buffer.from("QUIT"));
  assert.equal(client.session.state, "UPDATE");
  client.session.end();
  assert.equal(client.store.maildropsOpen, 1);
  updating.open();
  await answer;
  assert.equal(client.store.mailbox("alice").length, 0);
  assert.deepEqual([client.store.maildropsOpen, held.places], [0, 0]);
});

test("a message whose body nobody ever draws is closed at the end", async () => {
  const client = new SessionClient({ store: new MemoryStore({ readChunkOctets: 4 }) });
  client.store.deliver("alice", "a\n".repeat(100));
  await client.logIn();
  await client.session.receive(Buffer.from("RETR 1"));
  assert.equal(client.store.messagesOpen, 1);
  client.session.end();
  assert.equal(client.store.messagesOpen, 0);
});

test("a connection that ends while a message is being opened leaves nothing open", async () => {
  const client = new SessionClient({ store: new MemoryStore({ readChunkOctets: 4 }) });
  client.store.deliver("alice", "a\n".repeat(100));
  await client.logIn();
  const answer = client.session.receive(Buffer.from("RETR 1"));
  client.session.end();
  await answer;
  assert.deepEqual([client.store.messagesOpen, client.store.maildropsOpen], [0, 0]);
});

test("after the end every line is answered with the end", async () => {
  const client = new SessionClient();
  await client.logIn();
  client.session.end();
  const answer = client.session.receive(Buffer.from("STAT"));
  assert.deepEqual(answer, { line: "-ERR session is over", next: "close" });
});

test("answers that need no waiting are given at once", async () => {
  const client = new SessionClient();
  client.store.deliver("alice", "a\n");
  await client.logIn();
  for (const line of ["STAT", "LIST", "UIDL", "LIST 1", "DELE 1", "RSET", "NOOP", "CAPA", "XYZ"]) {
    assert.ok(!(client.session.receive(Buffer.from(line)) instanceof Promise), line);
  }
});
