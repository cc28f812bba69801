/** Secrets besides the password, and app passwords, by the command line. */

import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { openAppPasswordUses } from "../../../src/auth/app_password_uses.ts";
import { matchingAppPassword } from "../../../src/auth/app_passwords.ts";
import { encodeNtHash, ntHash } from "../../../src/auth/ntlm/nt_hash.ts";
import { openPasswdFile } from "../../../src/auth/user_file/passwd_file.ts";
import { makeScramKeys } from "../../../src/auth/scram/derive_keys.ts";
import { popkeep } from "../../support/command_line.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-secrets-`);
after(() => rmSync(root, { recursive: true }));
let made = 0;

/** A folder with settings and a user file, and popkeep's `user` command in it. */
function setUp(users: string, settings = "") {
  const folder = `${root}/${made++}`;
  mkdirSync(`${folder}/mail`, { recursive: true });
  writeFileSync(
    `${folder}/popkeep.toml`,
    `ssl_bindings = []\nmaildir = "mail/{user}"\npassword_scheme = "PLAIN"\n${settings}\n`,
  );
  writeFileSync(`${folder}/users`, users);
  const user = (args: string[], input = "") => popkeep(["user", ...args], { folder, input });
  return {
    folder,
    user,
    users: () => readFileSync(`${folder}/users`, "utf8"),
    passwd: (password: string, ...args: string[]) =>
      user(["passwd", "alice", "--password-stdin", ...args], password),
    entry: async () => await (await openPasswdFile(`${folder}/users`)).lookUp("alice"),
  };
}

const hashOf = (password: string) => encodeNtHash(ntHash(password));

test("a user is added with the NT hash, and the risk is told", async () => {
  const { user, users } = setUp("");
  const { exitCode, stdout, stderr } = await user(
    ["add", "al", "--ntlm", "--password-stdin"],
    "pw",
  );
  strictEqual(exitCode, 0, stderr);
  strictEqual(users(), `al:{PLAIN}pw::::::popkeep_nt_hash=${hashOf("pw")}\n`);
  ok(stdout.includes("Stored the NT hash as well: al can log in by NTLM.\n"), stdout);
  match(stderr, /^popkeep: warning: whoever reads the NT hash in .* as with the password, .*\n$/);
});

test("the first secret of its kind is told to offer its mechanism to the others", async () => {
  const { user } = setUp("alice:{PLAIN}a\nbob:{PLAIN}b\n");
  const passwd = (name: string, option: string) =>
    user(["passwd", name, option, "--scheme", "plain", "--password-stdin"], "pw");
  match((await passwd("alice", "--ntlm")).stderr, /NTLM is offered to all users from now on/);
  doesNotMatch((await passwd("bob", "--ntlm")).stderr, /is offered/);
  match((await passwd("bob", "--scram")).stderr, /SCRAM-SHA-256 is offered to all users/);
  doesNotMatch((await passwd("alice", "--scram")).stderr, /is offered/);
  const alone = setUp("alice:{PLAIN}a\n");
  const first = await alone.user(["passwd", "alice", "--ntlm", "--password-stdin"], "pw");
  doesNotMatch(first.stderr, /is offered/);
});

test("a user is added with keys for SCRAM", async () => {
  const { user, entry } = setUp("");
  const { exitCode, stdout } = await user(["add", "alice", "--scram", "--password-stdin"], "pw");
  strictEqual(exitCode, 0);
  ok(stdout.includes("Stored the keys for SCRAM-SHA-256 as well"), stdout);
  await hasScramKeysOf(await entry(), "pw");
});

async function hasScramKeysOf(
  entry: Awaited<ReturnType<ReturnType<typeof setUp>["entry"]>>,
  password: string,
) {
  const keys = entry?.secrets?.scramSha256;
  ok(keys !== undefined);
  const expected = await makeScramKeys(Buffer.from(password), keys);
  deepStrictEqual(Buffer.from(keys.storedKey), Buffer.from(expected.storedKey));
}

test("without an option a new password has no other secret", async () => {
  const { passwd, users } = setUp("alice:{PLAIN}a\n");
  const { stdout, stderr } = await passwd("b");
  deepStrictEqual([users(), stdout, stderr], [
    "alice:{PLAIN}b\n",
    "Changed the password of alice.\n",
    "",
  ]);
});

test("secrets that are there are renewed with the password, so that the old one is no use", async () => {
  const { passwd, users, entry } = setUp("alice:{PLAIN}a\n");
  strictEqual((await passwd("old", "--ntlm", "--scram")).exitCode, 0);
  const before = users();
  const { exitCode, stdout } = await passwd("new");
  strictEqual(exitCode, 0);
  ok(stdout.includes("Renewed the NT hash as well: the old password is no use for NTLM either.\n"));
  ok(stdout.includes("Renewed the keys for SCRAM-SHA-256 as well"));
  ok(users().includes(hashOf("new")) && !users().includes(hashOf("old")), before);
  await hasScramKeysOf(await entry(), "new");
});

