/** The AUTHORIZATION state: USER and PASS, STLS, QUIT, and what is refused before a login. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { CheckPassword } from "../../../src/auth/login.ts";
import { plainMechanism } from "../../../src/auth/mechanisms/plain.ts";
import { StorageFailure } from "../../../src/maildrop/store.ts";
import type { LoginType } from "../../../src/session/services.ts";
import { MemoryStore } from "../../support/memory_store.ts";
import { checkPassword, SessionClient } from "../../support/session_client.ts";

const WRONG = "-ERR [AUTH] wrong user name or password";

test("the greeting is +OK and the banner, without an APOP timestamp", () => {
  const { session } = new SessionClient({ services: { banner: "mail.example ready" } });
  assert.deepEqual(session.greeting(), { line: "+OK mail.example ready", next: "read" });
});

test("USER and PASS log in and say how many messages there are", async () => {
  for (
    const [messages, line] of [[0, "+OK 0 messages"], [1, "+OK 1 message"], [2, "+OK 2 messages"]]
  ) {
    const client = new SessionClient();
    for (let n = 0; n < (messages as number); n++) client.store.deliver("alice", "a\n");
    assert.equal((await client.askAll("USER alice", "PASS secret")).line, line);
    assert.equal(client.session.state, "TRANSACTION");
  }
});

test("keywords are case-insensitive, and separators are runs of SPACE and TAB", async () => {
  const client = new SessionClient();
  assert.match((await client.ask("user \t alice \t")).line, /^\+OK/);
  assert.match((await client.ask("pAsS secret")).line, /^\+OK/);
});

test("V0008, V0009: USER is answered alike for names that exist and names that do not", async () => {
  const answers = new Set<string>();
  for (
    const name of ["alice", "nobody", "carol", "dave", "\xff\xfe", "x".repeat(400), "a@b", "\x01"]
  ) {
    answers.add(JSON.stringify(await new SessionClient().ask(`USER ${name}`)));
  }
  assert.equal(answers.size, 1);
  assert.match([...answers][0]!, /\+OK/);
});

test("a wrong password and an unknown name are refused in the same words", async () => {
  assert.equal((await new SessionClient().askAll("USER alice", "PASS wrong")).line, WRONG);
  assert.equal((await new SessionClient().askAll("USER nobody", "PASS secret")).line, WRONG);
});

const PASSWORDS: readonly [string, string][] = [
  ["PASS secret", "secret"],
  ["PASS\tsecret", "secret"],
  ["PASS  two leading", " two leading"],
  ["PASS \ta b\t c \t", "\ta b\t c \t"],
  ["PASS  ", " "],
  ["PASS p\xc3\xa4ss\xff", "p\xc3\xa4ss\xff"],
];

for (const [line, expected] of PASSWORDS) {
  test(`V0011: the password of ${JSON.stringify(line)} is ${JSON.stringify(expected)}`, async () => {
    let seen: string | undefined;
    const check: CheckPassword = (_user, password) => {
      seen = Buffer.from(password).toString("latin1");
      return Promise.resolve({ kind: "refused" });
    };
    await new SessionClient({ services: { checkPassword: check } }).askAll("USER alice", line);
    assert.equal(seen, expected);
  });
}

test("a user name is read as UTF-8", async () => {
  let seen: string | undefined;
  const check: CheckPassword = (user) => {
    seen = user;
    return Promise.resolve({ kind: "refused" });
  };
  await new SessionClient({ services: { checkPassword: check } })
    .askAll("USER j\xc3\xbcrgen@example.org", "PASS x");
  assert.equal(seen, "jürgen@example.org");
});

for (
  const [what, name] of [
    ["is not UTF-8", "al\xffice"],
    ["is longer than any name", "a".repeat(321)],
  ] as const
) {
  test(`a name that ${what} is checked at the same cost and then refused, whatever comes out`, async () => {
    let checks = 0;
    const grantAll: CheckPassword = (user) => {
      checks++;
      assert.ok(Buffer.byteLength(user) <= 330, "what is checked stays short");
      return Promise.resolve({ kind: "granted", account: { user: "alice", extra: {} } });
    };
    const client = new SessionClient({ services: { checkPassword: grantAll } });
    assert.equal((await client.askAll(`USER ${name}`, "PASS x")).line, WRONG);
    assert.equal(checks, 1);
    assert.equal(client.session.state, "AUTHORIZATION");
  });
}

test("PASS without USER is refused and checks nothing", async () => {
  const check = () => assert.fail("nothing is to be checked");
  const client = new SessionClient({ services: { checkPassword: check } });
  assert.equal((await client.ask("PASS secret")).line, "-ERR send USER first");
});

test("after a failed PASS the name must be given again", async () => {
  const client = new SessionClient();
  await client.askAll("USER alice", "PASS wrong");
  assert.equal((await client.ask("PASS secret")).line, "-ERR send USER first");
  assert.match((await client.askAll("USER alice", "PASS secret")).line, /^\+OK/);
});

test("the last USER counts", async () => {
  const client = new SessionClient();
  client.store.deliver("bob", "a\n");
  assert.equal(
    (await client.askAll("USER alice", "USER bob", "PASS secret")).line,
    "+OK 1 message",
  );
});

for (
  const line of [
    "UTF8",
    "CAPA",
    "LANG",
    "LANG de",
    "PASS",
    "USER",
    "AUTH",
    "XYZZY",
    "",
    "NOOP",
    "STLS",
  ]
) {
  test(`RFC1939-7-PASS-1: USER, ${JSON.stringify(line)}, PASS does not log in, symptom: a name outlived the next line`, async () => {
    const client = new SessionClient({ ascii: false, facts: { tls: true, stlsPossible: false } });
    await client.askAll("USER alice", line);
    assert.match((await client.ask("PASS secret")).line, /^-ERR (send USER first|zuerst USER)/);
    assert.match((await client.askAll("USER alice", "PASS secret")).line, /^\+OK/);
  });
}

test("RFC1939-7-PASS-1: a line that is too long makes USER forgotten too", async () => {
  const client = new SessionClient();
  await client.ask("USER alice");
  client.session.receiveTooLong();
  assert.equal((await client.ask("PASS secret")).line, "-ERR send USER first");
});

for (const line of ["PASS", "PASS ", "USER", "USER a b", "STLS x", "UTF8 x", "CAPA x", "QUIT x"]) {
  test(`${JSON.stringify(line)} has wrong arguments`, async () => {
    const client = new SessionClient();
    await client.ask("USER alice");
    assert.deepEqual(await client.ask(line), {
      line: "-ERR wrong arguments",
      body: undefined,
      next: "read",
    });
  });
}

test("a disabled account is told so only with the right password", async () => {
  const client = new SessionClient();
  assert.equal((await client.askAll("USER carol", "PASS wrong")).line, WRONG);
  const { line } = await client.askAll("USER carol", "PASS secret");
  assert.equal(line, "-ERR [SYS/PERM] account is disabled");
});

test("a directory that cannot be asked is never a wrong password", async () => {
  const { line } = await new SessionClient().askAll("USER dave", "PASS secret");
  assert.equal(line, "-ERR [SYS/TEMP] Service temporarily unavailable");
});

const PLAINTEXT: readonly [LoginType, boolean, boolean][] = [
  ["plaintext_login", false, true],
  ["plaintext_login", true, true],
  ["plaintext_authentication", false, false],
  ["plaintext_authentication", true, true],
  ["secure_login", false, false],
  ["secure_login", true, true],
];

for (const [loginType, tls, allowed] of PLAINTEXT) {
  test(`V0010: with ${loginType} and ${tls ? "" : "no "}TLS, USER is ${allowed ? "taken" : "refused for everybody"}`, async () => {
    for (const name of ["alice", "nobody"]) {
      const client = new SessionClient({
        services: { loginType, ...(allowed ? {} : { checkPassword: () => assert.fail() }) },
        facts: { tls, stlsPossible: !tls },
      });
      const expected = allowed ? /^\+OK/ : /^-ERR not allowed without TLS$/;
      assert.match((await client.ask(`USER ${name}`)).line, expected);
      assert.match((await client.ask("PASS secret")).line, allowed ? /./ : expected);
    }
  });
}

test("C0005: the last failed login that is allowed closes the connection", async () => {
  const client = new SessionClient({ services: { maxFailedLogins: 3 } });
  for (const next of ["read", "read", "close"]) {
    assert.deepEqual(await client.askAll("USER alice", "PASS wrong"), {
      line: WRONG,
      body: undefined,
      next,
    });
  }
});

test("C0005: the last bad command that is allowed closes the connection", async () => {
  const client = new SessionClient({ services: { maxBadCommands: 5 } });
  const heard = [];
  for (const line of ["XYZZY", "", "STAT", "DELE\0 1"]) heard.push(await client.ask(line));
  assert.deepEqual(heard.map(({ next }) => next), ["read", "read", "read", "read"]);
  assert.deepEqual(heard.map(({ line }) => line), [
    "-ERR unknown command",
    "-ERR no command",
    "-ERR command is not valid in this state",
    "-ERR no command",
  ]);
  assert.deepEqual(client.session.receiveTooLong(), {
    line: "-ERR [SYS/PERM] too many bad commands",
    next: "close",
  });
});

for (
  const line of [
    ...["CAPA x", "USER", "PASS", "PASS secret", "AUTH a b c", "AUTH NTLM", "STLS x", "LANG a b"],
    ...["STAT", "", "XYZZY"],
  ]
) {
  test(`C0005: ${JSON.stringify(line)} cannot be said for ever, symptom: refused lines that never counted`, async () => {
    const client = new SessionClient({ services: { maxBadCommands: 3 } });
    const heard = [await client.ask(line), await client.ask(line), await client.ask(line)];
    assert.deepEqual(heard.map(({ next }) => next), ["read", "read", "close"]);
    assert.equal(heard[2]!.line, "-ERR [SYS/PERM] too many bad commands");
  });
}

for (const line of ["USER alice", "PASS secret", "AUTH PLAIN", "STLS"]) {
  test(`C0005, V0010: ${line} where it is not allowed cannot be said for ever`, async () => {
    const client = new SessionClient({
      services: {
        maxBadCommands: 3,
        loginType: "secure_login",
        mechanismsFor: () => [plainMechanism(checkPassword)],
      },
      facts: { tls: false, stlsPossible: false },
    });
    for (const next of ["read", "read", "close"]) {
      assert.equal((await client.ask(line)).next, next);
    }
  });
}

test("a language that is not there is no bad command", async () => {
  const client = new SessionClient({ services: { maxBadCommands: 1 } });
  assert.equal((await client.ask("LANG tlh")).next, "read");
});

for (const keyword of ["STAT", "LIST", "RETR 1", "DELE 1", "NOOP", "RSET", "TOP 1 1", "UIDL"]) {
  test(`${keyword} before a login is in the wrong state`, async () => {
    const { line } = await new SessionClient().ask(keyword);
    assert.equal(line, "-ERR command is not valid in this state");
  });
}

test("V0012: APOP is no command", async () => {
  const { line } = await new SessionClient().ask("APOP alice c4c9334bac560ecc979e58001b3e22fb");
  assert.equal(line, "-ERR unknown command");
});

for (const line of ["GET / HTTP/1.1", "POST /", "CONNECT a:25", "EHLO a", "helo b", "OPTIONS *"]) {
  test(`${line} before a login ends the connection`, async () => {
    assert.deepEqual(await new SessionClient().ask(line), {
      line: "-ERR this is a POP3 server",
      body: undefined,
      next: "close",
    });
  });
}

test("QUIT before a login says goodbye and closes", async () => {
  const { line, next } = await new SessionClient().ask("QUIT");
  assert.deepEqual([line, next], ["+OK signing off", "close"]);
});

test("STLS begins TLS where it can, and only there", async () => {
  const cases = [
    [{ tls: false, stlsPossible: true }, "+OK begin TLS negotiation", "start-tls"],
    [{ tls: false, stlsPossible: false }, "-ERR TLS cannot be started here", "read"],
    [{ tls: true, stlsPossible: false }, "-ERR TLS is already on", "read"],
    [{ tls: true, stlsPossible: true }, "-ERR TLS is already on", "read"],
  ] as const;
  for (const [facts, line, next] of cases) {
    assert.deepEqual(await new SessionClient({ facts }).ask("STLS"), {
      line,
      body: undefined,
      next,
    });
  }
});

test("after STLS nothing that was learnt before is known", async () => {
  const client = new SessionClient({ ascii: false });
  await client.askAll("USER alice", "UTF8", "LANG de", "STLS");
  client.session.tlsStarted();
  assert.equal((await client.ask("PASS secret")).line, "-ERR send USER first");
  assert.equal((await client.ask("STLS")).line, "-ERR TLS is already on");
});

test("failed logins are counted across STLS", async () => {
  const client = new SessionClient({ services: { maxFailedLogins: 2 } });
  await client.askAll("USER alice", "PASS wrong", "STLS");
  client.session.tlsStarted();
  assert.equal((await client.askAll("USER alice", "PASS wrong")).next, "close");
});

test("too many sessions of a user are told to come back, and hold nothing", async () => {
  const client = new SessionClient({ services: { admitUser: () => undefined } });
  assert.equal(
    (await client.askAll("USER alice", "PASS secret")).line,
    "-ERR [SYS/TEMP] too many connections, wait and try again",
  );
  assert.equal(client.session.state, "AUTHORIZATION");
  assert.equal(client.store.maildropsOpen, 0);
});

for (
  const [kind, line] of [
    ["SYS/TEMP", "-ERR [SYS/TEMP] Service temporarily unavailable"],
    ["SYS/PERM", "-ERR [SYS/PERM] mailbox cannot be read"],
  ] as const
) {
  test(`a maildrop that fails to open with ${kind} leaves the session before the login`, async () => {
    const store = new MemoryStore();
    store.failOpen = new StorageFailure(kind, "secret detail");
    let held = 0;
    const failures: unknown[] = [];
    const client = new SessionClient({
      store,
      services: { admitUser: () => (held++, { release: () => void held-- }) },
      events: { storageFailed: (_doing, error) => failures.push(error) },
    });
    assert.deepEqual(await client.askAll("USER alice", "PASS secret"), {
      line,
      body: undefined,
      next: "read",
    });
    assert.equal(held, 0, "the user's place was given back");
    assert.deepEqual(failures, [store.failOpen]);
    store.failOpen = undefined;
    assert.match((await client.askAll("USER alice", "PASS secret")).line, /^\+OK/);
  });
}

test("an exception of ours ends the connection with a reply and is told to the operator", async () => {
  const mistake = new TypeError("a mistake of ours");
  const erred: unknown[] = [];
  const client = new SessionClient({
    services: { checkPassword: () => Promise.reject(mistake) },
    events: { erred: (error) => erred.push(error) },
  });
  assert.deepEqual(await client.askAll("USER alice", "PASS secret"), {
    line: "-ERR [SYS/TEMP] Service temporarily unavailable",
    body: undefined,
    next: "close",
  });
  assert.deepEqual(erred, [mistake]);
});

test("an exception of ours while the maildrop is opened gives the place back and closes", async () => {
  const store = new MemoryStore();
  store.failOpen = new TypeError("a mistake of ours");
  let held = 0;
  const client = new SessionClient({
    store,
    services: { admitUser: () => (held++, { release: () => void held-- }) },
  });
  assert.equal((await client.askAll("USER alice", "PASS secret")).next, "close");
  assert.equal(held, 0);
});

test("logins and failures are told as events, with the name as it was given", async () => {
  const told: unknown[] = [];
  const client = new SessionClient({
    events: {
      loginFailed: (...args) => told.push(["failed", ...args]),
      loggedIn: (...args) => told.push(["in", ...args]),
    },
  });
  await client.askAll("USER Nobody", "PASS x", "USER dave", "PASS x", "USER alice", "PASS secret");
  assert.deepEqual(told, [
    ["failed", "Nobody", "USER", "wrong user name or password", "wrong_credentials"],
    ["failed", "dave", "USER", "Service temporarily unavailable", "unavailable"],
    ["in", "alice", "USER", {
      user: "alice",
      mechanism: "USER",
      actedBy: undefined,
      folder: undefined,
    }],
  ]);
});

test("the test users are what the tests take them for", async () => {
  const outcome = async (user: string) => (await checkPassword(user, Buffer.from("secret"))).kind;
  assert.equal(await outcome("alice"), "granted");
  assert.equal(await outcome("nobody"), "refused");
});
