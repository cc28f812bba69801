/** `popkeep import-uids` as it is typed: what it says, and how it ends. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { popkeep, popkeepAtTerminal } from "../../support/command_line.ts";
import { PASSWORD, type RunningServer, startServer } from "../../support/server.ts";
import { TestMaildir } from "../../support/test_maildir.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-import-`);
after(() => rmSync(root, { recursive: true }));
let made = 0;

/** A folder with settings, users and their Maildirs, and the command in it. */
function setUp(users: readonly string[] = ["alice"]) {
  const folder = `${root}/${made++}`;
  mkdirSync(folder);
  const settings = 'ssl_bindings = []\nuser = "root"\nmaildir = "mail/{user}"\n';
  writeFileSync(`${folder}/popkeep.toml`, settings);
  writeFileSync(`${folder}/users`, users.map((user) => `${user}:{PLAIN}a\n`).join(""));
  return {
    folder,
    maildir: (user: string) => new TestMaildir(`${folder}/mail/${user}`),
    importUids: (...args: string[]) => popkeep(["import-uids", ...args], { folder }),
  };
}

function dovecotList(maildir: TestMaildir, ids: Readonly<Record<string, string>>): void {
  const lines = Object.entries(ids).map(([name, id], n) => `${n + 1} P${id} :${name}\n`);
  writeFileSync(`${maildir.path}/dovecot-uidlist`, `3 V5 N99\n${lines.join("")}`);
}

test("what is kept, mapped, and new is told, for a user and for JSON", async () => {
  const { importUids, maildir } = setUp();
  const alice = maildir("alice");
  const [a, b] = [alice.deliver("a"), alice.deliver("b")];
  alice.deliver("c");
  dovecotList(alice, { [a]: "old", [b]: "x".repeat(71) });
  const dry = await importUids("alice", "--from", "dovecot", "--dry-run");
  assert.deepEqual([dry.exitCode, dry.stdout], [0, "alice\t3\t1\t0\t1\t1\n"], dry.stderr);
  assert.match(
    dry.stderr,
    /alice: 1 message is downloaded again: the old unique-id cannot be shown/,
  );
  assert.match(dry.stderr, /alice: x{71} becomes sha256-[0-9a-f]{40}\n/);
  assert.match(
    dry.stderr,
    /1 mailbox: of 3 messages 1 would keep the old unique-id, 1 had none, 1 would be downloaded again; nothing was changed\n$/,
  );
  assert.ok(!existsSync(alice.sidecar));
  const { stdout } = await importUids("alice", "--from", "dovecot", "--json");
  const [row] = JSON.parse(stdout);
  assert.deepEqual([row.kept, row.same, row.again, row.unlisted], [1, 0, 1, 1]);
  assert.equal(row.mapped[0].old, "x".repeat(71));
  assert.ok(existsSync(alice.sidecar));
});

test("a dry run shows the first old unique-id, by which a wrong source can be told", async () => {
  const { importUids, maildir } = setUp();
  const alice = maildir("alice");
  const [a, b] = [alice.deliver("a"), alice.deliver("b")];
  dovecotList(alice, { [a]: "000000016b048595", [b]: "000000026b048595" });
  const dry = ["alice", "--from", "dovecot", "--dry-run"];
  assert.match((await importUids(...dry)).stderr, /^popkeep: alice: first: 000000016b048595$/m);
  const [row] = JSON.parse((await importUids(...dry, "--json")).stdout);
  assert.deepEqual(row.found, [
    { old: "000000016b048595", outcome: "kept" },
    { old: "000000026b048595", outcome: "kept" },
  ]);
});

test("messages without X-UIDL are not said to be kept from a download", async () => {
  const { importUids, maildir } = setUp();
  const alice = maildir("alice");
  alice.deliver("X-UIDL: one\nSubject: a\n\n");
  alice.deliver("Subject: b\n\n");
  const { stdout, stderr } = await importUids("alice", "--from", "x-uidl", "--dry-run");
  assert.equal(stdout, "alice\t2\t1\t0\t1\t0\n");
  assert.match(stderr, /1 message is downloaded again: there is no X-UIDL field/);
  assert.match(stderr, /1 would be downloaded again; nothing was changed\n$/);
});