test("a locked user's secrets are renewed too: the new password unlocks them", async () => {
  const { passwd, users } = setUp(`alice:!::::::popkeep_nt_hash=${hashOf("old")}\n`);
  strictEqual((await passwd("new")).exitCode, 0);
  strictEqual(users(), `alice:{PLAIN}new::::::popkeep_nt_hash=${hashOf("new")}\n`);
});

test("who could log in by the NT hash in the password field still can", async () => {
  const { passwd, users } = setUp(`alice:{NTLM}${hashOf("old")}\n`);
  strictEqual((await passwd("new")).exitCode, 0);
  strictEqual(users(), `alice:{PLAIN}new::::::popkeep_nt_hash=${hashOf("new")}\n`);
});

test("a secret is removed when asked, and only with the others kept", async () => {
  const { passwd, users } = setUp(`alice:{PLAIN}a::::::popkeep_nt_hash=${hashOf("a")}\n`);
  const { stdout, stderr } = await passwd("b", "--no-ntlm", "--no-scram");
  strictEqual(users(), "alice:{PLAIN}b::::::\n");
  strictEqual(
    stdout,
    "Changed the password of alice.\nRemoved the NT hash: alice cannot log in by NTLM any more.\n",
  );
  strictEqual(stderr, "");
});

test("options that contradict each other are refused", async () => {
  const { passwd, users } = setUp("alice:{PLAIN}a\n");
  for (const options of [["--ntlm", "--no-ntlm"], ["--no-scram", "--scram"]]) {
    const { exitCode, stderr } = await passwd("b", ...options);
    deepStrictEqual([exitCode, stderr.includes("contradict each other")], [64, true]);
  }
  strictEqual(users(), "alice:{PLAIN}a\n");
});

test("a password that a secret cannot be made of changes nothing, and the way out is told", async () => {
  const { passwd, users } = setUp(`alice:{PLAIN}a::::::popkeep_nt_hash=${hashOf("a")}\n`);
  const before = users();
  const { exitCode, stderr } = await passwd("x".repeat(300));
  strictEqual(exitCode, 65);
  match(stderr, /^popkeep: a password for NTLM has at most .*; --no-ntlm removes the NT hash\n$/);
  strictEqual(users(), before);
  const bell = await passwd("a\x07b", "--scram", "--no-ntlm");
  deepStrictEqual([bell.exitCode, users()], [65, before], bell.stderr);
});

test("the list says which ways each user has, and no secret", async () => {
  const { user, passwd, users } = setUp(
    `alice:{PLAIN}a\nbob::::::popkeep_nt_hash=${hashOf("b")}\ncarol:!::::::popkeep_nt_hash=${
      hashOf("c")
    }\ndora:{SSHA}rp3DNX2dmLTYy92qItw30NWQZIqD7RuK\n`.replace("bob::", "bob:::"),
    'weak_password_schemes = ["ssha"]',
  );
  await passwd("new", "--ntlm", "--scram");
  await user(["app-password", "add", "alice", "phone"]);
  const { stdout, stderr } = await user(["list"]);
  strictEqual(
    stdout,
    "alice\tPLAIN\tactive\t-\tpassword,ntlm,scram,app-password\n" +
      "bob\t-\tactive\t-\tntlm\ncarol\tCRYPT\tlocked\t-\t-\ndora\tSSHA\tactive\t-\tpassword\n",
  );
  strictEqual(stderr, "");
  const json = (await user(["list", "--json"])).stdout;
  const [alice] = JSON.parse(json);
  deepStrictEqual(alice.appPasswords, ["phone"]);
  for (const secret of users().match(/=[^ \n]+/g) ?? []) ok(!json.includes(secret.slice(1)));
});

test("a weak scheme that is not named leaves a user unusable", async () => {
  const { user } = setUp("dora:{SSHA}rp3DNX2dmLTYy92qItw30NWQZIqD7RuK\n");
  const { stdout, stderr } = await user(["list"]);
  strictEqual(stdout, "dora\tSSHA\tunusable\t-\t-\n");
  ok(stderr.includes("weak_password_schemes does not name it"), stderr);
});

test("an app password is shown alone on standard output, and only its digest is kept", async () => {
  const { user, users, entry } = setUp("alice:{PLAIN}a\n");
  const { exitCode, stdout, stderr } = await user(["app-password", "add", "Alice", "phone"]);
  strictEqual(exitCode, 0);
  match(stdout, /^(?:[a-z]{4}-){4}[a-z]{4}\n$/);
  match(stderr, /^This is the app password phone of alice\. It cannot be shown again\.\n/);
  match(
    users(),
    /^alice:\{PLAIN\}a::::::popkeep_app_password_phone=\{SSHA256\}[^ ,]+,[0-9]{8}T[0-9]{6}Z\n$/,
  );
  const { appPasswords = [] } = await entry() ?? {};
  strictEqual(matchingAppPassword(appPasswords, Buffer.from(stdout.trim())), "phone");
});

