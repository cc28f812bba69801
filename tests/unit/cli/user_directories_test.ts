/** Commands about users who come from other directories than the user file, and their advice. */

import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { popkeep } from "../../support/command_line.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-user-directories-`);
after(() => rmSync(root, { recursive: true }));
let made = 0;

const QUERY = 'query = "SELECT name AS user, password FROM users WHERE name = {user}"\n';

/** A user file with alice, databases with one user each, and a program that takes gina's password. */
function setUp(tables: string, settings = "") {
  const folder = `${root}/${made++}`;
  mkdirSync(`${folder}/mail/dora/new`, { recursive: true });
  mkdirSync(`${folder}/mail/dora/cur`);
  writeFileSync(`${folder}/mail/dora/new/1.a`, "Subject: for dora\n\n");
  writeFileSync(`${folder}/users`, "alice:{PLAIN}a\neve:{PLAIN}e::::::nologin\nfritz:!\n", {
    mode: 0o600,
  });
  writeFileSync(
    `${folder}/checkpassword`,
    "#!/bin/sh\n" +
      `case "$(tr '\\0' : <&3)" in gina:g:*) USER=gina HOME=/nonexistent exec "$@" ;; esac\n` +
      "exit 1\n",
    { mode: 0o755 },
  );
  for (const name of ["dora", "emil"]) {
    const database = new DatabaseSync(`${folder}/${name}.db`);
    database.exec("CREATE TABLE users (name TEXT, password TEXT)");
    database.prepare("INSERT INTO users VALUES (?, ?)").run(name, `{PLAIN}${name}`);
    database.close();
  }
  writeFileSync(
    `${folder}/popkeep.toml`,
    `ssl_bindings = []\nmaildir = "mail/{user}"\nlogin_type = "plaintext_login"\n${settings}` +
      tables.replaceAll("FOLDER", folder),
  );
  return {
    folder,
    run: (args: string[], input = "") => popkeep(args, { folder, input }),
  };
}

const OWN = '[[directories]]\nkind = "user_file"\n';
const sqlTable = (name: string) =>
  `[[directories]]\nkind = "sql"\nurl = "sqlite:${name}.db"\n${QUERY}`;
const PROGRAM = '[[directories]]\nkind = "checkpassword"\nprogram = ["FOLDER/checkpassword"]\n';

const rowOf = (stdout: string, name: string) =>
  stdout.split("\n").find((line) => line.startsWith(`  ${name} `))?.trim().split(/ {2,}/).slice(1);

test("a right app password is called one, and its row says that it works", async () => {
  const { run } = setUp("");
  const secret = (await run(["user", "app-password", "add", "alice", "phone"])).stdout;
  const { stdout, exitCode } = await run(["user", "test", "alice", "--password-stdin"], secret);
  strictEqual(exitCode, 0);
  ok(stdout.startsWith("The app password phone of alice is right.\n"), stdout);
  deepStrictEqual(rowOf(stdout, "app passwords"), ["yes", "as PLAIN and USER do; this is phone"]);
  deepStrictEqual(rowOf(stdout, "PLAIN"), ["yes", "without TLS"]);
  await run(["user", "passwd", "alice", "--ntlm", "--scram", "--password-stdin"], "a");
  const again = await run(["user", "test", "alice", "--password-stdin"], secret);
  deepStrictEqual(rowOf(again.stdout, "NTLM"), ["no", "an app password is no use for it"]);
  deepStrictEqual(rowOf(again.stdout, "SCRAM-SHA-256"), ["no", "an app password is no use for it"]);
});

test("a disabled user has no way at all, with one reason", async () => {
  const { run } = setUp("");
  for (const args of [["eve", "--password-stdin"], ["eve", "--no-password"]]) {
    const { stdout, stderr } = await run(["user", "test", ...args], "e");
    const rows = stdout.split("\n").filter((line) => /^ {2}\S/.test(line));
    strictEqual(rows.length, 10, stdout);
    for (const row of rows) match(row, / no +the user is disabled \(nologin\)$/);
    doesNotMatch(stdout + stderr, /wrong|untried/);
  }
  const locked = await run(["user", "test", "fritz", "--no-password"]);
  strictEqual(locked.stdout.match(/ no +the user is locked\n/g)?.length, 10, locked.stdout);
});

test("advice is for where the user is", async () => {
  const { run } = setUp(OWN + sqlTable("dora"));
  const { stdout } = await run(["user", "test", "dora", "--password-stdin"], "dora");
  ok(!stdout.includes("`popkeep user"), stdout);
  match(rowOf(stdout, "NTLM")?.[1] ?? "", /: the query gives no column nt_hash with one in it$/);
  match(rowOf(stdout, "SCRAM-SHA-256")?.[1] ?? "", /column scram_sha_256 /);
  strictEqual(rowOf(stdout, "app passwords")?.[1], "only users of a user file have them");
  const alice = (await run(["user", "test", "alice", "--no-password"])).stdout;
  match(rowOf(alice, "NTLM")?.[1] ?? "", /: `popkeep user passwd --ntlm`$/);
  match(rowOf(alice, "app passwords")?.[1] ?? "", /: `popkeep user app-password add`$/);
  match(alice, /alice is in the directory user_file\.\n/);
});

test("directories of one kind are told apart", async () => {
  const { run } = setUp(OWN + sqlTable("dora") + sqlTable("emil"));
  const { stdout } = await run(["user", "test", "emil", "--no-password"]);
  match(stdout, /emil is in the directory sql \(directories\[2\]\)\.\n/);
  const nobody = await run(["user", "test", "nobody", "--no-password"]);
  strictEqual(nobody.exitCode, 67);
  match(nobody.stderr, /users, sql \(directories\[1\]\), sql \(directories\[2\]\)\n$/);
});

test("a directory that alone can tell by the password is named once it has", async () => {
  const { run } = setUp(OWN + PROGRAM);
  const { stdout, stderr } = await run(["user", "test", "gina", "--password-stdin"], "g");
  match(stdout, /gina is in the directory checkpassword\.\n/, stderr);
  const wrong = await run(["user", "test", "gina", "--password-stdin"], "h");
  doesNotMatch(wrong.stdout, /is in the directory/);
});

test("a mailbox is shown of whoever a directory finds by name", async () => {
  const { run } = setUp(OWN + sqlTable("dora"));
  const { stdout, exitCode } = await run(["mailbox", "show", "DORA"]);
  strictEqual(exitCode, 0);
  match(stdout, /for dora/);
  const nobody = await run(["mailbox", "show", "nobody"]);
  strictEqual(nobody.exitCode, 67);
  match(nobody.stderr, /^popkeep: there is no user nobody in .*users, sql\n$/);
});

test("lists say whose users they do not have", async () => {
  const { run } = setUp(OWN + sqlTable("dora") + sqlTable("emil"));
  for (const room of ["user", "mailbox"]) {
    const { stdout, stderr } = await run([room, "list"]);
    match(stdout, /^alice\t/);
    match(
      stderr,
      /the directories sql \(directories\[1\]\), sql \(directories\[2\]\) are not listed\n$/,
    );
  }
  strictEqual((await setUp("").run(["user", "list"])).stderr, "");
});
