/** Mail that comes by LMTP (RFC 2033) to a running server: who gets what, and how each recipient is answered. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../support/free_port.ts";
import { LmtpClient, type LmtpPlace, stuffed } from "../support/lmtp_client.ts";
import { type RunningServer, startServer } from "../support/server.ts";
import { TestMaildir } from "../support/test_maildir.ts";
import { logRecords } from "./server_log.ts";

let server: RunningServer;
let port: number;
let socket: string;

before(async () => {
  port = await freePort();
  // Its folder is made by the server's start; the path is known before.
  server = await startServer({
    users: ["alice@example.com", "bob", "carol"],
    settings: `lmtp_bindings = ["127.0.0.1:${port}"]
folder_separator = "+"
max_receive_size = "300MiB"
maildir = "{home}/Maildir"`,
  });
  socket = `${server.folder}/lmtp`;
  const file = `${server.folder}/popkeep.toml`;
  const settings = readFileSync(file, "utf8");
  writeFileSync(
    file,
    settings.replace(
      /^lmtp_bindings.*$/m,
      `lmtp_bindings = ["127.0.0.1:${port}", "unix:${socket}"]`,
    ),
  );
  server.signal("SIGHUP");
  await server.untilLogged(/"message":"reloaded"/);
});

after(() => server.stop());

const ALICE = "alice@example.com";

function places(): LmtpPlace[] {
  return [{ port }, { path: socket }];
}

/** The messages in a user's Maildir or a folder of it, in their order, which are then removed. */
function taken(user: string, folder = ""): string[] {
  const path = `${server.homeOf(user)}/Maildir${folder}`;
  if (!existsSync(path)) return [];
  assert.deepEqual(readdirSync(`${path}/tmp`), []);
  const names = readdirSync(`${path}/new`).sort();
  const texts = names.map((name) => readFileSync(`${path}/new/${name}`, "latin1"));
  for (const [index, name] of names.entries()) {
    assert.match(name, new RegExp(`,S=${texts[index]!.length},W=\\d+$`));
    rmSync(`${path}/new/${name}`);
  }
  return texts;
}

async function withClient(
  body: (client: LmtpClient) => Promise<void>,
  place: LmtpPlace = { port },
) {
  const { client } = await LmtpClient.greeted(place);
  try {
    await body(client);
  } finally {
    client.vanish();
  }
}

function makeHomes(): void {
  for (const user of [ALICE, "bob", "carol"]) mkdirSync(server.homeOf(user), { recursive: true });
}

test("a message comes to all its recipients, by an address and by a socket", async () => {
  makeHomes();
  for (const place of places()) {
    await withClient(async (client) => {
      const replies = await client.deliver([ALICE, "bob"], "Subject: hello\r\n\r\nbody\r\n");
      for (const reply of replies) assert.match(reply, /^250 2\.0\.0 saved as [\w.]+,S=\d+,W=\d+$/);
      for (const user of [ALICE, "bob"]) {
        const head = `Return-Path: <zoe@example.org>\nDelivered-To: ${user}\n`;
        assert.deepEqual(taken(user), [`${head}Subject: hello\n\nbody\n`]);
      }
      await client.quit();
    }, place);
  }
  await server.untilLogged(
    /"message":"message delivered","address":"127.0.0.1","user":"alice@example.com","recipient":"alice@example.com","sender":"zoe@example.org"/,
  );
  await server.untilLogged(/"message":"message delivered","socket":"[^"]*\/lmtp","user":"bob"/);
});

test("it says what it can do, and offers no TLS and no login", async () => {
  const { client, features } = await LmtpClient.greeted({ port });
  assert.deepEqual(features.sort(), [
    "8BITMIME",
    "ENHANCEDSTATUSCODES",
    "PIPELINING",
    `SIZE ${300 * 1_048_576}`,
    "SMTPUTF8",
  ]);
  const none = ["STARTTLS", "AUTH PLAIN AGEAYg==", "XCLIENT ADDR=192.0.2.1", "XFORWARD NAME=x"];
  for (const command of [...none, "WIZ x", "SHELL", "EHLO x", "HELO x", "BDAT 1 LAST", "", "\0"]) {
    assert.match(await client.ask(command), /^500 /, command);
  }
  await client.asked("NOOP", /^250 2/);
  await client.quit();
});

