import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Authenticator } from "../../../src/auth/authenticator.ts";
import type { AccountDirectory, DirectoryEntry } from "../../../src/auth/directory.ts";
import type { PasswordCheck, PasswordChecker } from "../../../src/auth/hash_pool.ts";
import { PASSWORD_OCTETS, USER_NAME_OCTETS } from "../../../src/limits.ts";

const octets = (text: string) => new TextEncoder().encode(text);

const DECOY = "{PLAIN}decoy";

function entry(user: string, more: Partial<DirectoryEntry> = {}): DirectoryEntry {
  return {
    account: { user, home: `/home/${user}`, extra: {} },
    storedPassword: `{PLAIN}${user}-secret`,
    disabled: false,
    ...more,
  };
}

/** A directory, a pool that takes PLAIN only and notes its jobs, and a clock, all in the test's hand. */
function setUp(options: { entries?: DirectoryEntry[]; passwordMemoryMs?: number } = {}) {
  const entries = new Map(
    (options.entries ?? [entry("alice"), entry("bob")]).map((one) => [one.account.user, one]),
  );
  const directory: AccountDirectory = {
    kind: "user_file",
    findsByName: true,
    secretKinds: new Set(),
    lookUp: (user) => Promise.resolve(entries.get(user)),
    decoyFor: () => DECOY,
  };
  const jobs: string[] = [];
  const pool: PasswordChecker = {
    check(stored, password) {
      jobs.push(stored);
      const right = stored === `{PLAIN}${new TextDecoder().decode(password)}`;
      return Promise.resolve<PasswordCheck>(right ? "right" : "wrong");
    },
  };
  const clock = { nowMs: 0 };
  const authenticator = new Authenticator({
    directories: [directory],
    hashPool: pool,
    passwordMemoryMs: options.passwordMemoryMs ?? 60_000,
    nowMs: () => clock.nowMs,
  });
  const login = (user: string, password: string) =>
    authenticator.deskFor(undefined).checkPassword(user, octets(password));
  return { entries, directory, jobs, pool, clock, authenticator, login };
}

test("the right password is granted, with the directory's account", async () => {
  const { login } = setUp();
  deepStrictEqual(await login("alice", "alice-secret"), {
    kind: "granted",
    account: { user: "alice", home: "/home/alice", extra: {} },
  });
});

test("a wrong password, another's password and an unknown user are refused alike", async () => {
  const { login } = setUp();
  const refused = { kind: "refused" };
  deepStrictEqual(await login("alice", "wrong"), refused);
  deepStrictEqual(await login("alice", "bob-secret"), refused);
  deepStrictEqual(await login("nobody", "alice-secret"), refused);
});

test("an unknown user costs one hash of the directory's kind, as a known one does", async () => {
  const { login, jobs } = setUp();
  await login("alice", "wrong");
  await login("nobody", "wrong");
  await login("", "wrong");
  await login("n".repeat(USER_NAME_OCTETS + 1), "wrong");
  deepStrictEqual(jobs, ["{PLAIN}alice-secret", DECOY, DECOY, DECOY]);
});

test("a decoy is chosen for a known user too, since choosing one takes time", async () => {
  const { login, directory, jobs } = setUp();
  const chosenFor: string[] = [];
  directory.decoyFor = (user) => {
    chosenFor.push(user);
    return DECOY;
  };
  await login("alice", "wrong");
  await login("nobody", "wrong");
  await login("alice", "alice-secret");
  deepStrictEqual(chosenFor, ["alice", "nobody", "alice"]);
  await login("alice", "alice-secret");
  strictEqual(chosenFor.length, 3, "a password that is remembered costs nothing of the kind");
  ok(jobs.includes(DECOY));
});

test("a password that happens to fit the decoy is refused, each time", async () => {
  const { login, jobs } = setUp();
  for (let time = 0; time < 2; time++) {
    deepStrictEqual(await login("nobody", "decoy"), { kind: "refused" });
  }
  deepStrictEqual(jobs, [DECOY, DECOY], "nothing was remembered of it");
});

