import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { popkeep } from "../../support/command_line.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-users-`);
after(() => rmSync(root, { recursive: true }));
let made = 0;

/** A folder with settings and a user file, and popkeep's `user` command in it. */
function setUp(users?: string, settings = 'maildir = "mail/{user}"') {
  const folder = `${root}/${made++}`;
  mkdirSync(`${folder}/mail`, { recursive: true });
  writeFileSync(`${folder}/popkeep.toml`, `ssl_bindings = []\n${settings}\n`);
  if (users !== undefined) writeFileSync(`${folder}/users`, users);
  return {
    folder,
    users: () => readFileSync(`${folder}/users`, "utf8"),
    user: (args: string[], input: string | Uint8Array = "") =>
      popkeep(["user", ...args], { folder, input }),
  };
}

test("a user is added under the scheme that the settings say", async () => {
  const { user, users } = setUp("# staff\n", 'maildir = "{user}"\npassword_scheme = "SSHA512"');
  const { exitCode, stdout, stderr } = await user(["add", "alice", "--password-stdin"], "pw\n");
  deepStrictEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
  ok(stdout.startsWith("Added alice to "));
  ok(/^# staff\nalice:\{SSHA512\}[^:\n]+::::::\n$/.test(users()), users());
});

test("--scheme and --home are written down", async () => {
  const { user, users, folder } = setUp();
  const args = ["add", "bob", "--scheme", "plain", "--home", "home/bob", "--password-stdin"];
  strictEqual((await user(args, "pw")).exitCode, 0);
  strictEqual(users(), `bob:{PLAIN}pw::::${folder}/home/bob::\n`);
});

test("a password keeps its blanks, colons and octets", async () => {
  const { user } = setUp();
  const password = " p:w \u00e9\t ";
  const args = ["--scheme", "PLAIN", "--password-stdin"];
  strictEqual((await user(["add", "carol", ...args], `${password}\r\n`)).exitCode, 0);
  strictEqual((await user(["test", "carol", "--password-stdin"], password)).exitCode, 0);
  strictEqual((await user(["test", "carol", "--password-stdin"], password.trim())).exitCode, 77);
});

test("a user who is there is not added again", async () => {
  const { user, users } = setUp("alice:{PLAIN}a\n");
  const { exitCode, stderr } = await user(["add", "alice", "--password-stdin"], "b");
  strictEqual(exitCode, 73);
  ok(stderr.includes("there is a user alice already"), stderr);
  strictEqual(users(), "alice:{PLAIN}a\n");
});

test("a name or password that cannot be is refused", async () => {
  const { user, users } = setUp("");
  strictEqual((await user(["add", "a/b", "--password-stdin"], "pw")).exitCode, 65);
  strictEqual((await user(["add", "a", "--password-stdin"], "")).exitCode, 65);
  strictEqual((await user(["add", "a", "--password-stdin"], "\n")).exitCode, 65);
  strictEqual((await user(["add", "a", "--password-stdin"], "one\ntwo\n")).exitCode, 65);
  strictEqual((await user(["add", "a", "--password-stdin"], "p\0w")).exitCode, 65);
  strictEqual((await user(["add", "a", "--password-stdin"], "x".repeat(100_000))).exitCode, 65);
  strictEqual(users(), "");
});

test("where mail is in the home, a user without one is refused", async () => {
  const { user, users } = setUp("", 'maildir = "{home}/Maildir"');
  const { exitCode, stderr } = await user(["add", "alice", "--password-stdin"], "pw");
  strictEqual(exitCode, 64);
  ok(stderr.includes("--home"), stderr);
  strictEqual(users(), "");
});

test("a password is changed and nothing else", async () => {
  const { user, users } = setUp("alice:{PLAIN}a::::/home/alice::\nbob:{PLAIN}b\n");
  const args = ["passwd", "alice", "--scheme", "PLAIN", "--password-stdin"];
  strictEqual((await user(args, "new")).exitCode, 0);
  strictEqual(users(), "alice:{PLAIN}new::::/home/alice::\nbob:{PLAIN}b\n");
});

test("a user is removed", async () => {
  const { user, users } = setUp("alice:{PLAIN}a\nbob:{PLAIN}b\n");
  const { exitCode, stdout } = await user(["remove", "alice"]);
  strictEqual(exitCode, 0);
  ok(stdout.includes("The mail is still there"));
  strictEqual(users(), "bob:{PLAIN}b\n");
});

test("who is not there is told apart by the exit code", async () => {
  const { user } = setUp("alice:{PLAIN}a\n");
  for (const command of ["passwd", "remove", "test"]) {
    const { exitCode, stderr } = await user([command, "nobody"]);
    strictEqual(exitCode, 67, command);
    ok(stderr.startsWith("popkeep: there is no user nobody in "), stderr);
  }
});

test("the users are listed with scheme, state and home, and bad lines are told", async () => {
  const { user, folder } = setUp(
    "alice:{PLAIN}a::::/home/alice::\nbob:{SSHA512}nonsense\ncarol:!\n" +
      "dora:{PLAIN}d::::::nologin\n/eve:{PLAIN}e\n",
  );
  const { exitCode, stdout, stderr } = await user(["list"]);
  strictEqual(exitCode, 0);
  strictEqual(
    stdout,
    "alice\tPLAIN\tactive\t/home/alice\tpassword\nbob\tSSHA512\tunusable\t-\t-\n" +
      "carol\tCRYPT\tlocked\t-\t-\ndora\tPLAIN\tdisabled\t-\tpassword\n",
  );
  ok(stderr.includes(`popkeep: warning: ${folder}/users:5: a user name `), stderr);
  const json = JSON.parse((await user(["list", "--json"])).stdout);
  deepStrictEqual(json[0], {
    user: "alice",
    scheme: "PLAIN",
    state: "active",
    home: "/home/alice",
    ways: ["password"],
    appPasswords: [],
  });
});

test("a login is tried as the server would, and the mailbox is named", async () => {
  const { user, folder } = setUp("alice:{PLAIN}secret\n");
  const right = await user(["test", "alice", "--password-stdin"], "secret");
  strictEqual(right.exitCode, 0);
  strictEqual(
    right.stdout,
    `The password of alice is right.
alice is in the directory user_file.
Nobody can log in: there is no certificate, and login_type is secure_login.
The mailbox is ${folder}/mail/alice. It does not exist yet, which shows as empty.
`,
  );
  mkdirSync(`${folder}/mail/alice/new`, { recursive: true });
  writeFileSync(`${folder}/mail/alice/new/1.a`, "Subject: a\n\n");
  const full = await user(["test", "alice", "--password-stdin"], "secret");
  ok(full.stdout.includes(": 1 message, 12 octets."), full.stdout);
  const wrong = await user(["test", "alice", "--password-stdin"], "Secret");
  ok(!wrong.stdout.includes("is right"), wrong.stdout);
  strictEqual(wrong.exitCode, 77);
  strictEqual(wrong.stderr, "popkeep: the password of alice is wrong\n");
});

test("each way of logging in is tried, with the reason where it would fail", async () => {
  const { user, users } = setUp(
    undefined,
    'maildir = "mail/{user}"\nlogin_type = "plaintext_login"',
  );
  const add = ["add", "alice", "--scheme", "plain", "--ntlm", "--scram", "--password-stdin"];
  strictEqual((await user(add, "secret")).exitCode, 0);
  strictEqual((await user(["app-password", "add", "alice", "phone"])).exitCode, 0);
  const lines = async (password: string) =>
    (await user(["test", "alice", "--password-stdin"], password)).stdout.split("\n")
      .flatMap((line) => /^ {2}(\S.*?) {2,}(yes|untried|no) {2,}(.*)$/.exec(line)?.slice(1) ?? [])
      .join("|");
  strictEqual(
    await lines("secret"),
    "EXTERNAL|no|client_certificate_authorities is not set|GSSAPI|no|gssapi_keytab is not set|" +
      "NTLM|yes|without TLS|" +
      "SCRAM-SHA-256-PLUS|no|it needs TLS, and there is no certificate|" +
      "SCRAM-SHA-256|yes|without TLS|" +
      "OAUTHBEARER|no|neither oauth_jwks nor oauth_introspection_url is set|" +
      "XOAUTH2|no|neither oauth_jwks nor oauth_introspection_url is set|" +
      "PLAIN|yes|without TLS|USER and PASS|yes|without TLS|" +
      "app passwords|untried|as PLAIN and USER do; there are: phone",
  );
  const wrong = await lines("other");
  ok(wrong.includes("NTLM|no|the NT hash is of another password|"), wrong);
  ok(wrong.includes("SCRAM-SHA-256|no|the SCRAM keys are of another password|"), wrong);
  ok(wrong.includes("PLAIN|no|the password is wrong, or the user may not log in|"), wrong);
  const unasked = await user(["test", "alice", "--no-password"]);
  strictEqual(unasked.exitCode, 0);
  ok(/^ {2}NTLM +untried/m.test(unasked.stdout), unasked.stdout);
  ok(!(unasked.stdout + unasked.stderr).includes(users().split(":")[1]!.slice(0, 20)));
});

test("why a user with the right password is kept out is told", async () => {
  const { user, folder } = setUp(
    "dora:{PLAIN}pw::::::nologin\nnets:{PLAIN}pw::::::allow_nets=192.0.2.0/24\nlocked:!\n" +
      "odd:{PLAIN}pw\n",
  );
  const test = (name: string, ...args: string[]) =>
    user(["test", name, "--password-stdin", ...args], "pw");
  const disabled = await test("dora");
  strictEqual(disabled.exitCode, 77);
  ok(disabled.stderr.includes("disabled"), disabled.stderr);
  const outside = await test("nets");
  strictEqual(outside.exitCode, 77);
  ok(outside.stderr.includes("allow_nets"), outside.stderr);
  strictEqual((await test("nets", "--from", "192.0.2.7")).exitCode, 0);
  strictEqual((await test("nets", "--from", "elsewhere")).exitCode, 64);
  const locked = await test("locked");
  strictEqual(locked.exitCode, 77);
  ok(locked.stderr.includes("cannot log in"), locked.stderr);
  writeFileSync(`${folder}/mail/odd`, "a file");
  const odd = await test("odd");
  strictEqual(odd.exitCode, 74);
  ok(odd.stdout.includes("is no folder"), odd.stdout);
  strictEqual(odd.stderr, "popkeep: the server would refuse the login with -ERR [SYS/PERM]\n");
});

test("every command finds the user that a client who sends the name would be", async () => {
  const { user, users, folder } = setUp("alice:{PLAIN}a\nBob:{PLAIN}b\n");
  const tested = await user(["test", "ALICE", "--password-stdin"], "a");
  ok(tested.stdout.startsWith("The password of alice is right."), tested.stdout + tested.stderr);
  const bob = await user(["test", "bob", "--password-stdin"], "b");
  ok(bob.stdout.startsWith("The password of Bob is right."), bob.stdout + bob.stderr);
  strictEqual((await popkeep(["mailbox", "show", "Alice"], { folder })).exitCode, 0);
  const changed = await user(["passwd", "Alice", "--scheme", "plain", "--password-stdin"], "new");
  ok(changed.stdout.startsWith("Changed the password of alice."), changed.stdout);
  strictEqual(users(), "alice:{PLAIN}new\nBob:{PLAIN}b\n");
  strictEqual((await user(["remove", "bo"])).exitCode, 67);
  strictEqual((await user(["remove", "aLICE"])).stdout.split(" from")[0], "Removed alice");
  strictEqual(users(), "Bob:{PLAIN}b\n");
  strictEqual((await user(["remove", "bob"])).stdout.split(" from")[0], "Removed Bob");
  strictEqual(users(), "");
});

test("a name that differs from another in letter case alone is not added", async () => {
  const { user, users } = setUp("alice:{PLAIN}a\nBob:{PLAIN}b\n");
  for (const [name, other] of [["Alice", "alice"], ["bob", "Bob"]] as const) {
    const { exitCode, stderr } = await user(["add", name, "--password-stdin"], "x");
    strictEqual(exitCode, 73);
    ok(stderr.includes(`a user ${other} already, and ${name} differs`), stderr);
  }
  strictEqual(users(), "alice:{PLAIN}a\nBob:{PLAIN}b\n");
});

test("a name that gives no place for mail is refused before a password is asked for", async () => {
  const { user, users } = setUp("", 'maildir = "mail/{domain}/{local}"');
  for (const name of ["alice", "alice@", "@example.com", "a@.hidden", `${"x".repeat(300)}@y`]) {
    const { exitCode, stderr } = await user(["add", name]);
    strictEqual(exitCode, 65, name);
    ok(stderr.startsWith("popkeep: ") && !stderr.includes("terminal"), stderr);
  }
  strictEqual(users(), "");
});

test("what clients will not be able to send is told, and added all the same", async () => {
  const { user } = setUp("", 'maildir = "mail/{user}"\nmax_command_size = 255');
  const add = (name: string, password: string | Uint8Array) =>
    user(["add", name, "--scheme", "plain", "--password-stdin"], password);
  const told: [name: string, password: string | Uint8Array, warnings: RegExp][] = [
    ["two words", "x", /^popkeep: warning: USER cannot send a name with a blank[^\n]*\n$/],
    ["long", "x".repeat(249), /^popkeep: warning: PASS cannot send[^\n]*255 octets[^\n]*\n$/],
    ["fits", "x".repeat(248), /^$/],
    ["latin", new Uint8Array([0xe9]), /^popkeep: warning: the password is not UTF-8[^\n]*\n$/],
    ["Ann", "x", /^$/],
  ];
  for (const [name, password, warnings] of told) {
    const { exitCode, stderr } = await add(name, password);
    strictEqual(exitCode, 0, stderr);
    ok(warnings.test(stderr), stderr);
  }
});

test("a refusal that begins with a scheme's name keeps its letters", async () => {
  const { user } = setUp("");
  const args = ["add", "alice", "--scheme", "blf-crypt", "--password-stdin"];
  const { exitCode, stderr } = await user(args, "x".repeat(100));
  strictEqual(exitCode, 65);
  ok(stderr.startsWith("popkeep: BLF-CRYPT "), stderr);
});
