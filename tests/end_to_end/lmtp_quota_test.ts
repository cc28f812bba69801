/** Mail by LMTP to mailboxes that are full: each recipient is answered for his own. */

import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { freePort } from "../support/free_port.ts";
import { LmtpClient } from "../support/lmtp_client.ts";
import { PASSWORD, startServer } from "../support/server.ts";

const FULL = `Subject: x\r\n\r\n${"a line of text\r\n".repeat(1_000)}`;

for (
  const [exceeded, reply] of [["refuse", /^552 5\.2\.2 /], ["defer", /^452 4\.2\.2 /]] as const
) {
  test(`a mailbox without room is answered so, the others have the mail (${exceeded})`, async () => {
    const port = await freePort();
    const server = await startServer({
      users: ["alice", ["bob", `{PLAIN}${PASSWORD}`, "userdb_quota_rule=*:storage=20"]],
      settings: `lmtp_bindings = ["127.0.0.1:${port}"]\nquota_exceeded = "${exceeded}"`,
    });
    try {
      for (const user of ["alice", "bob"]) mkdirSync(server.homeOf(user), { recursive: true });
      const { client } = await LmtpClient.greeted({ port });
      for (const answer of await client.deliver(["alice", "bob"], FULL)) {
        assert.match(
          answer,
          /^250 /,
        );
      }
      const [alice, bob] = await client.deliver(["alice", "bob"], FULL);
      assert.match(alice!, /^250 /);
      assert.match(bob!, reply);
      assert.match((await client.deliver(["bob"], "short\r\n"))[0]!, /^250 /);
      await client.quit();
      const count = (user: string) => readdirSync(`${server.homeOf(user)}/Maildir/new`).length;
      assert.deepEqual([count("alice"), count("bob")], [2, 2]);
      assert.deepEqual(readdirSync(`${server.homeOf("bob")}/Maildir/tmp`), []);
    } finally {
      await server.stop();
    }
  });
}
