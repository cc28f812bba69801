/**
 * Nothing is done with the mail of a user of whom the directory says something that cannot be understood: the place of
 * the mail, its quota or its age may be what is meant.
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import process from "node:process";
import { after, before, test } from "node:test";
import { popkeep } from "../support/command_line.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-not-understood-`);
const LETTER = "Subject: letter\n\nbody\n";

const run = (...args: string[]) =>
  popkeep([...args, "--config", `${folder}/popkeep.toml`], { folder, input: LETTER });

before(() => {
  const database = new DatabaseSync(`${folder}/users.db`);
  database.exec(`
    CREATE TABLE users (name TEXT, password TEXT, home TEXT, quota_rule TEXT);
    INSERT INTO users VALUES ('bent', '{PLAIN}x', 'home/bent', '*:bytes=10'),
      ('sara', '{PLAIN}x', '${folder}/sara', NULL)`);
  database.close();
  mkdirSync(`${folder}/mail`);
  writeFileSync(
    `${folder}/popkeep.toml`,
    `${process.getuid?.() === 0 ? 'user = "root"' : ""}
ssl_bindings = []
login_type = "plaintext_login"
maildir = "${folder}/mail/{user}"
quota_storage_size = "1MiB"
[[directories]]
kind = "sql"
url = "sqlite:users.db"
query = "SELECT name AS user, password, home, quota_rule FROM users WHERE name = {user}"
`,
  );
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("mail for a user whose entry is not understood waits, and others get theirs", async () => {
  const refused = await run("deliver", "bent");
  match(refused.stderr, /the mailbox of bent: the home is no absolute path/);
  strictEqual(refused.exitCode, 75);
  ok(!existsSync(`${folder}/mail/bent`));
  const delivered = await run("deliver", "sara");
  strictEqual(delivered.exitCode, 0, delivered.stderr);
});

test("mail waits for a user whose line of the user file is skipped", async () => {
  const line = "{PLAIN}x::::home/erin::";
  writeFileSync(`${folder}/users`, `Erin:${line}\ntwice:${line}\ntwice:{PLAIN}x::::::\n`, {
    mode: 0o600,
  });
  const settings = `${process.getuid?.() === 0 ? 'user = "root"' : ""}
ssl_bindings = []
login_type = "plaintext_login"
user_file = "users"
maildir = "${folder}/mail/{user}"
`;
  writeFileSync(`${folder}/file.toml`, settings);
  const deliver = (user: string) =>
    popkeep(["deliver", "--config", `${folder}/file.toml`, user], { folder, input: LETTER });
  const waits = await deliver("erin");
  match(waits.stderr, /the mailbox of erin: the home is no absolute path/);
  strictEqual(waits.exitCode, 75);
  strictEqual((await deliver("twice")).exitCode, 0);
  strictEqual((await deliver("nobody")).exitCode, 67);
});

test("no command does anything with that user's mailbox, and each says why", async () => {
  const commands: readonly string[][] = [
    ["quota", "show", "bent"],
    ["quota", "recalculate", "bent"],
    ["expire", "bent"],
    ["mailbox", "create", "bent"],
    ["mailbox", "show", "bent"],
    ["mailbox", "stats", "bent"],
    ["mailbox", "check", "bent"],
    ["mailbox", "repair", "bent"],
    ["mailbox", "export", "bent"],
    ["mailbox", "deleted", "bent"],
    ["mailbox", "undelete", "bent", "--all"],
    ["import-uids", "bent", "--from", "qmail"],
  ];
  const seen: unknown[] = [];
  for (const args of commands) {
    const { exitCode, stdout, stderr } = await run(...args);
    const says = /bent: the home is no absolute path/.test(stderr);
    seen.push([args.join(" "), exitCode, says, stdout]);
  }
  deepStrictEqual(seen, commands.map((args) => [args.join(" "), 74, true, ""]));
  ok(!existsSync(`${folder}/mail/bent`));
});
