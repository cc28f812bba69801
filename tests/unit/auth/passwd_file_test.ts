import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { openPasswdFile } from "../../../src/auth/user_file/passwd_file.ts";

const folder = mkdtempSync(`${tmpdir()}/popkeep-users-`);
after(() => rmSync(folder, { recursive: true }));

let made = 0;

/** A user file that was written long ago, and a clock that stands still. */
function setUp(content: string) {
  const path = `${folder}/users-${made++}`;
  const clock = { now: Date.now() };
  /** Writes in place and says that it was `agoMs` ago by the test's clock. */
  const write = (text: string, agoMs = 60_000) => {
    writeFileSync(path, text);
    const time = (clock.now - agoMs) / 1_000;
    utimesSync(path, time, time);
  };
  const replace = (text: string) => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  write(content, 3_600_000);
  return {
    path,
    clock,
    write,
    replace,
    open: () => openPasswdFile(path, { nowMs: () => clock.now }),
  };
}

/** Runs `work` and returns what it logged. */
async function logOf(work: () => Promise<void>): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  await configure({
    reset: true,
    sinks: { kept: (record) => records.push(record) },
    loggers: [
      { category: ["popkeep"], lowestLevel: "debug", sinks: ["kept"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  try {
    await work();
  } finally {
    await reset();
  }
  return records;
}

test("a user is found with password field, home and extra fields", async () => {
  const file = await setUp("alice:{PLAIN}a:1:1::/home/alice::userdb_quota=1G\n").open();
  deepStrictEqual(await file.lookUp("alice"), {
    account: { user: "alice", home: "/home/alice", extra: { quota: "1G" } },
    storedPassword: "{PLAIN}a",
    disabled: false,
  });
  strictEqual(await file.lookUp("bob"), undefined);
});

test("a name is found in any letter case, and the account is spelt as in the file", async () => {
  const file = await setUp("alice:{PLAIN}a\nBob:{PLAIN}B\nbob:{PLAIN}b\nCarol:{PLAIN}C\n").open();
  strictEqual((await file.lookUp("ALICE"))?.account.user, "alice");
  for (const name of ["Bob", "bob", "BOB"]) {
    const entry = await file.lookUp(name);
    strictEqual(entry?.storedPassword, "{PLAIN}B");
    strictEqual(entry?.account.user, "Bob");
  }
  strictEqual((await file.lookUp("carol"))?.account.user, "Carol");
});

test("the user extra is followed in any letter case, to the mailbox as its own entry spells it", async () => {
  const file = await setUp(
    "Alice:{PLAIN}a::::/home/A::x=y\nshop:{PLAIN}s::::::user=aLICE\nnews:{PLAIN}n::::::user=Gone\n",
  ).open();
  deepStrictEqual((await file.lookUp("shop"))?.account, {
    user: "Alice",
    home: "/home/A",
    extra: { x: "y" },
  });
  strictEqual((await file.lookUp("news"))?.account.user, "Gone");
});

test("the user extra opens another user's mailbox with this entry's password", async () => {
  const file = await setUp(
    "alice:{PLAIN}a:::::::quota=2G\nsales:{PLAIN}s:::/home/s:::user=alice nologin\n" +
      "alice2:{PLAIN}a::::/home/a2::x=y\nshop:{PLAIN}s::::/home/s::user=alice2\n",
  ).open();
  const shop = await file.lookUp("shop");
  deepStrictEqual(shop?.account, { user: "alice2", home: "/home/a2", extra: { x: "y" } });
  strictEqual(shop?.storedPassword, "{PLAIN}s");
});

test("an entry that opens another's mailbox keeps its own secrets, app passwords and delegates", async () => {
  const hash = (digit: string) => `popkeep_nt_hash=${digit.repeat(32)}`;
  const file = await setUp(
    `alice:{PLAIN}a::::::${hash("a")} popkeep_delegates=carol\n` +
      `sales:{PLAIN}s::::::user=alice ${hash("b")} popkeep_delegates=dave\n`,
  ).open();
  const sales = await file.lookUp("sales");
  deepStrictEqual(sales?.account, { user: "alice", extra: {} });
  deepStrictEqual(sales?.secrets, { ntHash: new Uint8Array(16).fill(0xbb) });
  deepStrictEqual(sales?.delegates, ["dave"]);
});

test("the kinds of secrets change with the file", async () => {
  const { open, clock, replace } = setUp("alice:{PLAIN}a\n");
  const file = await open();
  deepStrictEqual([...file.secretKinds], []);
  replace(`alice:{PLAIN}a::::::popkeep_nt_hash=${"a".repeat(32)}\n`);
  clock.now += 1_000;
  await file.lookUp("alice");
  deepStrictEqual([...file.secretKinds], ["ntHash"]);
});

test("users of a weak scheme that is named are among the decoys, and others are not", async () => {
  const { path } = setUp("alice:{SSHA}rp3DNX2dmLTYy92qItw30NWQZIqD7RuK\n");
  const weak = await openPasswdFile(path, { weakSchemes: new Set(["SSHA"]) });
  ok(weak.decoyFor("nobody").startsWith("{SSHA}"));
  ok(!(await openPasswdFile(path)).decoyFor("nobody").startsWith("{SSHA}"));
});

test("where the mail is, is handed on as it is written", async () => {
  const file = await setUp("al@ex.org:{PLAIN}a::::::userdb_mail=maildir:%h/%d mail_path=%u\n")
    .open();
  deepStrictEqual((await file.lookUp("al@ex.org"))?.account.extra, {
    mail: "maildir:%h/%d",
    mail_path: "%u",
  });
});

test("a missing file cannot be opened", async () => {
  await rejects(openPasswdFile(`${folder}/nowhere`), { code: "ENOENT" });
});

test("the file is looked at no more than once a second", async () => {
  const { open, clock, replace } = setUp("alice:{PLAIN}a\n");
  const file = await open();
  replace("alice:{PLAIN}b\n");
  clock.now += 999;
  strictEqual((await file.lookUp("alice"))?.storedPassword, "{PLAIN}a");
  clock.now += 1;
  strictEqual((await file.lookUp("alice"))?.storedPassword, "{PLAIN}b");
});

test("a file that was put in place as a whole is read at the next look", async () => {
  const { open, clock, replace } = setUp("alice:{PLAIN}a\n");
  const file = await open();
  for (const password of ["b", "c", "d"]) {
    clock.now += 1_000;
    replace(`alice:{PLAIN}${password}\n`);
    strictEqual((await file.lookUp("alice"))?.storedPassword, `{PLAIN}${password}`);
  }
});

test("a file that is being written in place is read when it is quiet", async () => {
  const { open, clock, write } = setUp("alice:{PLAIN}a\nbob:{PLAIN}b\n");
  const file = await open();
  clock.now += 5_000;
  write("alice:{PLA", 10);
  strictEqual((await file.lookUp("bob"))?.storedPassword, "{PLAIN}b");
  write("alice:{PLAIN}c\n", 0);
  clock.now += 1_000;
  strictEqual((await file.lookUp("alice"))?.storedPassword, "{PLAIN}c");
  strictEqual(await file.lookUp("bob"), undefined);
});

test("a change that leaves size and time alone is seen when the file was young", async () => {
  const { open, clock, write } = setUp("");
  write("alice:{PLAIN}a\n", 100);
  const file = await open();
  const writtenAt = clock.now - 100;
  write("alice:{PLAIN}b\n", 100);
  clock.now += 2_000;
  utimesSync(`${folder}/users-${made - 1}`, writtenAt / 1_000, writtenAt / 1_000);
  strictEqual((await file.lookUp("alice"))?.storedPassword, "{PLAIN}b");
});

test("reload reads at once, whatever the clock says", async () => {
  const { open, write } = setUp("alice:{PLAIN}a\n");
  const file = await open();
  write("alice:{PLAIN}b\n", 0);
  ok(await file.reload());
  strictEqual((await file.lookUp("alice"))?.storedPassword, "{PLAIN}b");
});

test("a reload that meets a look in progress reads after it", async () => {
  const { open, clock, replace } = setUp("alice:{PLAIN}a\n");
  const file = await open();
  clock.now += 1_000;
  const look = file.lookUp("alice");
  replace("alice:{PLAIN}b\n");
  ok(await file.reload());
  await look;
  strictEqual((await file.lookUp("alice"))?.storedPassword, "{PLAIN}b");
});

test("a file that vanishes leaves the users as they were, and the log says so once", async () => {
  const { open, clock, path, replace } = setUp("alice:{PLAIN}a\n");
  const file = await open();
  const records = await logOf(async () => {
    rmSync(path);
    for (let second = 0; second < 3; second++) {
      clock.now += 1_000;
      strictEqual((await file.lookUp("alice"))?.storedPassword, "{PLAIN}a");
    }
    replace("alice:{PLAIN}b\n");
    clock.now += 1_000;
    strictEqual((await file.lookUp("alice"))?.storedPassword, "{PLAIN}b");
  });
  deepStrictEqual(records.map(({ level }) => level), ["error", "info", "info"]);
});

test("a reload of a file that cannot be read says so and leaves the users as they were", async () => {
  const { open, path } = setUp("alice:{PLAIN}a\n");
  const file = await open();
  rmSync(path);
  strictEqual(await file.reload(), false);
  strictEqual((await file.lookUp("alice"))?.storedPassword, "{PLAIN}a");
});

test("what is wrong with a file is logged with its lines and without its passwords", async () => {
  const lines = [
    "alice:hunter2",
    "a/b:{PLAIN}hunter2",
    "carol:{PLAIN}hunter2::::hunter2",
    "alice:x",
  ];
  const records = await logOf(async () => {
    await setUp(lines.join("\n")).open();
  });
  deepStrictEqual(records.map(({ properties }) => properties["line"]), [1, 2, 3, 4]);
  ok(
    !JSON.stringify(records.map(({ message, properties }) => [message, properties])).includes(
      "hunter2",
    ),
  );
});

test("of very many faults the log has the first and a number", async () => {
  const records = await logOf(async () => {
    await setUp("a/b:x\n".repeat(1_000)).open();
  });
  strictEqual(records.length, 21);
  strictEqual(records.at(-1)?.properties["lines"], 980);
});

test("a user who is not there has a decoy of the file's own, always the same", async () => {
  const users = Array.from({ length: 30 }, (_, at) => `user${at}:{PLAIN}${at}\n`);
  const file = await setUp("broken:{CRAM-MD5}00\nlocked:!\n" + users.join("")).open();
  const decoys = new Set<string>();
  for (let name = 0; name < 200; name++) {
    const decoy = file.decoyFor(`nobody${name}`);
    ok(/^\{PLAIN\}[0-9]+$/.test(decoy), decoy);
    strictEqual(file.decoyFor(`nobody${name}`), decoy);
    decoys.add(decoy);
  }
  ok(decoys.size > 10, "different names have different ones");
});

test("a name that is not there has one decoy in all its spellings, also after a restart", async () => {
  const { open } = setUp(
    Array.from({ length: 30 }, (_, at) => `user${at}:{PLAIN}${at}`).join("\n"),
  );
  const [before, after] = [await open(), await open()];
  for (let at = 0; at < 50; at++) {
    const decoy = before.decoyFor(`nobody${at}`);
    strictEqual(before.decoyFor(`NoBody${at}`), decoy);
    strictEqual(after.decoyFor(`nobody${at}`), decoy);
  }
});

test("a file without users has decoys of the default scheme", async () => {
  const file = await setUp("# nobody yet\n").open();
  ok(file.decoyFor("alice").startsWith("{ARGON2ID}$argon2id$"));
});

test("to freshen what is known looks at the file when it is time, and else waits for nothing", async () => {
  const { open, replace, clock } = setUp("alice:{PLAIN}a\n");
  const file = await open();
  replace(`alice:{PLAIN}a::::::popkeep_nt_hash=${"0".repeat(32)}\n`);
  strictEqual(file.freshen(), undefined);
  deepStrictEqual([...file.secretKinds], []);
  clock.now += 2_000;
  await file.freshen();
  deepStrictEqual([...file.secretKinds], ["ntHash"]);
});
