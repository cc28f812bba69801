/** Statements that a session proves by itself, with a store in memory that fails when it is told to. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { plainMechanism } from "../../src/auth/mechanisms/plain.ts";
import { type Account, type FailureKind, StorageFailure } from "../../src/maildrop/store.ts";
import { MemoryStore } from "../support/memory_store.ts";
import { negotiateMessage } from "../support/ntlm_client.ts";
import { checkPassword, SessionClient } from "../support/session_client.ts";
import { answerTo, base64, fromBase64, logInBy, logInMechanisms } from "./login_exchanges.ts";

type Options = NonNullable<ConstructorParameters<typeof SessionClient>[0]>;

/** A session that offers PLAIN. */
function connect(options: Options = {}): SessionClient {
  return new SessionClient({
    ...options,
    services: { mechanismsFor: () => [plainMechanism(checkPassword)], ...options.services },
  });
}

/** Alice's session on a mailbox with these messages. */
async function loggedIn(
  messages: readonly string[],
  options: Options = {},
): Promise<SessionClient> {
  const store = new MemoryStore();
  for (const message of messages) store.deliver("alice", message);
  const client = connect({ store, ...options });
  await client.logIn();
  return client;
}

async function capabilities(client: SessionClient): Promise<string[]> {
  return (await client.ask("CAPA")).body!.split("\r\n").slice(0, -2);
}

test("C0001, RFC1939-3-RESPONSE: no text of the settings makes a response longer than 512 octets", async () => {
  // The client refuses 513 octets by itself; that the longest are 512 shows that it had cause to.
  const client = connect({
    services: { banner: "b".repeat(2000), implementation: "i".repeat(2000) },
  });
  assert.equal(client.session.greeting().line.length + 2, 512);
  const implementation = (await capabilities(client)).find((line) => line.startsWith("IMPL"))!;
  assert.equal(implementation.length + 2, 512);
});

test("C0001: a clipped text of several octets a character stays whole UTF-8", () => {
  const client = connect({ services: { banner: "ü".repeat(600) }, ascii: false });
  const octets = Buffer.from(client.session.greeting().line);
  assert.ok(octets.length + 2 <= 512);
  assert.ok(!octets.toString("utf8").includes("\ufffd"));
});

test("C0006, V0007: every command of RFC 1939 but APOP is answered +OK", async () => {
  const client = await loggedIn(["Subject: a\n\nb\n"]);
  for (const line of ["STAT", "LIST", "LIST 1", "UIDL", "UIDL 1", "TOP 1 1", "RETR 1", "NOOP"]) {
    assert.match((await client.ask(line)).line, /^\+OK/, line);
  }
  for (const line of ["DELE 1", "RSET", "QUIT"]) {
    assert.match((await client.ask(line)).line, /^\+OK/, line);
  }
});

test("E0002: NTLM, GSSAPI, PLAIN and USER/PASS log in", async () => {
  await connect().logIn();
  const plain = Buffer.from("\0alice\0secret").toString("base64");
  assert.match((await connect().ask(`AUTH PLAIN ${plain}`)).line, /^\+OK/);
  const { ntlm, gssapi } = logInMechanisms();
  const client = connect({ services: { mechanismsFor: () => [ntlm, gssapi] } });
  assert.ok((await capabilities(client)).includes("SASL NTLM GSSAPI"));
  for (const name of ["NTLM", "GSSAPI"] as const) {
    assert.equal(
      await logInBy(name, connect({ services: { mechanismsFor: () => [ntlm, gssapi] } })),
      true,
    );
  }
});

test("E0002-NTLM, RFC5034-4-AGAIN: the course of [MS-OXPOP3], and what ends it", async () => {
  const { ntlm } = logInMechanisms();
  const client = connect({ services: { mechanismsFor: () => [ntlm] }, ascii: false });
  assert.equal((await client.ask("AUTH NTLM")).line, "+ ");
  const negotiate = negotiateMessage().toString("base64");
  assert.match((await client.ask(negotiate)).line, /^\+ TlRMTVNTUAACAAAA/);
  assert.match((await client.ask("*")).line, /^-ERR/);
  // A challenge serves one exchange; the session goes on, here with an initial response.
  const asked = await client.ask(`AUTH NTLM ${negotiate}`);
  const answer = await answerTo(asked.line, { user: "alice", password: "wrong" });
  assert.match((await client.ask(answer)).line, /^-ERR \[AUTH\]/);
  assert.equal(await logInBy("NTLM", client), true);
});

