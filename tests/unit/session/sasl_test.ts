/** AUTH (RFC 5034): how an exchange is framed, whatever the mechanism. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { LoginOutcome } from "../../../src/auth/login.ts";
import type { Mechanism, Step } from "../../../src/auth/mechanism.ts";
import type { LoginType } from "../../../src/session/services.ts";
import { SessionClient } from "../../support/session_client.ts";

const GRANTED: LoginOutcome = { kind: "granted", account: { user: "alice", extra: {} } };

/** A mechanism that takes its steps from a list and writes down what it was given. */
class Scripted implements Mechanism {
  readonly name: string;
  readonly plaintext: boolean;
  readonly given: (string | undefined)[] = [];
  readonly #steps: readonly Step[];
  readonly #later: boolean;
  readonly maxResponseOctets?: number;
  abandoned = 0;

  constructor(
    steps: readonly Step[],
    { name = "SCRIPT", plaintext = true, later = false, maxResponseOctets = 0 } = {},
  ) {
    if (maxResponseOctets > 0) this.maxResponseOctets = maxResponseOctets;
    this.#steps = steps;
    this.name = name;
    this.plaintext = plaintext;
    this.#later = later;
  }

  start() {
    let at = 0;
    return {
      next: (response: Uint8Array | undefined): Step | Promise<Step> => {
        this.given.push(response && Buffer.from(response).toString("latin1"));
        const step = this.#steps[at++]!;
        return this.#later ? Promise.resolve(step) : step;
      },
      abandon: () => void this.abandoned++,
    };
  }
}

const EMPTY: Step = { kind: "challenge", octets: new Uint8Array(0) };
const HELLO: Step = { kind: "challenge", octets: Buffer.from("hello") };
const GRANT: Step = { kind: "done", user: "Alice", outcome: GRANTED };
const REFUSE: Step = { kind: "done", user: "Alice", outcome: { kind: "refused" } };
const MALFORMED: Step = { kind: "malformed" };

function clientOf(mechanism: Mechanism): SessionClient {
  return new SessionClient({ services: { mechanismsFor: () => [mechanism] } });
}

for (const later of [false, true]) {
  const when = later ? "later" : "at once";

  test(`an exchange without initial response, answered ${when}, begins with "+ "`, async () => {
    const mechanism = new Scripted([EMPTY, HELLO, GRANT], { later });
    const client = clientOf(mechanism);
    assert.equal((await client.ask("AUTH script")).line, "+ ");
    assert.equal(client.session.expects, "sasl-response");
    assert.equal((await client.ask("YQ==")).line, "+ aGVsbG8=");
    assert.equal((await client.ask("")).line, "+OK 0 messages");
    assert.equal(client.session.expects, "command");
    assert.equal(client.session.state, "TRANSACTION");
    assert.deepEqual(mechanism.given, [undefined, "a", ""]);
    assert.equal(client.session.end().mechanism, "SCRIPT");
  });

  test(`an initial response, answered ${when}, saves a round trip`, async () => {
    const mechanism = new Scripted([GRANT], { later });
    assert.equal((await clientOf(mechanism).ask("AUTH SCRIPT YWI=")).line, "+OK 0 messages");
    assert.deepEqual(mechanism.given, ["ab"]);
  });
}

test('"=" is an empty initial response, which is not the same as none', async () => {
  const mechanism = new Scripted([GRANT]);
  await clientOf(mechanism).ask("AUTH SCRIPT =");
  assert.deepEqual(mechanism.given, [""]);
});

test('"*" cancels with -ERR and the session goes on', async () => {
  const client = clientOf(new Scripted([EMPTY, GRANT]));
  await client.ask("AUTH SCRIPT");
  assert.deepEqual(await client.ask("*"), {
    line: "-ERR authentication cancelled",
    body: undefined,
    next: "read",
  });
  assert.equal(client.session.expects, "command");
  assert.match((await client.askAll("USER alice", "PASS secret")).line, /^\+OK/);
});