test("a number that is too high is not said to have characters that POP3 forbids", async () => {
  const { importUids, maildir } = setUp();
  const alice = maildir("alice");
  dovecotList(alice, { [alice.deliver("a")]: "9007199254740990" });
  const { stderr } = await importUids("alice", "--from", "dovecot", "--dry-run");
  assert.match(stderr, /1 message is downloaded again: the old unique-id is a number that leaves/);
  assert.match(stderr, /9007199254740990 becomes sha256-/);
  assert.doesNotMatch(stderr, /cannot be shown/);
});

test("with --all each mailbox is done, and one without a list is told and is no failure", async () => {
  const { importUids, maildir } = setUp(["alice", "bob", "carol"]);
  const alice = maildir("alice");
  dovecotList(alice, { [alice.deliver("a")]: "old" });
  maildir("bob").deliver("b");
  const ended = await importUids("--all", "--from", "dovecot");
  assert.deepEqual(ended.stdout, "alice\t1\t1\t0\t0\t0\nbob\t1\t0\t0\t0\t1\n", ended.stderr);
  assert.match(ended.stderr, /bob: there is no .*bob\/dovecot-uidlist/);
  assert.match(ended.stderr, /the mailbox of carol: .*no Maildir/);
  assert.equal(ended.exitCode, 74, "a mailbox that cannot be looked at is one");
});

test("lists elsewhere are found by a path with the user's name in it", async () => {
  const { folder, importUids, maildir } = setUp();
  const alice = maildir("alice");
  mkdirSync(`${folder}/control/alice`, { recursive: true });
  const name = alice.deliver("a");
  writeFileSync(`${folder}/control/alice/dovecot-uidlist`, `3 V5 N9\n7 :${name}\n`);
  for (const source of ["control/{user}", "control/{user}/dovecot-uidlist"]) {
    const { exitCode, stderr, stdout } = await importUids(
      ...["alice", "--from", "dovecot", "--uidl-format", "%v-%u", "--source", source],
    );
    assert.deepEqual([exitCode, stdout.split("\t")[4]], [0, "0"], stderr);
  }
  const shown = await popkeep(["mailbox", "show", "alice"], { folder });
  assert.match(shown.stdout, /^5-7\t/);
});

const FAULTS: readonly [exitCode: number, said: RegExp, args: readonly string[]][] = [
  [64, /name a user, or say --all/, ["--from", "dovecot"]],
  [64, /name a user, or say --all/, ["alice", "--all", "--from", "dovecot"]],
  [64, /--from/, ["alice"]],
  [64, /Allowed choices/, ["alice", "--from", "exchange"]],
  [64, /--host says nothing to --from courier/, ["alice", "--from", "courier", "--host", "h"]],
  [64, /--uidl-format: .*%m/, ["alice", "--from", "dovecot", "--uidl-format", "%m"]],
  [64, /needs --source/, ["alice", "--from", "cyrus"]],
  [64, /one of uidonly/, ["alice", "--from", "cyrus", "--source", "/x", "--uidl-format", "%u"]],
  [64, /needs --host/, ["alice", "--from", "live"]],
  [64, /needs --master-user/, ["--all", "--from", "live", "--host", "h"]],
  [64, /no port/, ["alice", "--from", "live", "--host", "h", "--port", "65536"]],
  [64, /--password-stdin/, ["alice", "--from", "live", "--host", "127.0.0.1"]],
  [65, /first line is empty/, [
    "alice",
    "--from",
    "live",
    "--host",
    "h",
    "--password-file",
    "/dev/null",
  ]],
  [65, /cyrus\.index/, ["alice", "--from", "cyrus", "--source", "mail"]],
  [65, /none of a dovecot-uidlist/, ["alice", "--from", "dovecot", "--source", "users"]],
  [66, /--password-file: .*nowhere/, [
    ...["alice", "--from", "live", "--host", "h", "--password-file", "nowhere"],
  ]],
  [66, /there is no .*courierpop3dsizelist/, ["alice", "--from", "courier"]],
  [67, /no user nobody/, ["nobody", "--from", "courier"]],
  [75, /127\.0\.0\.1:1/, [
    ...["alice", "--from", "live", "--host", "127.0.0.1", "--port", "1", "--tls", "none"],
    ...["--password-file", "users"],
  ]],
];