test("E0002-GSSAPI, RFC4752-3.2-LAYER: tokens to and fro, then layer 1 alone", async () => {
  const { gssapi } = logInMechanisms();
  const client = connect({ services: { mechanismsFor: () => [gssapi] }, ascii: false });
  assert.equal((await client.ask("AUTH GSSAPI")).line, "+ ");
  assert.equal((await client.ask(base64("ticket"))).line, `+ ${base64("\x01\0\0\0")}`);
  assert.match((await client.ask(base64("\x04\0\0\0"))).line, /^-ERR/);
  assert.equal(await logInBy("GSSAPI", client), true);
});

test("RFC5802-7-ERROR, RFC7628-4.3-QUESTION: failures are told by -ERR, questions are answered", async () => {
  const { scram, bearer } = logInMechanisms();
  const client = connect({ services: { mechanismsFor: () => [scram, bearer] }, ascii: false });
  const first = await client.ask(`AUTH SCRAM-SHA-256 ${base64("n,,n=alice,r=abc")}`);
  const nonce = /r=([^,]*)/.exec(fromBase64(first.line))![1]!;
  const proof = Buffer.alloc(32).toString("base64");
  const last = await client.ask(base64(`c=biws,r=${nonce},p=${proof}`));
  assert.match(last.line, /^-ERR \[AUTH\]/);
  const told = await client.ask(`AUTH OAUTHBEARER ${base64("n,,\x01auth=\x01\x01")}`);
  assert.equal(typeof JSON.parse(fromBase64(told.line)), "object");
  assert.match((await client.ask(base64("\x01"))).line, /^-ERR/);
});

test("V0006, RFC1939-6-QUIT-2: a message that cannot be removed makes QUIT say -ERR, and the rest goes on", async () => {
  const client = await loggedIn(["a\n", "b\n", "c\n", "d\n"]);
  client.store.mailbox("alice")[0]!.failRemove = true;
  await client.askAll("DELE 1", "DELE 2", "DELE 4");
  const { line, next } = await client.ask("QUIT");
  assert.equal(line, "-ERR some deleted messages not removed");
  assert.equal(next, "close");
  const left = client.store.mailbox("alice").map(({ octets }) => Buffer.from(octets).toString());
  assert.deepEqual(left, ["a\n", "c\n"]);
});

/** A mailbox that cannot be opened: the login fails with that code, and may be tried again. */
async function assertUnavailable(kind: FailureKind): Promise<void> {
  const store = new MemoryStore();
  store.failOpen = new StorageFailure(kind, "as the test wants");
  const client = connect({ store });
  const refused = await client.askAll("USER alice", "PASS secret");
  assert.ok(refused.line.startsWith(`-ERR [${kind}] `), refused.line);
  assert.equal(client.session.state, "AUTHORIZATION");
  store.failOpen = undefined;
  await client.logIn();
}

test("RFC3206-4-SYS-TEMP, RFC1939-4-UNAVAILABLE: storage that may mend is SYS/TEMP, and the session goes on", async () => {
  await assertUnavailable("SYS/TEMP");
});

test("RFC3206-4-SYS-PERM, RFC1939-4-UNAVAILABLE: storage that somebody has to mend is SYS/PERM, and the session goes on", async () => {
  await assertUnavailable("SYS/PERM");
});

test("RFC3206-4-SYS-TEMP: a user directory that is out of reach is no wrong password", async () => {
  const client = connect();
  assert.match((await client.askAll("USER dave", "PASS secret")).line, /^-ERR \[SYS\/TEMP\] /);
});

test("RFC3206-4-SYS-TEMP: a user with too many sessions is told to come back", async () => {
  const client = connect({ services: { admitUser: () => undefined } });
  assert.match((await client.askAll("USER alice", "PASS secret")).line, /^-ERR \[SYS\/TEMP\] /);
});

test("RFC3206-4-SYS-PERM: an account that is disabled says so to who knows its password", async () => {
  const client = connect();
  assert.match((await client.askAll("USER carol", "PASS secret")).line, /^-ERR \[SYS\/PERM\] /);
  assert.match((await client.askAll("USER carol", "PASS wrong")).line, /^-ERR \[AUTH\] /);
});

test("RFC3206-6-USER, V0008, V0009: USER gives the same answer for everybody", async () => {
  const answers = new Set<string>();
  for (const name of ["alice", "carol", "dave", "nobody", "x".repeat(400), "\xff"]) {
    answers.add((await connect().ask(`USER ${name}`)).line);
  }
  assert.equal(answers.size, 1);
  assert.match([...answers][0]!, /^\+OK/);
});

test("RFC6856-2.2-USER: a name that is not UTF-8 is refused like an unknown one, and no octets break PASS", async () => {
  const client = connect();
  assert.match((await client.askAll("USER \xff\xfe", "PASS secret")).line, /^-ERR \[AUTH\] /);
  assert.match((await client.askAll("USER alice", "PASS \xff\xfe")).line, /^-ERR \[AUTH\] /);
});

