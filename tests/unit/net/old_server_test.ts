/** What a client of an old server does with answers of all kinds, told by a server that says what a test wants. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { OldServer, type OldServerOptions } from "../../../src/net/old_server/old_server.ts";
import {
  OldServerFault,
  type OldServerFaultKind,
} from "../../../src/net/old_server/old_server_fault.ts";

/** Answers by command, as octets on the wire; what is not there is -ERR. */
type Answers = Readonly<Record<string, string>>;

const WILLING: Answers = {
  "": "+OK ready\r\n",
  "USER alice": "+OK\r\n",
  "PASS secret": "+OK\r\n",
  "CAPA": "+OK\r\nTOP\r\nUIDL\r\n.\r\n",
  "LIST": "+OK\r\n1 100\r\n2 200\r\n.\r\n",
  "UIDL": "+OK\r\n1 one\r\n2 two words \r\n.\r\n",
  "TOP 1 0": "+OK\r\nSubject: 1\r\n..dot\r\n\r\n.\r\n",
  "TOP 2 0": "+OK\r\nSubject: 2\r\n\r\nbody\r\n.\r\n",
  "QUIT": "+OK\r\n",
};

interface Told {
  readonly commands: string[];
  readonly options: OldServerOptions;
}

async function withServer(
  answers: Answers,
  work: (told: Told) => Promise<void>,
  settings: Partial<OldServerOptions> = {},
): Promise<void> {
  const commands: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write(answers[""] ?? "");
    let held = "";
    socket.on("data", (chunk) => {
      held += String(chunk);
      for (let end; (end = held.indexOf("\r\n")) >= 0; held = held.slice(end + 2)) {
        const command = held.slice(0, end);
        commands.push(command);
        socket.write(answers[command] ?? "-ERR what?\r\n");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as { port: number };
  const options: OldServerOptions = {
    host: "127.0.0.1",
    port,
    tls: "none",
    user: "alice",
    password: Buffer.from("secret"),
    mayRetrieve: false,
    ...settings,
  };
  try {
    await work({ commands, options });
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function headersOf(session: OldServer): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for await (const header of session.headers(await session.messages())) {
    found.push(header?.toString("latin1"));
  }
  return found;
}

function fails(kind: OldServerFaultKind, text: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof OldServerFault, String(error));
    assert.equal(error.kind, kind);
    assert.match(error.message, text);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  };
}

test("messages, unique-ids and headers come, and nothing is marked", () =>
  withServer(WILLING, async ({ commands, options }) => {
    const session = await OldServer.open(options);
    assert.deepEqual(await session.messages(), [
      { number: 1, id: "one", octets: 100 },
      { number: 2, id: "two words", octets: 200 },
    ]);
    assert.deepEqual(await headersOf(session), ["Subject: 1\r\n.dot\r\n", "Subject: 2\r\n"]);
    session.end();
    assert.ok(commands.every((command) => !/DELE|RETR/.test(command)), commands.join());
  }));

test("commands are sent ahead only where the server says that it can take that", async () => {
  for (const capabilities of ["TOP\r\n", "TOP\r\nPIPELINING\r\n"]) {
    const answers = { ...WILLING, CAPA: `+OK\r\n${capabilities}.\r\n`, "TOP 1 0": "" };
    await withServer(answers, async ({ commands, options }) => {
      const session = await OldServer.open(options);
      const messages = await session.messages();
      // The first answer never comes; what was sent meanwhile tells.
      void session.headers(messages).next().catch(() => {});
      const isAhead = capabilities.includes("PIPELINING");
      for (let looks = 0; looks < 50 && !commands.includes("TOP 2 0"); looks++) {
        await new Promise((resolve) => setTimeout(resolve, isAhead ? 20 : 2));
      }
      assert.equal(commands.includes("TOP 2 0"), isAhead);
      session.end();
    });
  }
});

test("a message that has gone meanwhile has no header, and others have theirs", () =>
  withServer({ ...WILLING, "TOP 1 0": "-ERR gone\r\n" }, async ({ options }) => {
    const session = await OldServer.open(options);
    assert.deepEqual(await headersOf(session), [undefined, "Subject: 2\r\n"]);
    session.end();
  }));

test("a server without TOP is told of; whole messages are downloaded only by leave, and without QUIT", async () => {
  const { "TOP 1 0": _1, "TOP 2 0": _2, CAPA: _3, ...others } = WILLING;
  const answers = {
    ...others,
    "RETR 1": "+OK\r\nSubject: 1\r\n\r\nbody\r\n.\r\n",
    "RETR 2": "+OK\r\nSubject: 2\r\n\r\n\r\nbody\r\n.\r\n",
  };
  await withServer(answers, async ({ options }) => {
    const session = await OldServer.open(options);
    await assert.rejects(headersOf(session), fails("unusable", /no TOP/));
    session.end();
  });
  await withServer(answers, async ({ commands, options }) => {
    const session = await OldServer.open(options);
    assert.deepEqual(await headersOf(session), ["Subject: 1\r\n", "Subject: 2\r\n"]);
    session.end();
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.ok(!commands.includes("QUIT"));
  }, { mayRetrieve: true });
});

const REFUSALS: readonly [string, Answers, OldServerFaultKind, RegExp][] = [
  ["a greeting that says no", { "": "-ERR busy\r\n" }, "unusable", /busy/],
  ["another protocol", { "": "220 smtp\r\n" }, "unusable", /no POP3 server/],
  ["a name that is refused", { "USER alice": "-ERR no\r\n" }, "refused", /USER/],
  ["a wrong password", { "PASS secret": "-ERR [AUTH] wrong\r\n" }, "refused", /wrong/],
  ["no UIDL", { "UIDL": "-ERR\r\n" }, "unusable", /no unique-ids/],
  ["a name with a line end", {}, "refused", /line end/],
];

for (const [what, answers, kind, text] of REFUSALS) {
  test(`the old server's mailbox cannot be read: ${what}`, () =>
    withServer({ ...WILLING, ...answers }, async ({ options }) => {
      const user = what.startsWith("a name with") ? "alice\r\nDELE 1" : options.user;
      await assert.rejects(async () => {
        const session = await OldServer.open({ ...options, user });
        try {
          await session.messages();
        } finally {
          session.end();
        }
      }, fails(kind, text));
    }));
}

test("what comes behind the answer to STLS, before TLS, ends it: somebody put it there", () =>
  withServer(
    { ...WILLING, STLS: "+OK\r\n+OK injected\r\n" },
    async ({ options }) => {
      await assert.rejects(OldServer.open(options), fails("unusable", /more than it may/));
    },
    { tls: "starttls" },
  ));

test("nobody listens: trying later may help", () =>
  withServer(WILLING, async ({ options }) => {
    await assert.rejects(
      OldServer.open({ ...options, port: 1 }),
      fails("unreachable", /127\.0\.0\.1:1/),
    );
  }));

test("a line without an end, or a header without one, takes bounded memory and is read past", () => {
  const endless = "x".repeat(3_000_000);
  const fields = "X-Long: y\r\n".repeat(60_000);
  const answers = {
    ...WILLING,
    "TOP 1 0": `+OK\r\n${endless}\r\n\r\n.\r\n`,
    "TOP 2 0": `+OK\r\n${fields}\r\n.\r\n`,
  };
  return withServer(answers, async ({ options }) => {
    const session = await OldServer.open(options);
    const [first, second] = await headersOf(session);
    assert.equal(first!.length, 65_536 + 2);
    assert.ok(second!.length > 200_000 && second!.length <= 262_144 + 2);
    session.end();
  });
});

test("a message that does not end is given up", async () => {
  const endless = `+OK\r\nSubject: 1\r\n\r\n${"an octet or two\r\n".repeat(1_100_000)}`;
  await withServer({ ...WILLING, "TOP 1 0": endless }, async ({ options }) => {
    const server = await OldServer.open(options);
    const [first] = await server.messages();
    await assert.rejects(
      async () => {
        for await (const _header of server.headers([first!]));
      },
      (error) => error instanceof OldServerFault && error.message === "its message 1 does not end",
    );
    server.end();
  });
});
