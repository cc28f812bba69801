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
import {
  addUser,
  listUsers,
  removeUser,
  setPassword,
  UserFileError,
} from "../../../src/auth/user_file_edit.ts";
import { lockUserFile } from "../../../src/auth/user_file_lock.ts";

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
  for (const user of ["bob", "Alice", "# bob", "", "alic"]) {
    await rejects(setPassword(path, user, "{PLAIN}x"), UserFileError, user);
    await rejects(removeUser(path, user), UserFileError, user);
  }
  strictEqual(text(), "alice:{PLAIN}a\n# bob:{PLAIN}b\n");
  await rejects(removeUser(setUp().path, "alice"), UserFileError);
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
    { user: "dave", disabled: false },
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