for (const line of ["not base64", "YQ=", "**", "=", "YQ==\r", "QUIT!", "\0", "Y Q=="]) {
  test(`a response ${JSON.stringify(line)} ends the exchange with -ERR and the session goes on`, async () => {
    const mechanism = new Scripted([EMPTY, GRANT]);
    const client = clientOf(mechanism);
    await client.ask("AUTH SCRIPT");
    assert.equal((await client.ask(line)).line, "-ERR malformed SASL response");
    assert.deepEqual(mechanism.given, [undefined]);
    assert.equal((await client.ask("AUTH SCRIPT")).line, "+ ");
  });
}

test("a line of an exchange is never a command", async () => {
  const mechanism = new Scripted([EMPTY, EMPTY, REFUSE]);
  const client = clientOf(mechanism);
  await client.askAll("AUTH SCRIPT", "QUIT");
  assert.equal(client.session.expects, "sasl-response");
  assert.equal(mechanism.given[1], Buffer.from("QUIT", "base64").toString("latin1"));
});

test("a bad initial response is refused and starts nothing", async () => {
  const client = clientOf(new Scripted([GRANT]));
  for (const line of ["AUTH SCRIPT a", "AUTH SCRIPT *", "AUTH SCRIPT ==="]) {
    assert.equal((await client.ask(line)).line, "-ERR malformed SASL response");
    assert.equal(client.session.expects, "command");
  }
});

test("what the mechanism finds malformed is -ERR and the session goes on", async () => {
  const client = clientOf(new Scripted([MALFORMED]));
  assert.equal((await client.ask("AUTH SCRIPT YQ==")).line, "-ERR malformed SASL response");
  assert.equal(client.session.expects, "command");
});

test("a response that goes over its limit ends the exchange", async () => {
  const client = clientOf(new Scripted([EMPTY, GRANT]));
  await client.ask("AUTH SCRIPT");
  assert.deepEqual(client.session.receiveTooLong(), { line: "-ERR line too long", next: "read" });
  assert.equal(client.session.expects, "command");
});

test("refused credentials are [AUTH] and count as a failed login", async () => {
  const client = new SessionClient({
    services: { mechanismsFor: () => [new Scripted([REFUSE])], maxFailedLogins: 2 },
  });
  const refused = "-ERR [AUTH] wrong user name or password";
  assert.deepEqual(
    [(await client.ask("AUTH SCRIPT YQ==")).line, (await client.ask("AUTH SCRIPT YQ==")).next],
    [refused, "close"],
  );
});

test("exchanges that are cancelled again and again end the connection", async () => {
  const client = new SessionClient({
    services: { mechanismsFor: () => [new Scripted([EMPTY])], maxBadCommands: 2 },
  });
  assert.equal((await client.askAll("AUTH SCRIPT", "*")).next, "read");
  assert.equal((await client.askAll("AUTH SCRIPT", "*")).next, "close");
});

for (const line of ["AUTH", "AUTH ", "auth\t"]) {
  test(`${JSON.stringify(line)} lists the mechanisms`, async () => {
    const client = new SessionClient({
      services: {
        mechanismsFor: () => [new Scripted([], { name: "ONE" }), new Scripted([], { name: "TWO" })],
      },
    });
    assert.equal((await client.ask(line)).body, "ONE\r\nTWO\r\n.\r\n");
  });
}

test("AUTH with an unknown mechanism or too many arguments is refused", async () => {
  const client = clientOf(new Scripted([]));
  assert.equal((await client.ask("AUTH OTHER")).line, "-ERR unknown mechanism");
  assert.equal((await client.ask("AUTH SCRIPT YQ== YQ==")).line, "-ERR wrong arguments");
});

test("AUTH makes USER forgotten", async () => {
  const client = clientOf(new Scripted([REFUSE]));
  await client.askAll("USER alice", "AUTH SCRIPT YQ==");
  assert.equal((await client.ask("PASS secret")).line, "-ERR send USER first");
});

