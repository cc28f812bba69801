import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { makeAppPassword, storeAppPassword } from "../../../src/auth/app_passwords.ts";
import {
  addAppPassword,
  addUser,
  appPasswordsOf,
  listUsers,
  removeAppPassword,
  removeUser,
  secretKindsOf,
  setPassword,
  UserFileError,
} from "../../../src/auth/user_file/user_file_edit.ts";
import { APP_PASSWORDS_PER_USER } from "../../../src/limits.ts";
import { lockUserFile } from "../../../src/auth/user_file/user_file_lock.ts";

const root = mkdtempSync(`${tmpdir()}/popkeep-edit-`);
after(() => rmSync(root, { recursive: true }));

let made = 0;

/** A folder of its own for each test, with a user file unless `content` is undefined. */
function setUp(content?: string | Buffer) {
  const folder = `${root}/${made++}`;
  mkdirSync(folder);
  const path = `${folder}/users`;
  if (content !== undefined) writeFileSync(path, content);
  return { folder, path, text: () => readFileSync(path, "utf8") };
}

test("a user is added at the end, in a form that Dovecot reads", async () => {
  const { path, text } = setUp("# users\nalice:{PLAIN}a\n");
  await addUser(path, { user: "bob", storedPassword: "{PLAIN}b", home: "/home/bob" });
  strictEqual(text(), "# users\nalice:{PLAIN}a\nbob:{PLAIN}b::::/home/bob::\n");
});

test("the first user makes the file, for its owner's eyes only", async () => {
  const { path, text, folder } = setUp();
  await addUser(path, { user: "alice", storedPassword: "{PLAIN}a" });
  strictEqual(text(), "alice:{PLAIN}a::::::\n");
  strictEqual(statSync(path).mode & 0o777, 0o600);
  deepStrictEqual(readdirSync(folder), ["users"], "nothing else is left behind");
});

test("a last line without a line end gets one, of the file's kind", async () => {
  const { path, text } = setUp("alice:{PLAIN}a\r\nbob:{PLAIN}b");
  await addUser(path, { user: "carol", storedPassword: "{PLAIN}c" });
  strictEqual(text(), "alice:{PLAIN}a\r\nbob:{PLAIN}b\r\ncarol:{PLAIN}c::::::\r\n");
});

test("a user who is there already is not added again", async () => {
  const { path, text } = setUp("jürgen:{PLAIN}a\n");
  await rejects(addUser(path, { user: "jürgen", storedPassword: "{PLAIN}b" }), UserFileError);
  strictEqual(text(), "jürgen:{PLAIN}a\n");
});

test("what would break the file is refused and leaves it alone", async () => {
  const { path, folder } = setUp();
  const storedPassword = "{PLAIN}x";
  for (
    const added of [
      { user: "a:b", storedPassword },
      { user: "a\nb", storedPassword },
      { user: "../b", storedPassword },
      { user: "", storedPassword },
      { user: "bob", storedPassword: "{PLAIN}x:0:0" },
      { user: "bob", storedPassword: "{PLAIN}x\nroot:" },
      { user: "bob", storedPassword, home: "relative" },
      { user: "bob", storedPassword, home: "/home/b:b" },
      { user: "bob", storedPassword, home: "/home/b\nb" },
    ]
  ) await rejects(addUser(path, added), UserFileError, JSON.stringify(added));
  await rejects(setPassword(path, "bob", "{PLAIN}x\n"), UserFileError);
  deepStrictEqual(readdirSync(folder), []);
});

test("a new password replaces the field and nothing else", async () => {
  const before = "# kept\r\n\r\nalice:{PLAIN}a:1:2:Al::x:y=z\r\nbob:{PLAIN}b\nal:{PLAIN}c\n:\n";
  const { path, text } = setUp(before);
  await setPassword(path, "alice", "{SSHA512}new");
  strictEqual(text(), before.replace("{PLAIN}a", "{SSHA512}new"));
});

test("a user without a password field gets one", async () => {
  const { path, text } = setUp("alice\r\nbob:\ncarol");
  for (const user of ["alice", "bob", "carol"]) await setPassword(path, user, "{PLAIN}x");
  strictEqual(text(), "alice:{PLAIN}x\r\nbob:{PLAIN}x\ncarol:{PLAIN}x");
});