test("each RCPT that is taken has an answer, one who is named twice two", async () => {
  makeHomes();
  await withClient(async (client) => {
    const replies = await client.deliver(["bob", ALICE, "bob", "BOB"], "x\r\n");
    assert.equal(replies.length, 4);
    await client.asked("NOOP", /^250 2\.0\.0 OK/);
    assert.deepEqual([taken("bob").length, taken(ALICE).length], [3, 1]);
  });
});

test("there is no such user: 5.1.1, and the others get the message", async () => {
  makeHomes();
  await withClient(async (client) => {
    await client.asked("MAIL FROM:<>", /^250/);
    for (
      const nobody of [
        "nobody",
        "alice@example.org",
        "../bob",
        "bob/",
        "x\x7fy",
        "",
        '"a b"@example.com',
      ]
    ) {
      const reply = await client.ask(`RCPT TO:<${nobody}>`);
      assert.match(
        reply,
        nobody === "" ? /^501 5\.1\.3 / : /^550 5\.1\.1 there is no such user here$/,
      );
    }
    await client.asked("DATA", /^503 5/);
    await client.asked("RCPT TO:<bob>", /^250/);
    await client.asked("DATA", /^354/);
    client.send("x\r\n.\r\n");
    assert.match(await client.reply(), /^250 /);
    await client.asked("NOOP", /^250 2/);
    assert.deepEqual(taken("bob"), ["Return-Path: <>\nDelivered-To: bob\n\nx\n"]);
  });
});

test("a folder behind the name is taken where it is, and the INBOX where it is not", async () => {
  makeHomes();
  new TestMaildir(`${server.homeOf("bob")}/Maildir`);
  new TestMaildir(`${server.homeOf("bob")}/Maildir/.Lists`);
  await withClient(async (client) => {
    await client.deliver(["bob+lists", "bob+other"], "x\r\n", "");
    assert.deepEqual(taken("bob", "/.Lists"), ["Return-Path: <>\nDelivered-To: bob+lists\n\nx\n"]);
    assert.deepEqual(taken("bob"), ["Return-Path: <>\nDelivered-To: bob+other\n\nx\n"]);
  });
});

test("no sender keeps mail away, however odd; one that fits no header line is left out of it", async () => {
  makeHomes();
  const senders = new Map([
    ["-x@example.org", true],
    ["user.@example.org", true],
    ["a..b@example.org", true],
    ['"a b"@example.org', true],
    ['"a<b>"@example.org', false],
    ["MAILER-DAEMON", true],
    ["@relay.example,@two.example:zoe@example.org", true],
    [`${"x".repeat(300)}@example.org`, false],
    ["b\xc3\xbccher@example.org", true],
    ["\xff@example.org", false],
  ]);
  await withClient(async (client) => {
    for (const [sender, isShown] of senders) {
      await client.deliver(["bob"], "x\r\n", sender);
      const shown = sender.replace(/^@.*:/, "");
      const path = isShown ? `Return-Path: <${shown}>\n` : "";
      assert.deepEqual(taken("bob"), [`${path}Delivered-To: bob\n\nx\n`], sender);
    }
  });
});