test("a user whose stored password cannot be checked costs a decoy and is refused", async () => {
  const stored = ["", "!", "{CRAM-MD5}00", "plain text", "{ARGON2ID}$argon2id$broken"];
  const { login, jobs } = setUp({
    entries: stored.map((storedPassword, at) => entry(`user${at}`, { storedPassword })),
  });
  for (const at of stored.keys()) {
    deepStrictEqual(await login(`user${at}`, "decoy"), { kind: "refused" });
    deepStrictEqual(await login(`user${at}`, stored[at] || "x"), { kind: "refused" });
  }
  deepStrictEqual(new Set(jobs), new Set([DECOY]));
});

test("no password, one with NUL and one too long are refused before anything is looked at", async () => {
  const { login, jobs, directory } = setUp();
  directory.lookUp = () => Promise.reject(new Error("was asked"));
  for (const password of ["", "alice-secret\0", "a".repeat(PASSWORD_OCTETS + 1)]) {
    for (const user of ["alice", "nobody"]) {
      deepStrictEqual(await login(user, password), { kind: "refused" });
    }
  }
  deepStrictEqual(jobs, []);
});

test("only who knows the password learns that an account is disabled", async () => {
  const { login } = setUp({ entries: [entry("alice", { disabled: true })] });
  deepStrictEqual(await login("alice", "alice-secret"), { kind: "disabled" });
  deepStrictEqual(await login("alice", "wrong"), { kind: "refused" });
});

test("a right password is hashed once within its time, and again after it", async () => {
  const { login, jobs, clock } = setUp({ passwordMemoryMs: 1_000 });
  for (clock.nowMs = 0; clock.nowMs < 1_000; clock.nowMs += 100) {
    strictEqual((await login("alice", "alice-secret")).kind, "granted");
  }
  strictEqual(jobs.length, 1);
  clock.nowMs = 1_000;
  strictEqual((await login("alice", "alice-secret")).kind, "granted");
  strictEqual(jobs.length, 2);
});

test("with no time to remember each login is hashed", async () => {
  const { login, jobs } = setUp({ passwordMemoryMs: 0 });
  for (let time = 0; time < 3; time++) await login("alice", "alice-secret");
  strictEqual(jobs.length, 3);
});

test("a wrong password is never remembered and does not end a memory", async () => {
  const { login, jobs } = setUp();
  await login("alice", "alice-secret");
  for (let time = 0; time < 2; time++) {
    deepStrictEqual(await login("alice", "wrong"), { kind: "refused" });
  }
  strictEqual(jobs.length, 3);
  strictEqual((await login("alice", "alice-secret")).kind, "granted");
  strictEqual(jobs.length, 3);
});

test("a changed stored password ends the memory of the old one at once", async () => {
  const { login, entries } = setUp();
  await login("alice", "alice-secret");
  entries.set("alice", entry("alice", { storedPassword: "{PLAIN}new" }));
  deepStrictEqual(await login("alice", "alice-secret"), { kind: "refused" });
  strictEqual((await login("alice", "new")).kind, "granted");
});

test("a remembered password does not let in who was removed or disabled since", async () => {
  const { login, entries } = setUp();
  await login("alice", "alice-secret");
  entries.set("alice", entry("alice", { disabled: true }));
  deepStrictEqual(await login("alice", "alice-secret"), { kind: "disabled" });
  entries.delete("alice");
  deepStrictEqual(await login("alice", "alice-secret"), { kind: "refused" });
});

test("a remembered login has the account as it is now", async () => {
  const { login, entries } = setUp();
  await login("alice", "alice-secret");
  const account = { user: "alice", home: "/elsewhere", extra: {} };
  entries.set("alice", entry("alice", { account }));
  deepStrictEqual(await login("alice", "alice-secret"), { kind: "granted", account });
});

test("the same attempt at the same time is one hash, for known and unknown users", async () => {
  const { login, jobs } = setUp({ passwordMemoryMs: 0 });
  for (const [user, kind] of [["alice", "granted"], ["nobody", "refused"]] as const) {
    jobs.length = 0;
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => login(user, "alice-secret")),
    );
    deepStrictEqual(new Set(outcomes.map((outcome) => outcome.kind)), new Set([kind]));
    strictEqual(jobs.length, 1);
  }
});