test("a new password goes into every entry of the user, so that no old one is left", async () => {
  const { path, text } = setUp("alice:{PLAIN}a:::::::\nbob:{PLAIN}b\nalice:{PLAIN}old\n");
  await setPassword(path, "alice", "{PLAIN}new");
  strictEqual(text(), "alice:{PLAIN}new:::::::\nbob:{PLAIN}b\nalice:{PLAIN}new\n");
});

test("removing a user removes every entry of that name and keeps the rest", async () => {
  const { path, text } = setUp(
    "#alice:\nalice:{PLAIN}a\nbob:{PLAIN}b\n\nalice:{PLAIN}c\nalice2:x\n",
  );
  await removeUser(path, "alice");
  strictEqual(text(), "#alice:\nbob:{PLAIN}b\n\nalice2:x\n");
});

test("a user who is not there cannot be changed or removed, nor can one of a missing file", async () => {
  const { path, text } = setUp("alice:{PLAIN}a\n# bob:{PLAIN}b\n");
  for (const user of ["bob", "# bob", "", "alic", "alice\ufffd"]) {
    await rejects(setPassword(path, user, "{PLAIN}x"), UserFileError, user);
    await rejects(removeUser(path, user), UserFileError, user);
  }
  strictEqual(text(), "alice:{PLAIN}a\n# bob:{PLAIN}b\n");
  await rejects(removeUser(setUp().path, "alice"), UserFileError);
});

test("a user is meant in any letter case, and each of his lines is", async () => {
  const { path, text } = setUp("Ünal:{PLAIN}a\nbob:{PLAIN}b\nünal:{PLAIN}c\n");
  await setPassword(path, "üNAL", "{PLAIN}x");
  strictEqual(text(), "Ünal:{PLAIN}x\nbob:{PLAIN}b\nünal:{PLAIN}x\n");
  await rejects(addUser(path, { user: "BOB", storedPassword: "{PLAIN}b" }), UserFileError);
  await removeUser(path, "ünal");
  strictEqual(text(), "bob:{PLAIN}b\n");
});

test("a line that is no UTF-8 is nobody's", async () => {
  const { path } = setUp(Buffer.from("j\xfc:{PLAIN}a\n", "latin1"));
  await rejects(setPassword(path, "j\ufffd", "{PLAIN}x"), UserFileError);
});

test("lines of another encoding stay octet by octet", async () => {
  const before = Buffer.from("# J\xfcrgen\nalice:{PLAIN}a::::::n=\xff\n", "latin1");
  const { path } = setUp(before);
  await addUser(path, { user: "bob", storedPassword: "{PLAIN}b" });
  await setPassword(path, "alice", "{PLAIN}c");
  await removeUser(path, "bob");
  const after = before.toString("latin1").replace("}a", "}c");
  strictEqual(readFileSync(path, "latin1"), after);
});

test("the user behind a byte order mark is found", async () => {
  const { path, text } = setUp("\ufeffalice:{PLAIN}a\n");
  await setPassword(path, "alice", "{PLAIN}b");
  strictEqual(text(), "\ufeffalice:{PLAIN}b\n");
});

test("the file keeps its mode", async () => {
  const { path } = setUp("alice:{PLAIN}a\n");
  for (const mode of [0o640, 0o600, 0o444]) {
    chmodSync(path, mode);
    await setPassword(path, "alice", "{PLAIN}b");
    strictEqual(statSync(path).mode & 0o7777, mode);
  }
});

test("a reader never sees a file that is half written: it is another file", async () => {
  const { path } = setUp("alice:{PLAIN}a\n");
  const before = statSync(path).ino;
  await setPassword(path, "alice", "{PLAIN}b");
  ok(statSync(path).ino !== before);
});

test("a symbolic link stays one, and the file that it leads to is edited", async () => {
  const { folder, path, text } = setUp();
  writeFileSync(`${folder}/real`, "alice:{PLAIN}a\n");
  symlinkSync("real", path);
  await setPassword(path, "alice", "{PLAIN}b");
  strictEqual(readlinkSync(path), "real");
  strictEqual(text(), "alice:{PLAIN}b\n");
});

