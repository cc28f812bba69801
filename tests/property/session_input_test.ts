/**
 * Any octets at any time: one answer a line that keeps to the grammar, never an exception, never what
 * the client sent; afterwards the session still answers, or has said that it closes.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import type { Mechanism } from "../../src/auth/mechanism.ts";
import { MemoryStore } from "../support/memory_store.ts";
import { testProperty } from "../support/property.ts";
import { SessionClient } from "../support/session_client.ts";

/** In every line that is drawn, and in no text of ours. */
const MARKER = "Qz7";

const KEYWORDS = [
  ...[
    "USER",
    "PASS",
    "AUTH",
    "CAPA",
    "STLS",
    "UTF8",
    "LANG",
    "QUIT",
    "STAT",
    "LIST",
    "RETR",
    "DELE",
  ],
  ...["NOOP", "RSET", "TOP", "UIDL", "APOP", "XTND", "user", "Retr"],
];

/** Asks for a response once, then refuses it. */
const mechanism: Mechanism = {
  name: "TRY",
  plaintext: true,
  start() {
    let asked = false;
    return {
      next() {
        if (asked) return { kind: "done", user: MARKER, outcome: { kind: "refused" } };
        asked = true;
        return { kind: "challenge", octets: Buffer.from("why") };
      },
    };
  },
};

const anything = fc.uint8Array({ maxLength: 30 })
  .map((octets) => Buffer.from(octets.filter((octet) => octet !== 10)).toString("latin1"));
const blank = fc.constantFrom("", " ", "\t", "  ", "\0", "\r");
const line = fc.oneof(
  anything,
  fc.tuple(
    fc.constantFrom(...KEYWORDS),
    blank,
    fc.oneof(anything, fc.constantFrom("1", "0", "2", "TRY", "1 1", "1 999", "alice", "=", "*")),
    blank,
  ).map((parts) => parts.join("")),
  fc.constantFrom("USER alice", "PASS secret", "AUTH TRY", "*", "YQ==", ""),
);

testProperty(
  "any lines get one answer each, and none of them is given back to the client",
  fc.asyncProperty(
    fc.array(line, { maxLength: 30 }),
    fc.boolean(),
    async (lines, loggedIn) => {
      const store = new MemoryStore({ readChunkOctets: 8 });
      store.deliver("alice", "A: b\n\n.\nsome text\n");
      const erred: unknown[] = [];
      const client = new SessionClient({
        store,
        services: {
          mechanismsFor: () => [mechanism],
          maxBadCommands: 1_000,
          maxFailedLogins: 1_000,
        },
        events: { erred: (error) => erred.push(error) },
        ascii: !lines.some((line) => /^lang/i.test(line)),
      });
      if (loggedIn) await client.logIn();
      for (const line of lines) {
        const { line: answer, next } = await client.ask(line + (line.length > 6 ? MARKER : ""));
        assert.match(answer, /^(\+OK|-ERR|\+ )/);
        assert.ok(!answer.includes(MARKER));
        if (next === "close") break;
        if (next === "start-tls") client.session.tlsStarted();
      }
      assert.deepEqual(erred, []);
      client.session.end();
      assert.deepEqual([store.maildropsOpen, store.messagesOpen], [0, 0]);
    },
  ),
);