test("app passwords are listed with when they were made and last used, and from where", async () => {
  const { user, folder } = setUp("alice:{PLAIN}a\n");
  for (const label of ["phone", "laptop"]) await user(["app-password", "add", "alice", label]);
  const uses = await openAppPasswordUses(`${folder}/state`);
  const usedMs = Date.now() + 60_000;
  uses.note("alice", "phone", "192.0.2.7", usedMs);
  uses.note("bob", "laptop", "192.0.2.9", usedMs);
  await uses.flush();
  const list = ["app-password", "list", "alice"];
  const rows = JSON.parse((await user([...list, "--json"])).stdout);
  const used = new Date(usedMs).toISOString();
  deepStrictEqual(
    rows.map(({ label, lastUsed, from }: Record<string, unknown>) => [
      label,
      lastUsed,
      from,
    ]),
    [["phone", used, "192.0.2.7"], ["laptop", null, null]],
  );
  const { stdout } = await user(list);
  const minute = "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}";
  match(
    stdout,
    new RegExp(`^phone\t${minute}\t${minute}\t192\\.0\\.2\\.7\nlaptop\t${minute}\t-\t-\n$`),
  );
});

test("a use of a removed app password is not taken for one of its successor's", async () => {
  const { user, folder } = setUp("alice:{PLAIN}a\n");
  await user(["app-password", "add", "alice", "phone"]);
  const uses = await openAppPasswordUses(`${folder}/state`);
  uses.note("alice", "phone", "192.0.2.7", Date.now() - 3_600_000);
  await uses.flush();
  const [phone] = JSON.parse((await user(["app-password", "list", "alice", "--json"])).stdout);
  strictEqual(phone.lastUsed, null);
});

test("app passwords are listed though their last uses cannot be read", async () => {
  const { user, folder } = setUp("alice:{PLAIN}a\n");
  await user(["app-password", "add", "alice", "phone"]);
  mkdirSync(`${folder}/state`);
  writeFileSync(`${folder}/state/app_passwords_used.json`, "{");
  const { exitCode, stdout, stderr } = await user(["app-password", "list", "alice"]);
  deepStrictEqual([exitCode, stdout.startsWith("phone\t")], [0, true]);
  match(stderr, /^popkeep: warning: the last uses are not known: .* is damaged\.\n$/);
});

test("an app password is removed and the others stay", async () => {
  const { user, entry } = setUp("alice:{PLAIN}a\n");
  for (const label of ["phone", "laptop"]) await user(["app-password", "add", "alice", label]);
  const { exitCode, stdout } = await user(["app-password", "remove", "alice", "phone"]);
  deepStrictEqual([exitCode, stdout], [0, "Removed the app password phone of alice.\n"]);
  deepStrictEqual((await entry())?.appPasswords?.map(({ name }) => name), ["laptop"]);
});

test("a new password leaves app passwords, and says which", async () => {
  const { user, passwd, entry } = setUp("alice:{PLAIN}a\n");
  await user(["app-password", "add", "alice", "phone"]);
  const { stdout } = await passwd("b");
  ok(stdout.includes("The app passwords go on working: phone. "), stdout);
  strictEqual((await entry())?.appPasswords?.length, 1);
});

test("what cannot be done with app passwords is told by exit code and sentence", async () => {
  const { user, users } = setUp("alice:{PLAIN}a\n");
  const refused: [args: string[], exitCode: number, sentence: RegExp][] = [
    [["add", "nobody", "phone"], 67, /there is no user nobody/],
    [["list", "nobody"], 67, /there is no user nobody/],
    [["remove", "nobody", "phone"], 67, /there is no user nobody/],
    [["add", "alice", "My Phone"], 65, /^popkeep: an app password's label has 1 to 32 lower-case/],
    [["remove", "alice", "phone"], 67, /^popkeep: there is no app password "phone" of "alice"\n$/],
  ];
  for (const [args, exitCode, sentence] of refused) {
    const ended = await user(["app-password", ...args]);
    deepStrictEqual([ended.exitCode, ended.stdout], [exitCode, ""], ended.stderr);
    match(ended.stderr, sentence);
  }
  strictEqual(users(), "alice:{PLAIN}a\n");
  await user(["app-password", "add", "alice", "phone"]);
  const again = await user(["app-password", "add", "alice", "phone"]);
  deepStrictEqual([again.exitCode, again.stdout], [73, ""]);
});