test("AUTH after a login is in the wrong state", async () => {
  const client = clientOf(new Scripted([GRANT]));
  await client.ask("AUTH SCRIPT YQ==");
  assert.equal(
    (await client.ask("AUTH SCRIPT YQ==")).line,
    "-ERR command is not valid in this state",
  );
});

const ALLOWED: readonly [LoginType, boolean, boolean][] = [
  ["plaintext_login", false, true],
  ["plaintext_authentication", false, true],
  ["secure_login", false, false],
  ["secure_login", true, true],
];

for (const [loginType, tls, allowed] of ALLOWED) {
  test(`with ${loginType} and ${tls ? "" : "no "}TLS, AUTH is ${allowed ? "taken" : "refused"}`, async () => {
    const client = new SessionClient({
      services: { loginType, mechanismsFor: () => [new Scripted([GRANT])] },
      facts: { tls, stlsPossible: !tls },
    });
    assert.equal((await client.ask("AUTH")).body, allowed ? "SCRIPT\r\n.\r\n" : ".\r\n");
    const { line } = await client.ask("AUTH SCRIPT YQ==");
    assert.equal(line, allowed ? "+OK 0 messages" : "-ERR not allowed without TLS");
  });
}

test("a mechanism that throws ends the connection with a reply", async () => {
  const mechanism: Mechanism = {
    name: "BROKEN",
    plaintext: false,
    start: () => ({
      next() {
        throw new Error("a mistake of ours");
      },
    }),
  };
  assert.deepEqual(await clientOf(mechanism).ask("AUTH BROKEN"), {
    line: "-ERR [SYS/TEMP] Service temporarily unavailable",
    body: undefined,
    next: "close",
  });
});

for (const how of ["*", "no base64!", "the client is gone", "STLS"]) {
  test(`an exchange that is not finished gives back what it holds: ${how}`, async () => {
    const mechanism = new Scripted([EMPTY, GRANT]);
    const client = clientOf(mechanism);
    await client.ask("AUTH script");
    assert.equal(mechanism.abandoned, 0);
    if (how === "STLS") client.session.tlsStarted();
    else if (how === "the client is gone") client.session.end();
    else await client.ask(how);
    assert.equal(mechanism.abandoned, 1);
    client.session.end();
    assert.equal(mechanism.abandoned, 1);
  });
}

test("an exchange that is done is not abandoned", async () => {
  const mechanism = new Scripted([REFUSE]);
  const client = clientOf(mechanism);
  await client.ask("AUTH script");
  client.session.end();
  assert.equal(mechanism.abandoned, 0);
});

test("a mechanism may take longer responses than others", async () => {
  const client = clientOf(new Scripted([EMPTY], { maxResponseOctets: 65_536 }));
  assert.equal(client.session.responseLineOctets, 12_290);
  await client.ask("AUTH script");
  assert.equal(client.session.responseLineOctets, 87_384 + 2);
});

test("NTLM begins with +OK where the settings want that, and only where a client waits for it", async () => {
  const services = { ntlmFirstReply: "+OK" as const };
  for (const later of [false, true]) {
    const mechanism: Mechanism = new Scripted([EMPTY, HELLO, GRANT], { name: "NTLM", later });
    const client = new SessionClient({
      ascii: false,
      services: { ...services, mechanismsFor: () => [mechanism] },
    });
    assert.equal((await client.ask("AUTH NTLM")).line, "+OK");
    assert.equal((await client.ask("aGk=")).line, "+ aGVsbG8=");
  }
  const other = new SessionClient({
    services: { ...services, mechanismsFor: () => [new Scripted([EMPTY, GRANT])] },
  });
  assert.equal((await other.ask("AUTH SCRIPT")).line, "+ ");
  const withResponse = new Scripted([HELLO, GRANT], { name: "NTLM" });
  const early = new SessionClient({
    services: { ...services, mechanismsFor: () => [withResponse] },
  });
  assert.equal((await early.ask("AUTH NTLM aGk=")).line, "+ aGVsbG8=");
});