/** As they are sent, and as they are stored behind the envelope. */
const BODIES: readonly (readonly [string, string])[] = [
  ["", ""],
  ["\r\n", "\n"],
  ["no header\r\n", "no header\n"],
  [".\r\n", ".\n"],
  ["..\r\n.a\r\n...\r\n", "..\n.a\n...\n"],
  ["a\nb\rc\r\n", "a\nb\rc\n"],
  ["nul\0nul\r\n", "nul\0nul\n"],
  [`${"x".repeat(5_000)}\r\n`, `${"x".repeat(5_000)}\n`],
  // None of these is the end of a message, whatever other servers take for it (CVE-2023-51764 and its kin).
  ["a\n.\nb\r\n", "a\n.\nb\n"],
  ["a\n.\r\nb\r\n", "a\n.\nb\n"],
  ["a\r.\r\nb\r\n", "a\r.\nb\n"],
  ["a\r.\rb\r\n", "a\r.\rb\n"],
  ["a\0\r\n\0.\r\nb\r\n", "a\0\n\0.\nb\n"],
  [
    "a\n.\nMAIL FROM:<evil@example.org>\nRCPT TO:<carol>\nDATA\nx\r\n",
    "a\n.\nMAIL FROM:<evil@example.org>\nRCPT TO:<carol>\nDATA\nx\n",
  ],
];

test("a message without a header, and one behind a line of an mbox, can be read by clients", async () => {
  makeHomes();
  const head = "Return-Path: <>\nDelivered-To: bob\n";
  await withClient(async (client) => {
    await client.deliver(["bob"], "just text\r\nand more\r\n", "");
    assert.deepEqual(taken("bob"), [`${head}\njust text\nand more\n`]);
    const line = "From zoe@example.org  Mon Nov 23 14:00:00 2026\r\n";
    await client.deliver(["bob"], `${line}Subject: x\r\n\r\ny\r\n`, "");
    assert.deepEqual(taken("bob"), [`${head}Subject: x\n\ny\n`]);
  });
});

test("messages of octets of all kinds are taken as they are, in whatever pieces they come", async () => {
  makeHomes();
  const octets = Buffer.from(Array.from({ length: 256 * 400 }, (_, at) => at % 256)).toString(
    "latin1",
  );
  const bodies = [...BODIES, [`${octets}\r\n`, `${octets.replaceAll("\r\n", "\n")}\n`] as const];
  await withClient(async (client) => {
    client.socket.setNoDelay(true);
    for (const [sent, stored] of bodies) {
      const wire = stuffed(sent);
      for (
        const pieceOctets of wire.length < 500 ? [1, 2, 3, 5, wire.length] : [1_460, wire.length]
      ) {
        await client.begin(["bob"], "");
        for (let at = 0; at < wire.length; at += pieceOctets) {
          client.send(wire.subarray(at, at + pieceOctets));
          if (wire.length < 500) await sleep(1);
        }
        assert.match(await client.reply(), /^250 /);
        // None of them has a header: then its end is written for them.
        const end = /^\n?$/.test(stored) ? "" : "\n";
        const wanted = `Return-Path: <>\nDelivered-To: bob\n${end}${stored}`;
        assert.deepEqual(taken("bob"), [wanted], JSON.stringify(sent.slice(0, 60)));
        await client.asked("NOOP", /^250 2\.0\.0 OK/);
      }
    }
  });
  assert.deepEqual(taken("carol"), []);
});

test("commands and messages may come all at once, and our answers are in their order", async () => {
  makeHomes();
  for (const place of places()) {
    const client = await LmtpClient.connect(place);
    const one = "MAIL FROM:<>\r\nRCPT TO:<bob>\r\nRCPT TO:<nobody>\r\nDATA\r\n";
    client.send(`LHLO x\r\n${one}a\r\n.\r\nRSET\r\n${one}b\r\n.\r\nVRFY bob\r\nQUIT\r\nNOOP\r\n`);
    client.halfClose();
    const codes: string[] = [];
    for (let n = 0; n < 14; n++) codes.push((await client.reply()).slice(0, 3));
    const message = ["250", "250", "550", "354", "250"];
    assert.deepEqual(codes, ["250", ...message, "250", ...message, "252", "221"]);
    assert.equal(await client.untilClosed(), "");
    assert.deepEqual(taken("bob").map((text) => text.at(-2)), ["a", "b"]);
    client.vanish();
  }
});

