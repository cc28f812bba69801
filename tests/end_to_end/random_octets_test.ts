/**
 * Random octets, and commands with random damage: whatever comes, each line has exactly one answer of
 * good grammar, the next command is understood, and others are served. A run can be repeated with the
 * seed that the test's name shows.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import process from "node:process";
import { after, before, test } from "node:test";
import type { Pop3Client } from "../support/pop3_client.ts";
import { PASSWORD, type RunningServer, startServer } from "../support/server.ts";
import { SocketWire } from "../support/wire.ts";

const SEED = Number(process.env["POPKEEP_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

const ROUNDS = 40;
const LINES = 50;

const COMMANDS = [
  ...["USER alice", `PASS ${PASSWORD}`, "AUTH PLAIN AGFsaWNlAHNlY3JldA==", "AUTH PLAIN", "CAPA"],
  ...["STAT", "LIST", "LIST 1", "RETR 1", "TOP 1 0", "UIDL", "UIDL 2", "DELE 1", "RSET", "NOOP"],
  ...["LANG en", "UTF8", "*", "="],
];

let server: RunningServer;

before(async () => {
  server = await startServer({
    users: ["alice"],
    settings: `
      login_type = "plaintext_login"
      max_bad_commands = 10000
      max_failed_logins = 1000
    `,
  });
  for (const subject of ["one", "two"]) {
    server.maildir("alice").deliver(`Subject: ${subject}\n\n.body\n`);
  }
});

after(() => server.stop());

/** A small generator of whole numbers below `limit`, so that a seed repeats a run. */
function randomFrom(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}

/** One line without LF, which would make two of it. */
function randomLine(random: (limit: number) => number): Buffer {
  const octets = random(3) === 0
    ? Buffer.from(Array.from({ length: random(700) }, () => random(256)))
    : Buffer.from(COMMANDS[random(COMMANDS.length)]!);
  for (let damage = random(4); damage > 0 && octets.length > 0; damage--) {
    octets[random(octets.length)] = random(256);
  }
  const line = Buffer.from(octets.map((octet) => octet === 10 ? 11 : octet));
  // These two end the conversation rightly, and damage can make them.
  return /^(?:QUIT|STLS)/i.test(line.toString("latin1")) ? Buffer.from("NOOP") : line;
}

/** Sends lines all at once; each has one answer, which the client checks against the grammar. */
async function survives(client: Pop3Client, random: (limit: number) => number): Promise<void> {
  const lines = Array.from({ length: LINES }, () => randomLine(random));
  await client.send(lines);
  for (const line of lines) {
    const reply = await client.replyOrEnd();
    assert.ok(
      reply !== undefined,
      `the server closed instead of answering ${line.toString("hex")}`,
    );
  }
  // Out of an exchange that damage did not end.
  await client.send(["*"]);
  await client.reply();
  assert.ok((await client.listing("CAPA")).includes("UIDL"));
}

for (const [where, loggedIn] of [["before", false], ["after", true]] as const) {
  for (const tls of [false, true]) {
    test(`random lines ${where} login ${tls ? "under TLS" : "in the clear"} (POPKEEP_SEED=${SEED})`, async () => {
      const random = randomFrom(SEED + Number(tls) + 2 * Number(loggedIn));
      for (let round = 0; round < ROUNDS; round++) {
        const client = loggedIn
          ? await server.login("alice", { tls })
          : await server.connect({ tls });
        await survives(client, random);
        client.disconnect();
      }
      const probe = await server.login("alice");
      assert.match(await probe.ok("STAT"), /^2 /);
      await probe.quit();
      assert.ok(!server.log.includes("fault in popkeep"), server.log);
    });
  }
}

test(`octets without any sense of lines leave the server as it was (POPKEEP_SEED=${SEED})`, async () => {
  const random = randomFrom(SEED + 4);
  for (let round = 0; round < ROUNDS; round++) {
    for (const port of [server.plainPort, server.tlsPort]) {
      const wire = await SocketWire.connect({ port });
      const octets = Buffer.from(Array.from({ length: 1 + random(5_000) }, () => random(256)));
      await wire.write(octets);
      if (random(2) === 0) wire.halfClose();
      else wire.destroy();
      if (random(4) === 0) await wire.read().catch(() => {});
      wire.destroy();
    }
  }
  const probe = await server.login("alice", { tls: true });
  assert.match(await probe.ok("STAT"), /^2 /);
  await probe.quit();
  assert.ok(!server.log.includes("fault in popkeep"), server.log);
});