for (const [exitCode, said, args] of FAULTS) {
  test(`it ends with ${exitCode}: import-uids ${args.join(" ")}`, async () => {
    const { folder, importUids, maildir } = setUp();
    maildir("alice").deliver("a");
    writeFileSync(`${folder}/mail/cyrus.index`, "none");
    const ended = await importUids(...args);
    assert.equal(ended.exitCode, exitCode, ended.stderr);
    assert.match(ended.stderr, said);
    assert.equal(ended.stdout, "");
    assert.ok(!existsSync(`${folder}/mail/alice/popkeep-uidlist`));
  });
}

/** A popkeep in the place of an old server, with a mailbox, and the same messages in another Maildir. */
async function withOldServer(
  work: (old: RunningServer, here: ReturnType<typeof setUp>) => Promise<void>,
): Promise<void> {
  const old = await startServer({ users: ["alice"] });
  try {
    const here = setUp();
    for (const content of ["Subject: 1\n\none\n", "Subject: 2\n\ntwo\n"]) {
      old.maildir("alice").deliver(content);
      here.maildir("alice").deliver(content);
    }
    writeFileSync(`${here.folder}/password`, `${PASSWORD}\nanother line\n`);
    await work(old, here);
  } finally {
    await old.stop();
  }
}

test("a live server is asked over TLS, from the first octet or by STLS, if its certificate is trusted", () =>
  withOldServer(async (old, { folder, importUids }) => {
    const live = ["alice", "--from", "live", "--host", "localhost", "--password-file", "password"];
    const trusting = ["--ca-file", `${old.folder}/certificate.pem`];
    const ways = [["--port", `${old.tlsPort}`], [
      ...["--port", `${old.plainPort}`, "--tls", "starttls"],
    ]];
    for (const way of ways) {
      const refused = await importUids(...live, ...way);
      assert.equal(refused.exitCode, 74, refused.stderr);
      assert.match(refused.stderr, /certificate/i);
      assert.doesNotMatch(old.log, /logged in/);
    }
    for (const [n, way] of ways.entries()) {
      const { exitCode, stderr, stdout } = await importUids(...live, ...way, ...trusting);
      assert.deepEqual([exitCode, stdout], [
        0,
        n === 0 ? "alice\t2\t2\t0\t0\t0\n" : "alice\t2\t0\t2\t0\t0\n",
      ], stderr);
    }
    // Decimal ids that another popkeep gave stay, and the counter goes on above them.
    const client = await old.login("alice", { tls: true });
    const there = await client.listing("UIDL");
    client.disconnect();
    const here = await popkeep(["mailbox", "show", "alice"], { folder });
    assert.deepEqual(
      here.stdout.trim().split("\n").map((line) => line.split("\t")[0]),
      there.map((line) => line.split(" ")[1]),
    );
  }));

test("a wrong password is told as such, and never shown", () =>
  withOldServer(async (old, { folder, importUids }) => {
    writeFileSync(`${folder}/password`, "wrong-password-7\n");
    const ended = await importUids(
      ...["alice", "--from", "live", "--host", "localhost", "--password-file", "password"],
      ...["--port", `${old.tlsPort}`, "--ca-file", `${old.folder}/certificate.pem`],
    );
    assert.equal(ended.exitCode, 77, ended.stderr);
    assert.doesNotMatch(ended.stderr + ended.stdout, /wrong-password-7/);
  }));

test("the password is asked for at the terminal, hidden", () =>
  withOldServer(async (old, { folder }) => {
    const { exitCode, screen } = await popkeepAtTerminal([
      ...["import-uids", "alice", "--from", "live", "--host", "localhost"],
      ...["--port", `${old.tlsPort}`, "--ca-file", `${old.folder}/certificate.pem`],
    ], { folder, dialogue: [["Password of alice at the old server: ", `${PASSWORD}\n`]] });
    assert.equal(exitCode, 0, screen);
    assert.ok(!screen.includes(PASSWORD));
    assert.match(screen, /of 2 messages 2 kept the old unique-id/);
  }));
