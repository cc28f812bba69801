/**
 * A session as a whole, with every mechanism: one answer a line that keeps to the grammar, whatever the lines
 * are; nothing is removed but by QUIT; and afterwards the session still answers, or has said that it closes.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { SecureChannel } from "../../../src/auth/secure_channel.ts";
import { LineFramer } from "../../../src/wire/line_framer.ts";
import { MemoryStore } from "../../support/memory_store.ts";
import { SessionClient } from "../../support/session_client.ts";
import { loginDialogues } from "../dialogues.ts";
import { fuzzMechanisms } from "../mechanisms.ts";
import type { FuzzTarget } from "../target.ts";

const COMMAND_OCTETS = 512;

const MESSAGES = ["A: b\n\n.\nsome text\n", "A: \xff\r\n\r\n..\r\n", "no header at all"];

export const session: FuzzTarget = {
  name: "session",
  seeds: await loginDialogues(),
  executions: 2_500,
  maxOctets: 8_192,
  async attempt(input) {
    const store = new MemoryStore({ readChunkOctets: 8, atOnce: input.length % 2 === 0 });
    for (const content of MESSAGES) store.deliver("alice", content);
    const erred: unknown[] = [];
    const client = new SessionClient({
      store,
      services: {
        mechanismsFor: (channel: SecureChannel | undefined) => fuzzMechanisms(channel),
        eightBitHeaders: input.length % 3 === 0 ? "refuse" : "send",
        maxBadCommands: 1_000,
        maxFailedLogins: 1_000,
      },
      events: { erred: (error) => erred.push(error) },
      // Replies in another language are no ASCII.
      ascii: !/lang/i.test(Buffer.from(input).toString("latin1")),
    });
    const quit = await talk(client, input);
    assert.deepEqual(erred, []);
    client.session.end();
    client.session.end();
    assert.deepEqual([store.maildropsOpen, store.messagesOpen], [0, 0], "something is held on to");
    if (!quit) assert.equal(store.mailbox("alice").length, MESSAGES.length, "removed without QUIT");
  },
};

/** Says whether the client said QUIT and the session took it. */
async function talk(client: SessionClient, input: Uint8Array): Promise<boolean> {
  const framer = new LineFramer();
  framer.push(Uint8Array.from(input));
  for (;;) {
    const { session } = client;
    const isCommand = session.expects === "command";
    const line = framer.next(isCommand ? COMMAND_OCTETS : session.responseLineOctets);
    if (line === undefined) break;
    const heard = line === "too-long" ? await client.askTooLong() : await client.ask(line);
    const isQuit = line !== "too-long" && isCommand &&
      /^quit[ \t]*$/i.test(Buffer.from(line).toString());
    if (heard.next === "close") return isQuit;
    if (heard.next === "start-tls") {
      framer.discardAll();
      session.tlsStarted({
        serverCertificate: undefined,
        clientCertificate: undefined,
        exporter: () => Buffer.alloc(32, 7),
      });
    }
  }
  // "*" ends an exchange, if one is open.
  if (client.session.expects === "sasl-response") {
    assert.match((await client.ask("*")).line, /^-ERR/);
  }
  assert.match((await client.ask("CAPA")).line, /^\+OK/);
  return false;
}