test("each way that a login can fail has its own code and text", async () => {
  const said = new Set<string>();
  for (const kind of ["refused", "disabled", "unavailable", "delayed"] as const) {
    const outcome: LoginOutcome = { kind };
    const client = clientOf(new Scripted([{ kind: "done", user: "Alice", outcome }]));
    said.add((await client.ask("AUTH script")).line);
  }
  assert.deepEqual([...said], [
    "-ERR [AUTH] wrong user name or password",
    "-ERR [SYS/PERM] account is disabled",
    "-ERR [SYS/TEMP] Service temporarily unavailable",
    "-ERR [LOGIN-DELAY] too many failed logins, wait and try again",
  ]);
});

for (const how of ["*", "no base64!", "the client is gone"]) {
  test(`what an exchange had come to is told though the client says: ${how}`, async () => {
    const told: unknown[] = [];
    const mechanism: Mechanism = {
      name: "SCRIPT",
      plaintext: true,
      start: () => ({
        next: () => EMPTY,
        abandon: () => ({ kind: "done", user: "Alice", outcome: { kind: "refused" } }),
      }),
    };
    const client = new SessionClient({
      services: { mechanismsFor: () => [mechanism] },
      events: { loginFailed: (...args) => told.push(args.slice(0, 2)) },
    });
    await client.ask("AUTH script");
    if (how === "the client is gone") client.session.end();
    else assert.equal((await client.ask(how)).line, "-ERR [AUTH] wrong user name or password");
    client.session.end();
    assert.deepEqual(told, [["Alice", "SCRIPT"]]);
  });
}

test("a client that leaves while its proof is checked does not keep its failure to itself", async () => {
  const told: unknown[] = [];
  const mechanism = new Scripted([REFUSE], { later: true });
  const client = new SessionClient({
    services: { mechanismsFor: () => [mechanism] },
    events: {
      loginFailed: (...args) => told.push(args.slice(0, 2)),
      erred: (error) => told.push(error),
    },
  });
  const asked = client.ask("AUTH script");
  client.session.end();
  await asked;
  assert.deepEqual(told, [["Alice", "SCRIPT"]]);
});

for (const how of ["*", "the client is gone"]) {
  test(`a login that was granted and is given up is told, and none: ${how}`, async () => {
    const told: unknown[] = [];
    const mechanism: Mechanism = {
      name: "SCRIPT",
      plaintext: true,
      start: () => ({
        next: () => EMPTY,
        abandon: () => ({ kind: "done", user: "Alice", outcome: GRANTED }),
      }),
    };
    const client = new SessionClient({
      services: { mechanismsFor: () => [mechanism] },
      events: {
        loginFailed: (user, mechanism, _, cause) => told.push([user, mechanism, cause]),
        loggedIn: () => told.push("logged in"),
      },
    });
    await client.ask("AUTH script");
    if (how === "*") assert.equal((await client.ask(how)).line, "-ERR authentication cancelled");
    client.session.end();
    assert.equal(client.session.state, "AUTHORIZATION");
    assert.deepEqual(told, [["Alice", "SCRIPT", "given_up"]]);
  });
}

test("a client that leaves while its right proof is checked is told of too", async () => {
  const told: unknown[] = [];
  let isRight = false;
  const client = new SessionClient({
    services: {
      mechanismsFor: () => [{
        name: "SCRIPT",
        plaintext: true,
        start: () => ({
          next: () => Promise.resolve(HELLO).finally(() => isRight = true),
          abandon: () => isRight ? { kind: "done", user: "Alice", outcome: GRANTED } : undefined,
        }),
      }],
    },
    events: { loginFailed: (user, _, __, cause) => told.push([user, cause]) },
  });
  const asked = client.ask("AUTH script");
  client.session.end();
  await asked;
  assert.deepEqual(told, [["Alice", "given_up"]]);
});
