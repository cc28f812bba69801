import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
    `popkeep: the mailbox of odd: ${folder}/mail/odd has neither new nor cur: it is no Maildir; ` +
      "the server would refuse the login with -ERR [SYS/PERM]\n",
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
  strictEqual(titles, "\x1b[1mID  OCTETS  FROM   SUBJECT\x1b[0m");
  ok(row.startsWith(" -     "), row);
  ok(row.endsWith("\u2026") && [...row].length <= 60, row);
  deepStrictEqual(rest, [""]);
  const plain = await atTerminal(["show", "alice"], 60, { NO_COLOR: "1", TERM: "xterm" });
  ok(plain.screen.startsWith("ID  OCTETS"), plain.screen);
  const wide = await atTerminal(["show", "alice"], 100, { NO_COLOR: "1", TERM: "xterm" });
  ok(wide.screen.startsWith("ID  OCTETS  DATE              FROM   SUBJECT\n"), wide.screen);
});

test("a path is never cut, however narrow the terminal", async () => {
  const { folder, maildir, atTerminal } = setUp();
  maildir("alice");
  const { screen } = await atTerminal(["list"], 30, { NO_COLOR: "1", TERM: "xterm" });
  ok(screen.includes(` ${folder}/mail/alice\n`), screen);
});

test("a mailbox that does not exist yet is empty and no failure", async () => {
  const { folder, mailbox } = setUp();
  mkdirSync(`${folder}/mail`);
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

test("mail that the server could not serve is told, and no command says that all is well", async () => {
  chmodSync(root, 0o755);
  const { folder, maildir } = setUp();
  const alice = maildir("alice");
  alice.deliver("Subject: 1\n\n", "1700000001.a");
  chmodSync(`${alice.path}/new/1700000001.a`, 0o000);
  const folders = [alice.path, `${alice.path}/new`, `${alice.path}/cur`];
  for (const path of [`${folder}/mail`, ...folders]) chmodSync(path, 0o555);
  const unprivileged = { folder, unprivileged: true };

  const listed = await popkeep(["mailbox", "list"], unprivileged);
  strictEqual(listed.exitCode, 74, listed.stderr);
  strictEqual(listed.stdout, `alice\t1\t12\t${alice.path}\n`);
  const begins = listed.stderr.trimEnd().split("\n").map((line) => line.split(" by this user")[0]);
  deepStrictEqual(begins, [
    `popkeep: the mailbox of alice: ${alice.path} may not be written`,
    `popkeep: the mailbox of alice: ${alice.path}/new may not be written`,
    `popkeep: the mailbox of alice: ${alice.path}/cur may not be written`,
    `popkeep: the mailbox of alice: ${alice.path}/new/1700000001.a may not be read`,
  ]);
  ok(listed.stderr.includes("no session would see new mail, beginning with the 1 that "));

  const shown = await popkeep(["mailbox", "show", "alice"], unprivileged);
  deepStrictEqual([shown.exitCode, shown.stdout], [74, "-\t12\t-\t-\t-\n"]);
  const tested = await popkeep(
    ["user", "test", "alice", "--password-stdin"],
    { ...unprivileged, input: "a" },
  );
  strictEqual(tested.exitCode, 74);
  ok(tested.stdout.startsWith("The password of alice is right.\n"), tested.stdout);
  ok(tested.stderr.includes("may not be written by this user"), tested.stderr);
  for (const path of [`${folder}/mail`, ...folders]) chmodSync(path, 0o755);
});

test("where the folder of all mail is missing, a mailbox is not called empty", async () => {
  const { folder, mailbox } = setUp();
  const { exitCode, stdout, stderr } = await mailbox("show", "alice");
  deepStrictEqual([exitCode, stdout], [74, ""]);
  strictEqual(
    stderr,
    `popkeep: the mailbox of alice: ${folder}/mail, where the mail of all users should be, is ` +
      "not there; the server would refuse the login with -ERR [SYS/TEMP]\n",
  );
});