test("many edits at once all count", async () => {
  const { path, folder } = setUp("");
  const users = Array.from({ length: 12 }, (_, at) => `user${at}`);
  await Promise.all(users.map((user) => addUser(path, { user, storedPassword: "{PLAIN}x" })));
  const listed = (await listUsers(path)).users.map(({ user }) => user);
  deepStrictEqual(listed.toSorted(), users.toSorted());
  deepStrictEqual(readdirSync(folder), ["users"]);
});

test("the list has users in order with home, scheme and state, and what is wrong", async () => {
  const { path } = setUp(
    "bob:{blf-crypt.b64}x::::/home/bob::nologin\n# c\nalice:{PLAIN}a\nx/y:z\ncarol\ndave:{NTLM}0\n",
  );
  const { users, faults } = await listUsers(path);
  deepStrictEqual(users, [
    { user: "bob", disabled: true, home: "/home/bob", scheme: "BLF-CRYPT" },
    { user: "alice", disabled: false, scheme: "PLAIN" },
    { user: "carol", disabled: false },
    { user: "dave", disabled: false, scheme: "NTLM" },
  ]);
  deepStrictEqual(faults.map(({ line }) => line), [1, 4, 5, 6]);
});

test("a lock is waited for", async () => {
  const { path, text } = setUp("alice:{PLAIN}a\n");
  const lock = await lockUserFile(`${path}.lock`);
  const change = setPassword(path, "alice", "{PLAIN}b");
  await new Promise((done) => setTimeout(done, 60));
  strictEqual(text(), "alice:{PLAIN}a\n");
  await lock.release();
  await change;
  strictEqual(text(), "alice:{PLAIN}b\n");
});

test("the lock of an editor that died is taken over after a while", async () => {
  const { path, folder } = setUp();
  writeFileSync(`${path}.lock`, "left behind");
  const lock = await lockUserFile(`${path}.lock`, { staleMs: 30 });
  await lock.release();
  deepStrictEqual(readdirSync(folder), []);
});

test("a lock that somebody else took over is not released for him", async () => {
  const { path, folder } = setUp();
  const lock = await lockUserFile(`${path}.lock`);
  writeFileSync(`${path}.lock`, "somebody else's");
  await lock.release();
  deepStrictEqual(readdirSync(folder), ["users.lock"]);
});

test("a folder that does not exist is told", async () => {
  await rejects(addUser(`${root}/nowhere/users`, { user: "a", storedPassword: "{PLAIN}x" }), {
    code: "ENOENT",
  });
});

const OLD = "0".repeat(32);
const NEW_HASH = Uint8Array.from(Buffer.alloc(16, 0xab));
const NEW = "AB".repeat(16);
const SCRAM = `4096,c2FsdHNhbHQ=,${"A".repeat(43)}=,${"A".repeat(43)}=`;

test("a user is added with further secrets", async () => {
  const { path, text } = setUp("");
  await addUser(path, { user: "al", storedPassword: "{PLAIN}a", secrets: { ntHash: NEW_HASH } });
  strictEqual(text(), `al:{PLAIN}a::::::popkeep_nt_hash=${NEW}\n`);
});

test("with a new password no secret of the old one is left, in any entry", async () => {
  const { path, text } = setUp(
    `al:{PLAIN}a::::::x=y popkeep_nt_hash=${OLD} popkeep_scram_sha_256=${SCRAM}  z\r\n` +
      `bob:{PLAIN}b::::::popkeep_nt_hash=${OLD}\nal:!::::::popkeep_nt_hash=${OLD}`,
  );
  await setPassword(path, "al", "{PLAIN}new", { ntHash: NEW_HASH });
  strictEqual(
    text(),
    `al:{PLAIN}new::::::x=y  z popkeep_nt_hash=${NEW}\r\n` +
      `bob:{PLAIN}b::::::popkeep_nt_hash=${OLD}\nal:{PLAIN}new::::::popkeep_nt_hash=${NEW}`,
  );
  await setPassword(path, "al", "{PLAIN}newer");
  ok(!text().includes(NEW));
});

