import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { MaildirStore } from "../../../src/maildir/maildir_store.ts";
import type { MessageNumber } from "../../../src/maildrop/message_number.ts";
import { popkeep, popkeepAtTerminal } from "../../support/command_line.ts";
import { TestMaildir } from "../../support/test_maildir.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-mailboxes-`);
after(() => rmSync(root, { recursive: true }));
let made = 0;

/** A folder with settings, users and their Maildirs, and popkeep's `mailbox` command in it. */
function setUp(users = "alice:{PLAIN}a\n") {
  const folder = `${root}/${made++}`;
  mkdirSync(folder);
  writeFileSync(`${folder}/popkeep.toml`, 'ssl_bindings = []\nmaildir = "mail/{user}"\n');
  writeFileSync(`${folder}/users`, users);
  return {
    folder,
    maildir: (user: string) => new TestMaildir(`${folder}/mail/${user}`),
    mailbox: (...args: string[]) => popkeep(["mailbox", ...args], { folder }),
    atTerminal: (args: string[], columns: number, environment = {}) =>
      popkeepAtTerminal(["mailbox", ...args], { folder, columns, environment }),
  };
}

const HELLO = `From: Alice <alice@example.com>
Subject: =?utf-8?Q?D=C3=A9j=C3=A0_vu?=
Date: Tue, 14 Jul 2026 10:00:00 +0200

body
`;

test("mailboxes are listed with path, messages and octets", async () => {
  const { folder, maildir, mailbox } = setUp("alice:{PLAIN}a\nbob:{PLAIN}b\n");
  const alice = maildir("alice");
  alice.deliver("Subject: 1\n\n");
  alice.place("2.b:2,S", "Subject: 2\r\n\r\n");
  const { exitCode, stdout, stderr } = await mailbox("list");
  deepStrictEqual({ exitCode, stdout, stderr }, {
    exitCode: 0,
    stdout: `alice\t2\t26\t${folder}/mail/alice\nbob\t0\t0\t${folder}/mail/bob\n`,
    stderr: "",
  });
  deepStrictEqual(JSON.parse((await mailbox("list", "--json")).stdout), [
    { user: "alice", path: `${folder}/mail/alice`, exists: true, messages: 2, octets: 26 },
    { user: "bob", path: `${folder}/mail/bob`, exists: false, messages: 0, octets: 0 },
  ]);
});

test("a mailbox that cannot be used does not hide the others", async () => {
  const { folder, maildir, mailbox } = setUp("odd:{PLAIN}a\nalice:{PLAIN}a\n");
  maildir("alice");
  mkdirSync(`${folder}/mail/odd`);
  const { exitCode, stdout, stderr } = await mailbox("list");
  strictEqual(exitCode, 74);
  strictEqual(stdout, `odd\t-\t-\t${folder}/mail/odd\nalice\t0\t0\t${folder}/mail/alice\n`);
  strictEqual(
    stderr,
    `popkeep: the mailbox of odd: ${folder}/mail/odd has neither new nor cur: it is no Maildir\n`,
  );
});

test("messages are shown with what their headers say", async () => {
  const { maildir, mailbox } = setUp();
  const alice = maildir("alice");
  alice.deliver(HELLO, "1700000001.a");
  alice.deliver("", "1700000002.b");
  const { exitCode, stdout, stderr } = await mailbox("show", "alice");
  deepStrictEqual({ exitCode, stdout, stderr }, {
    exitCode: 0,
    stdout: `-\t${HELLO.length}\t2026-07-14 08:00\tAlice\tD\u00e9j\u00e0 vu\n-\t0\t-\t-\t-\n`,
    stderr: "",
  });
});