test("a client that is gone before the end of its message has delivered nothing", async () => {
  makeHomes();
  for (const goes of ["vanish", "halfClose"] as const) {
    for (
      const begun of [
        "",
        "half a mess",
        `${"a line\r\n".repeat(50_000)}`,
        "whole but for the end\r\n.\r",
      ]
    ) {
      const { client } = await LmtpClient.greeted({ port });
      await client.begin([ALICE, "bob"]);
      const before = notWhole();
      client.send(begun);
      await sleep(20);
      client[goes]();
      await client.untilClosed();
      client.vanish();
      await untilMore(notWhole, before);
      assert.deepEqual([taken(ALICE), taken("bob")], [[], []]);
    }
  }
});

function notWhole(): number {
  return logRecords(server).filter(({ message }) => message === "message not whole").length;
}

async function untilMore(count: () => number, than: number): Promise<void> {
  const giveUpAtMs = performance.now() + 60_000;
  while (count() <= than) {
    assert.ok(performance.now() < giveUpAtMs, "nothing is logged");
    await sleep(10);
  }
}

test("a mailbox that cannot be written is answered for by itself: 4.3.0", async () => {
  makeHomes();
  rmSync(`${server.homeOf("carol")}/Maildir`, { recursive: true, force: true });
  writeFileSync(`${server.homeOf("carol")}/Maildir`, "no folder");
  try {
    await withClient(async (client) => {
      const [first, second, third] = await client.deliver(["bob", "carol", ALICE], "x\r\n");
      assert.match(first!, /^250 2\.0\.0 /);
      assert.match(second!, /^451 4\.3\.0 the mailbox cannot be written now/);
      assert.match(third!, /^250 2\.0\.0 /);
      assert.deepEqual([taken("bob").length, taken(ALICE).length], [1, 1]);
    });
    await server.untilLogged(
      /"message":"message not delivered".*"user":"carol".*"reply":"451 4\.3\.0/,
    );
  } finally {
    rmSync(`${server.homeOf("carol")}/Maildir`);
  }
});

test("a home that is not there is no place to make: 4.3.0, and nothing is made", async () => {
  rmSync(server.homeOf("carol"), { recursive: true, force: true });
  chmodSync(server.folder, 0o755);
  await withClient(async (client) => {
    const home = `${server.folder}/home`;
    rmSync(home, { recursive: true });
    const [reply] = await client.deliver(["carol"], "x\r\n");
    assert.match(reply!, /^451 4\.3\.0 /);
    assert.ok(!existsSync(home));
    mkdirSync(home);
  });
});

test("200 MiB pass through and are never in memory", async () => {
  makeHomes();
  const line = `${"x".repeat(998)}\r\n`;
  const piece = Buffer.from(line.repeat(1_000));
  const pieces = 210;
  await withClient(async (client) => {
    await client.begin(["bob", "carol"]);
    for (let n = 0; n < pieces; n++) {
      if (!client.socket.write(piece)) await new Promise((go) => client.socket.once("drain", go));
    }
    client.send(".\r\n");
    for (const _ of ["bob", "carol"]) assert.match(await client.reply(), /^250 /);
  });
  for (const user of ["bob", "carol"]) {
    const [name] = readdirSync(`${server.homeOf(user)}/Maildir/new`);
    const octets = 999 * 1_000 * pieces +
      `Return-Path: <zoe@example.org>\nDelivered-To: ${user}\n\n`.length;
    assert.match(name!, new RegExp(`,S=${octets},`));
    rmSync(`${server.homeOf(user)}/Maildir/new/${name}`);
  }
  const status = await readFile(`/proc/${server.child.pid}/status`, "latin1");
  const peakKib = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]);
  assert.ok(peakKib > 0 && peakKib < 400_000, `${peakKib} KiB at most`);
});