test("a secret is added to lines of any length, and to the old form of a mail location", async () => {
  const { path, text } = setUp(
    "a\nb:x\nc:x:1:2:g:/h\nd:x:1:2:g:/h:/s:\ne:x:1:2::/h:::maildir:/m\n",
  );
  for (const user of "abcde") await setPassword(path, user, "p", { ntHash: NEW_HASH });
  const secret = `popkeep_nt_hash=${NEW}`;
  strictEqual(
    text(),
    `a:p::::::${secret}\nb:p::::::${secret}\nc:p:1:2:g:/h::${secret}\nd:p:1:2:g:/h:/s:${secret}\n` +
      `e:p:1:2::/h::userdb_mail=maildir:/m ${secret}\n`,
  );
});

test("which secrets are made of the password is known, of locked users too", async () => {
  const { path } = setUp(
    `a:{PLAIN}x\nb:!::::::popkeep_nt_hash=${OLD}\nc:{PLAIN}x\n` +
      `c:{PLAIN}x::::::popkeep_scram_sha_256=${SCRAM}\nd:{NTLM}${OLD}\ne:{SCRAM-SHA-256}${SCRAM}:\n`,
  );
  const kinds = [];
  for (const user of "abcde") kinds.push([...await secretKindsOf(path, user)].join());
  deepStrictEqual(kinds, ["", "ntHash", "scramSha256", "ntHash", "scramSha256"]);
  await rejects(secretKindsOf(path, "f"), UserFileError);
});

const stored = storeAppPassword(makeAppPassword());
const madeMs = Date.UTC(2024, 4, 3, 10, 15, 7);

test("an app password is added to every entry of the user, and removed from all", async () => {
  const before = "al:{PLAIN}a\nbob:{PLAIN}b\nal:!:1:2::/h::nologin\n";
  const { path, text } = setUp(before);
  await addAppPassword(path, "al", { name: "phone", storedPassword: stored, madeMs });
  const field = `popkeep_app_password_phone=${stored},20240503T101507Z`;
  strictEqual(
    text(),
    `al:{PLAIN}a::::::${field}\nbob:{PLAIN}b\nal:!:1:2::/h::nologin ${field}\n`,
  );
  deepStrictEqual(await appPasswordsOf(path, "al"), [
    { name: "phone", storedPassword: stored, madeMs },
  ]);
  deepStrictEqual(await appPasswordsOf(path, "bob"), []);
  const odd = setUp("al:x::::::popkeep_scram_sha_256 popkeep_app_password_a popkeep_nt_hash=\n");
  deepStrictEqual(await appPasswordsOf(odd.path, "al"), []);
  await removeAppPassword(path, "al", "phone");
  strictEqual(text(), "al:{PLAIN}a::::::\nbob:{PLAIN}b\nal:!:1:2::/h::nologin\n");
});

test("an app password of a taken name, or beyond the most, is refused", async () => {
  const { path, text } = setUp("al:{PLAIN}a\n");
  const add = (name: string) =>
    addAppPassword(path, "al", { name, storedPassword: stored, madeMs });
  for (let at = 0; at < APP_PASSWORDS_PER_USER; at++) await add(`a${at}`);
  const before = text();
  await rejects(add("a1"), /already/);
  await rejects(add("more"), /at most/);
  await rejects(add("a"), /at most/);
  strictEqual(text(), before);
  const bob = addAppPassword(path, "bob", { name: "a", storedPassword: stored, madeMs });
  await rejects(bob, UserFileError);
});

test("an app password that is not there cannot be removed", async () => {
  const { path, text } = setUp(`al:{PLAIN}a::::::popkeep_app_password_phone=${stored}\n`);
  const before = text();
  await rejects(removeAppPassword(path, "al", "pho"), UserFileError);
  await rejects(removeAppPassword(path, "bob", "phone"), UserFileError);
  strictEqual(text(), before);
});

test("a new password leaves app passwords as they are", async () => {
  const { path } = setUp(`al:{PLAIN}a::::::popkeep_app_password_phone=${stored}\n`);
  await setPassword(path, "al", "{PLAIN}b");
  strictEqual((await appPasswordsOf(path, "al")).length, 1);
});