/** A capability that is listed before and after the login, and a command that it promises. */
async function assertPromise(capability: string, command?: string): Promise<void> {
  const client = await loggedIn(["Subject: a\n\nb\n"]);
  assert.ok((await capabilities(connect())).includes(capability));
  assert.ok((await capabilities(client)).includes(capability));
  if (command !== undefined) assert.match((await client.ask(command)).line, /^\+OK/);
}

test("RFC2449-6.1-TOP: TOP is listed in both states, and works", async () => {
  await assertPromise("TOP", "TOP 1 0");
});

test("RFC2449-6.8-UIDL: UIDL is listed in both states, and works", async () => {
  await assertPromise("UIDL", "UIDL");
});

test("RFC2449-6.4-RESP-CODES, RFC2449-8-CODES: RESP-CODES is listed in both states, and codes begin the text", async () => {
  await assertPromise("RESP-CODES");
  const { line } = await connect().askAll("USER alice", "PASS wrong");
  assert.match(line, /^-ERR \[AUTH\] [^\[]+$/);
});

test("RFC3206-5-CAPA: AUTH-RESP-CODE is listed in both states", async () => {
  await assertPromise("AUTH-RESP-CODE");
});

test("RFC2449-6.7-EXPIRE: EXPIRE NEVER is listed in both states", async () => {
  await assertPromise("EXPIRE NEVER");
});

test("RFC2449-6.7-EXPIRE: where mail goes, all users' fewest days come before login, and the user's after it", async () => {
  const expires = (account: Account | undefined) => account === undefined ? "7 USER" : "30";
  const client = connect({ services: { expires } });
  const said = async () => (await client.ask("CAPA")).body!.match(/^EXPIRE .*$/m)?.[0]?.trim();
  assert.equal(await said(), "EXPIRE 7 USER");
  await client.logIn();
  assert.equal(await said(), "EXPIRE 30");
});

test("RFC2449-6.9-IMPLEMENTATION: IMPLEMENTATION is listed in both states", async () => {
  await assertPromise("IMPLEMENTATION popkeep-test");
});

test("RFC2449-6.2-USER: USER is listed exactly where USER is taken", async () => {
  const loginTypes = ["plaintext_login", "plaintext_authentication", "secure_login"] as const;
  for (const loginType of loginTypes) {
    for (const tls of [false, true]) {
      const client = connect({ services: { loginType }, facts: { tls, stlsPossible: !tls } });
      const listed = (await capabilities(client)).includes("USER");
      const taken = (await client.ask("USER alice")).line.startsWith("+OK");
      assert.equal(listed, taken, `${loginType}, TLS ${tls}`);
    }
  }
});

test("RFC2449-6.5-LOGIN-DELAY: no delay is announced, and a second login follows at once", async () => {
  const store = new MemoryStore();
  for (let login = 0; login < 3; login++) {
    const client = connect({ store });
    assert.ok(!(await capabilities(client)).some((line) => line.startsWith("LOGIN-DELAY")));
    await client.logIn();
    await client.ask("QUIT");
  }
});

test("RFC2595-4-CAPA: STLS is listed exactly where STLS is taken", async () => {
  for (const [tls, stlsPossible] of [[false, true], [false, false], [true, false]] as const) {
    const client = connect({ facts: { tls, stlsPossible } });
    const listed = (await capabilities(client)).includes("STLS");
    const { next } = await client.ask("STLS");
    assert.equal(listed, next === "start-tls");
  }
});

test("RFC2449-3-GRAMMAR, V0001: every refusal has a text, and brackets only as a response code", async () => {
  const client = await loggedIn(["Subject: a\n\nb\n"]);
  const lines = [
    "",
    "X",
    "RETR",
    "RETR 9",
    "RETR x",
    "TOP 1",
    "USER a",
    "LANG tlh",
    "a[b]",
    "DELE 0",
  ];
  for (const line of lines) {
    // What the client hears has passed the grammar; here the text must be more than nothing.
    assert.match((await client.ask(line)).line, /^-ERR \S/, line);
  }
});

test("C0011: what is sent ends each line in CRLF, whatever is stored", async () => {
  const stored = ["a\nb", "a\r\nb\r\n", "a\n\n\n", "\r\r\n", "a\rb", "\0", "\n.\n", "\r"];
  const client = await loggedIn(stored);
  for (const [i, message] of stored.entries()) {
    const { body } = await client.ask(`RETR ${i + 1}`);
    assert.ok(body!.endsWith("\r\n.\r\n"), JSON.stringify(message));
    assert.ok(!/(^|[^\r])\n/.test(body!), `a bare LF in ${JSON.stringify(message)}`);
  }
});
