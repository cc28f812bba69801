/** CAPA: what works on this connection now, and nothing else. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mechanism } from "../../../src/auth/mechanism.ts";
import type { ConnectionFacts, LoginType } from "../../../src/session/services.ts";
import { SessionClient } from "../../support/session_client.ts";

const PLAIN: Mechanism = { name: "PLAIN", plaintext: true, start: () => assert.fail() };
const ALWAYS = [
  ...["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER", "UTF8 USER"],
  ...["LANG", "IMPLEMENTATION popkeep-test"],
];
const PLAINLY: ConnectionFacts = { tls: false, stlsPossible: true };
const BARE: ConnectionFacts = { tls: false, stlsPossible: false };
const TLS: ConnectionFacts = { tls: true, stlsPossible: false };

function clientOf(loginType: LoginType, facts: ConnectionFacts): SessionClient {
  return new SessionClient({ services: { loginType, mechanismsFor: () => [PLAIN] }, facts });
}

async function capabilities(client: SessionClient): Promise<string[]> {
  const { line, body } = await client.ask("CAPA");
  assert.equal(line, "+OK capability list follows");
  const lines = body!.split("\r\n");
  assert.deepEqual(lines.splice(-2), [".", ""]);
  return lines;
}

const LISTS: readonly [LoginType, ConnectionFacts, string[]][] = [
  ["plaintext_login", PLAINLY, ["USER", "SASL PLAIN", "STLS"]],
  ["plaintext_login", BARE, ["USER", "SASL PLAIN"]],
  ["plaintext_login", TLS, ["USER", "SASL PLAIN"]],
  ["plaintext_login", { tls: true, stlsPossible: true }, ["USER", "SASL PLAIN"]],
  ["plaintext_authentication", PLAINLY, ["SASL PLAIN", "STLS"]],
  ["plaintext_authentication", TLS, ["USER", "SASL PLAIN"]],
  ["secure_login", PLAINLY, ["STLS"]],
  ["secure_login", BARE, []],
  ["secure_login", TLS, ["USER", "SASL PLAIN"]],
];

for (const [loginType, facts, some] of LISTS) {
  test(`with ${loginType} and ${JSON.stringify(facts)} there is ${some.join(", ") || "nothing more"}`, async () => {
    const lines = await capabilities(clientOf(loginType, facts));
    assert.deepEqual(lines.toSorted(), [...ALWAYS, ...some].toSorted());
  });
}

test("the list is the same before and after login", async () => {
  for (const facts of [PLAINLY, BARE, TLS]) {
    const client = clientOf("plaintext_login", facts);
    const before = await capabilities(client);
    await client.logIn();
    assert.deepEqual(await capabilities(client), before);
  }
});

test("STLS changes the list: STLS goes, and what needed TLS comes", async () => {
  const client = clientOf("secure_login", PLAINLY);
  const before = await capabilities(client);
  await client.ask("STLS");
  client.session.tlsStarted();
  const after = await capabilities(client);
  assert.deepEqual(before.filter((line) => !after.includes(line)), ["STLS"]);
  assert.deepEqual(after.filter((line) => !before.includes(line)), ["USER", "SASL PLAIN"]);
});

test("without mechanisms there is no SASL", async () => {
  const client = new SessionClient();
  assert.ok(!(await capabilities(client)).some((line) => line.startsWith("SASL")));
});

test("no line is longer than 512 octets with its CRLF", async () => {
  const client = new SessionClient({ services: { implementation: "x".repeat(2_000) } });
  for (const line of await capabilities(client)) assert.ok(line.length <= 510);
});

test("CAPA and AUTH wait until what is offered is what is so", async () => {
  let mechanisms: (typeof PLAIN)[] = [];
  const client = new SessionClient({
    services: {
      mechanismsFor: () => mechanisms,
      freshen: () => Promise.resolve().then(() => void (mechanisms = [PLAIN])),
    },
  });
  assert.ok((await client.ask("CAPA")).body!.includes("SASL PLAIN\r\n"));
  mechanisms = [];
  assert.equal((await client.ask("AUTH")).body, "PLAIN\r\n.\r\n");
});