test("different attempts at the same time do not share an outcome", async () => {
  const { login } = setUp();
  const outcomes = await Promise.all([
    login("alice", "alice-secret"),
    login("alice", "wrong"),
    login("bob", "alice-secret"),
    login("bob", "bob-secret"),
  ]);
  deepStrictEqual(outcomes.map(({ kind }) => kind), ["granted", "refused", "refused", "granted"]);
});

test("when the directory or the pool fails it is unavailable, for known and unknown users", async () => {
  const { login, directory, pool } = setUp();
  const { lookUp } = directory;
  directory.lookUp = () => Promise.reject(new Error("no disk"));
  deepStrictEqual(await login("alice", "alice-secret"), { kind: "unavailable" });
  directory.lookUp = lookUp;
  pool.check = () => Promise.resolve("unavailable");
  deepStrictEqual(await login("alice", "alice-secret"), { kind: "unavailable" });
  deepStrictEqual(await login("nobody", "alice-secret"), { kind: "unavailable" });
  pool.check = () => Promise.reject(new Error("broken"));
  deepStrictEqual(await login("alice", "alice-secret"), { kind: "unavailable" });
});

test("what was unavailable is neither remembered nor held against the next attempt", async () => {
  const { login, pool } = setUp();
  const { check } = pool;
  pool.check = () => Promise.resolve("unavailable");
  await login("alice", "alice-secret");
  pool.check = check;
  strictEqual((await login("alice", "alice-secret")).kind, "granted");
});

test("allow_nets is held against the address, also of a remembered login", async () => {
  const allowedNetworks = (address: string | undefined) => address === "10.0.0.1";
  const { authenticator } = setUp({ entries: [entry("alice", { allowedNetworks })] });
  const from = async (address: string) =>
    (await authenticator.deskFor(address).checkPassword("alice", octets("alice-secret"))).kind;
  strictEqual(await from("10.0.0.2"), "refused");
  strictEqual(await from("10.0.0.1"), "granted");
  strictEqual(await from("10.0.0.2"), "refused");
});

test("from where allow_nets forbids it, right and wrong passwords cost one decoy alike", async () => {
  const allowedNetworks = (address: string | undefined) => address === "10.0.0.1";
  const { authenticator, jobs } = setUp({ entries: [entry("alice", { allowedNetworks })] });
  const from = async (address: string, password: string) =>
    (await authenticator.deskFor(address).checkPassword("alice", octets(password))).kind;
  strictEqual(await from("10.0.0.1", "alice-secret"), "granted");
  jobs.length = 0;
  for (const password of ["alice-secret", "wrong", "alice-secret"]) {
    strictEqual(await from("10.0.0.2", password), "refused");
  }
  deepStrictEqual(jobs, [DECOY, DECOY, DECOY], "what is remembered does not answer sooner");
});

test("where the address is not known allow_nets refuses", async () => {
  const asked: unknown[] = [];
  const allowedNetworks = (address: string | undefined) => {
    asked.push(address);
    return address !== undefined;
  };
  const { login } = setUp({ entries: [entry("bob", { allowedNetworks })] });
  deepStrictEqual(await login("bob", "bob-secret"), { kind: "refused" });
  deepStrictEqual(asked, [undefined]);
});

test("whatever is tried, only a user's own password is granted", async () => {
  const { login } = setUp();
  const word = fc.oneof(
    fc.constantFrom("alice", "bob", "alice-secret", "bob-secret", "decoy", "", "{PLAIN}", DECOY),
    fc.string({ maxLength: 5 }),
  );
  await fc.assert(fc.asyncProperty(word, word, async (user, password) => {
    const { kind } = await login(user, password);
    const known = user === "alice" || user === "bob";
    strictEqual(kind === "granted", known && password === `${user}-secret`);
    ok(kind === "granted" || kind === "refused");
  }));
});
