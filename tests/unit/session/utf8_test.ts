/** UTF8 (RFC 6856 §2) and headers with octets above 127. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionServices } from "../../../src/session/services.ts";
import { MemoryStore } from "../../support/memory_store.ts";
import { SessionClient } from "../../support/session_client.ts";

const EIGHT_BIT = "Subject: Gr\xc3\xbc\xc3\x9fe\n\nbody\n";
const EIGHT_BIT_BODY = "Subject: a\n\nGr\xc3\xbc\xc3\x9fe\n";

function clientOf(
  eightBitHeaders?: SessionServices["eightBitHeaders"],
  readChunkOctets = 65_536,
): SessionClient {
  const store = new MemoryStore({ readChunkOctets });
  store.deliver("alice", EIGHT_BIT);
  store.deliver("alice", EIGHT_BIT_BODY);
  const services = eightBitHeaders === undefined ? {} : { eightBitHeaders };
  return new SessionClient({ store, services });
}

test("UTF8 is taken before a login, also twice, and not after it", async () => {
  const client = new SessionClient();
  assert.equal((await client.ask("UTF8")).line, "+OK UTF-8 mode is on");
  assert.equal((await client.ask("utf8")).line, "+OK UTF-8 mode is on");
  await client.logIn();
  assert.equal((await client.ask("UTF8")).line, "-ERR command is not valid in this state");
});

for (const policy of [undefined, "send"] as const) {
  test(`8-bit headers are sent as they are when the settings say ${policy}, before UTF8 and after`, async () => {
    for (const utf8 of [false, true]) {
      const client = clientOf(policy);
      if (utf8) await client.ask("UTF8");
      await client.logIn();
      assert.equal(
        (await client.ask("RETR 1")).body,
        "Subject: Gr\xc3\xbc\xc3\x9fe\r\n\r\nbody\r\n.\r\n",
      );
      assert.equal((await client.ask("TOP 1 0")).body, "Subject: Gr\xc3\xbc\xc3\x9fe\r\n\r\n.\r\n");
    }
  });
}

for (const readChunkOctets of [1, 65_536]) {
  test(`8-bit headers are refused with [UTF8] where the settings say so, read by ${readChunkOctets}`, async () => {
    const client = clientOf("refuse", readChunkOctets);
    await client.logIn();
    for (const command of ["RETR 1", "TOP 1 0"]) {
      assert.deepEqual(await client.ask(command), {
        line: "-ERR [UTF8] message needs UTF8 mode",
        body: undefined,
        next: "read",
      });
    }
    assert.equal(client.store.messagesOpen, 0);
    assert.equal(
      (await client.ask("RETR 2")).body,
      "Subject: a\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n.\r\n",
    );
    assert.equal((await client.ask("LIST 1")).line, `+OK 1 ${EIGHT_BIT.length}`);
  });
}

test("where 8-bit headers are refused, UTF8 lifts it", async () => {
  const client = clientOf("refuse");
  await client.ask("UTF8");
  await client.logIn();
  assert.match((await client.ask("RETR 1")).body!, /^Subject: Gr\xc3\xbc/);
});

test("STLS after UTF8 forgets it (RFC 2595 §4)", async () => {
  const client = clientOf("refuse");
  await client.askAll("UTF8", "STLS");
  client.session.tlsStarted();
  await client.logIn();
  assert.match((await client.ask("RETR 1")).line, /^-ERR \[UTF8\]/);
});

test("where 8-bit headers are refused, a message that is gone or fails is told as such", async () => {
  const client = clientOf("refuse");
  client.store.mailbox("alice")[1]!.failReadAfter = { octets: 0, kind: "SYS/TEMP" };
  await client.logIn();
  client.store.unlink("alice", 1);
  assert.equal((await client.ask("RETR 1")).line, "-ERR message is no longer in the mailbox");
  assert.match((await client.ask("RETR 2")).line, /^-ERR \[SYS\/TEMP\]/);
  assert.equal(client.store.messagesOpen, 0);
});
