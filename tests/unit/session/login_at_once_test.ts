/** That a login waits for what has to be waited for, and for nothing else. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { LoginOutcome } from "../../../src/auth/login.ts";
import { StorageFailure } from "../../../src/maildrop/store.ts";
import type { SessionServices } from "../../../src/session/services.ts";
import { MemoryStore } from "../../support/memory_store.ts";
import { SessionClient } from "../../support/session_client.ts";

const GRANTED: LoginOutcome = { kind: "granted", account: { user: "alice", extra: {} } };

const octets = (line: string) => Buffer.from(line, "latin1");

/** A session whose password check and store have their answers at hand. */
async function clientAtOnce(services: Partial<SessionServices> = {}): Promise<SessionClient> {
  const store = new MemoryStore();
  store.deliver("alice", "one\n");
  const maildrop = await store.open({ user: "alice", extra: {} });
  const open = () => maildrop;
  return new SessionClient({
    services: { checkPassword: () => GRANTED, store: { open }, ...services },
  });
}

test("a login that is granted at once to a maildrop that is open is answered at once", async () => {
  const { session } = await clientAtOnce();
  session.receive(octets("USER alice"));
  assert.deepEqual(session.receive(octets("PASS secret")), { line: "+OK 1 message", next: "read" });
  assert.equal(session.state, "TRANSACTION");
});

test("STAT, UIDL, LIST and a QUIT that removes nothing wait for nothing", async () => {
  const { session } = await clientAtOnce();
  session.receive(octets("USER alice"));
  session.receive(octets("PASS secret"));
  for (const line of ["STAT", "UIDL", "LIST", "NOOP", "QUIT"]) {
    assert.ok(!(session.receive(octets(line)) instanceof Promise), line);
  }
});

test("a store that fails at once is [SYS/TEMP] at once, and the place is given back", async () => {
  let places = 0;
  const { session } = await clientAtOnce({
    admitUser: () => {
      places++;
      return { release: () => void places-- };
    },
    store: {
      open: () => {
        throw new StorageFailure("SYS/TEMP", "no disk");
      },
    },
  });
  session.receive(octets("USER alice"));
  assert.deepEqual(session.receive(octets("PASS secret")), {
    line: "-ERR [SYS/TEMP] Service temporarily unavailable",
    next: "read",
  });
  assert.equal(places, 0);
  assert.equal(session.state, "AUTHORIZATION");
});

test("a refusal that is there at once is told at once", async () => {
  const { session } = await clientAtOnce({ checkPassword: () => ({ kind: "refused" }) });
  session.receive(octets("USER alice"));
  const answer = session.receive(octets("PASS secret"));
  assert.ok(!(answer instanceof Promise));
  assert.match(answer.line, /^-ERR \[AUTH\]/);
});