test("JSON tells all that is known of a message", async () => {
  const { maildir, mailbox } = setUp();
  maildir("alice").place("1700000001.a:2,FS", HELLO);
  const [message, ...others] = JSON.parse((await mailbox("show", "alice", "--json")).stdout);
  deepStrictEqual(others, []);
  deepStrictEqual(message, {
    uniqueId: null,
    octets: HELLO.length,
    delivered: "2023-11-14T22:13:21.000Z",
    folder: "cur",
    flags: "FS",
    fileName: "1700000001.a:2,FS",
    readable: true,
    date: "2026-07-14T08:00:00.000Z",
    from: '"Alice" <alice@example.com>',
    subject: "D\u00e9j\u00e0 vu",
  });
});

test("looking changes nothing, and unique-ids are those that sessions have seen", async () => {
  const { folder, maildir, mailbox } = setUp();
  const alice = maildir("alice");
  alice.deliver(HELLO);
  const files = alice.files();
  ok((await mailbox("show", "alice")).stdout.startsWith("-\t"));
  deepStrictEqual(alice.files(), files);
  ok(!alice.names("tmp").length);

  const store = new MaildirStore({
    maildir: `${folder}/mail/{user}`,
    exactSizes: false,
    sortOrder: "ascending",
    markRetrievedAsSeen: true,
  });
  const maildrop = await store.open({ user: "alice", extra: {} });
  const uniqueId = maildrop.snapshot.uniqueIdOf(1 as MessageNumber);
  maildrop.close();
  alice.deliver(HELLO);
  const { stdout } = await mailbox("show", "alice");
  deepStrictEqual(stdout.split("\n").map((line) => line.split("\t")[0]), [uniqueId, "-", ""]);
});

test("a subject cannot steer the terminal or forge a row", async () => {
  const { maildir, mailbox, atTerminal } = setUp();
  maildir("alice").deliver(
    "From: =?utf-8?Q?=1B]0;owned=07?= <a@example.com>\n" +
      "Subject: =?utf-8?Q?a=1B[2J=C2=9B1mb=0Ac=09d=E2=80=AEe?=\n\n",
  );
  const { stdout } = await mailbox("show", "alice");
  strictEqual(stdout.split("\n").length, 2);
  strictEqual(stdout.split("\t").length, 5);
  const { screen } = await atTerminal(["show", "alice"], 100, { NO_COLOR: "1" });
  const { stdout: json } = await mailbox("show", "alice", "--json");
  for (const text of [stdout, screen, json]) {
    ok(!/[^\P{Cc}\n\t]|\u202e/u.test(text), JSON.stringify(text));
  }
});

test("at a terminal a table fits its width, with titles in bold unless NO_COLOR is set", async () => {
  const { maildir, atTerminal } = setUp();
  maildir("alice").deliver(HELLO.replace("vu", "vu_".repeat(60)));
  const { screen, exitCode } = await atTerminal(["show", "alice"], 60, {
    NO_COLOR: "",
    TERM: "xterm",
  });
  strictEqual(exitCode, 0);
  const [titles = "", row = "", ...rest] = screen.split("\n");
  strictEqual(titles, "\x1b[1mID  OCTETS  DATE              FROM   SUBJECT\x1b[0m");
  ok(row.startsWith(" -     "), row);
  ok(row.endsWith("\u2026") && [...row].length <= 60, row);
  deepStrictEqual(rest, [""]);
  const plain = await atTerminal(["show", "alice"], 60, { NO_COLOR: "1", TERM: "xterm" });
  ok(plain.screen.startsWith("ID  OCTETS"), plain.screen);
});

test("a mailbox that does not exist yet is empty and no failure", async () => {
  const { folder, mailbox } = setUp();
  deepStrictEqual(await mailbox("show", "alice"), {
    exitCode: 0,
    stdout: "",
    stderr: `popkeep: ${folder}/mail/alice does not exist yet, so there are no messages\n`,
  });
});

test("a user who is not there is told", async () => {
  const { exitCode, stderr } = await setUp().mailbox("show", "nobody");
  strictEqual(exitCode, 67);
  ok(stderr.startsWith("popkeep: there is no user nobody"), stderr);
});
