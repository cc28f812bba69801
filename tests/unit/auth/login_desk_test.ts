/** What the desk decides beyond a password: which directory, whose mailbox, what is counted and when. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Authenticator, type AuthenticatorOptions } from "../../../src/auth/authenticator.ts";
import { makeAppPassword, storeAppPassword } from "../../../src/auth/app_passwords.ts";
import type { AccountDirectory, DirectoryEntry } from "../../../src/auth/directory.ts";
import type { PasswordCheck } from "../../../src/auth/hash_pool.ts";
import type { LoginOutcome } from "../../../src/auth/login.ts";
import type { LoginGuard } from "../../../src/auth/login_guard.ts";
import { PLAIN_NAMES } from "../../../src/auth/login_names.ts";

const octets = (text: string) => new TextEncoder().encode(text);
const ADDRESS = "192.0.2.7";

function entry(user: string, more: Partial<DirectoryEntry> = {}): DirectoryEntry {
  return {
    account: { user, extra: {} },
    storedPassword: `{PLAIN}${user}-secret`,
    disabled: false,
    ...more,
  };
}

/** Hands out what it has. */
function listing(...entries: DirectoryEntry[]): AccountDirectory {
  return {
    kind: "user_file",
    findsByName: true,
    secretKinds: new Set(entries.flatMap(({ secrets }) => Object.keys(secrets ?? {}))) as never,
    lookUp: (name) =>
      Promise.resolve(entries.find(({ account }) => account.user.toLowerCase() === name)),
    decoyFor: () => "{PLAIN}decoy",
  };
}

/** Hands out the first entry under a name of the test's, the others under their own. */
function named(name: string, first: DirectoryEntry, ...others: DirectoryEntry[]): AccountDirectory {
  const directory = listing(first, ...others);
  const { lookUp } = directory;
  return {
    ...directory,
    lookUp: (user) => user === name ? Promise.resolve(first) : lookUp(user),
  };
}

/** Checks passwords itself, each being the name with "-secret"; writes down whom it was asked about. */
function checking(asked: string[], ...entries: DirectoryEntry[]): AccountDirectory {
  return {
    kind: "pam",
    findsByName: false,
    secretKinds: new Set(),
    lookUp: () => Promise.resolve(undefined),
    checkPassword(user, password, address) {
      asked.push(`${user} from ${address}`);
      const found = entries.find(({ account }) => account.user === user);
      const right = new TextDecoder().decode(password) === `${user}-secret`;
      return Promise.resolve(
        found !== undefined && right ? { kind: "right", entry: found } : { kind: "wrong" },
      );
    },
  };
}

const FAILING: AccountDirectory = {
  kind: "ldap",
  findsByName: true,
  secretKinds: new Set(),
  lookUp: () => Promise.reject(new Error("does not answer")),
};

function desk(
  directories: readonly AccountDirectory[],
  options: Partial<AuthenticatorOptions> = {},
) {
  const authenticator = new Authenticator({
    directories,
    hashPool: {
      check(stored, password) {
        const right = stored === `{PLAIN}${new TextDecoder().decode(password)}`;
        return Promise.resolve<PasswordCheck>(right ? "right" : "wrong");
      },
    },
    passwordMemoryMs: 0,
    ...options,
  });
  return authenticator.deskFor(ADDRESS);
}

const granted = (user: string, more: object = {}): LoginOutcome => ({
  kind: "granted",
  account: { user, extra: {} },
  ...more,
});

test("directories are asked in order, and the first that knows a user decides", async () => {
  const asked: string[] = [];
  const { checkPassword } = desk([
    checking(asked, entry("alice")),
    listing(entry("bob", { storedPassword: "{PLAIN}one" })),
    listing(entry("bob", { storedPassword: "{PLAIN}two" }), entry("carol")),
  ]);
  deepStrictEqual(await checkPassword("alice", octets("alice-secret")), granted("alice"));
  deepStrictEqual(await checkPassword("bob", octets("one")), granted("bob"));
  deepStrictEqual(await checkPassword("bob", octets("two")), { kind: "refused" });
  deepStrictEqual(await checkPassword("carol", octets("carol-secret")), granted("carol"));
  deepStrictEqual(asked, ["alice", "bob", "bob", "carol"].map((name) => `${name} from ${ADDRESS}`));
});

test("a directory that cannot tell ends the login, and the next is not asked", async () => {
  const { checkPassword, admit, secretsOf } = desk([FAILING, listing(entry("alice"))]);
  deepStrictEqual(await checkPassword("alice", octets("alice-secret")), { kind: "unavailable" });
  deepStrictEqual(await admit("alice"), { kind: "unavailable" });
  deepStrictEqual(await secretsOf("alice"), { kind: "unavailable" });
});

test("whom a directory before knows is not held up by one that cannot tell", async () => {
  const { checkPassword } = desk([listing(entry("alice")), FAILING]);
  deepStrictEqual(await checkPassword("alice", octets("alice-secret")), granted("alice"));
  deepStrictEqual(await checkPassword("alice", octets("wrong")), { kind: "refused" });
});

/** A clock on which each question takes so long, and a wait that is only noted. */
function timed(tookMs: number) {
  const waits: number[] = [];
  let calls = 0;
  return {
    waits,
    nowMs: () => calls++ % 2 * tookMs,
    wait: (ms: number) => Promise.resolve(waits.push(ms)),
  };
}

test("where several directories are asked a refusal comes at a full second, whoever it is about", async () => {
  const { waits, ...time } = timed(1_999);
  const { checkPassword } = desk([listing(entry("alice")), listing(entry("bob"))], time);
  for (const user of ["alice", "bob", "nobody"]) {
    deepStrictEqual(await checkPassword(user, octets("wrong")), { kind: "refused" });
  }
  deepStrictEqual(waits, [1, 1, 1]);
});

test("who is let in waits for nothing, nor does a refusal of the one directory there is", async () => {
  const { waits, ...time } = timed(10);
  const several = desk([listing(entry("alice")), listing(entry("bob"))], time);
  deepStrictEqual(await several.checkPassword("alice", octets("alice-secret")), granted("alice"));
  const one = desk([listing(entry("alice"))], time);
  deepStrictEqual(await one.checkPassword("alice", octets("wrong")), { kind: "refused" });
  deepStrictEqual(waits, []);
});

test("master users act as anybody, by name or by authorization identity; others as nobody", async () => {
  const { checkPassword, admit } = desk([listing(entry("alice"), entry("Admin"), entry("bob"))], {
    masterUsers: ["Admin"],
    names: { ...PLAIN_NAMES, masterUserSeparator: "*" },
  });
  const acted = granted("alice", { actedBy: "Admin" });
  deepStrictEqual(await checkPassword("alice*Admin", octets("Admin-secret")), acted);
  deepStrictEqual(await checkPassword("Admin", octets("Admin-secret"), "alice"), acted);
  deepStrictEqual(await admit("Admin", "alice"), acted);
  const refused = { kind: "refused" };
  deepStrictEqual(await checkPassword("alice*bob", octets("bob-secret")), refused);
  deepStrictEqual(await checkPassword("bob", octets("bob-secret"), "alice"), refused);
  deepStrictEqual(await admit("bob", "alice"), refused);
  deepStrictEqual(await checkPassword("alice*Admin", octets("alice-secret")), refused);
  deepStrictEqual(await checkPassword("nobody*Admin", octets("Admin-secret")), refused);
});

test("without the rule nobody is a master by a name with the separator in it", async () => {
  const { checkPassword } = desk([listing(entry("alice"), entry("admin"))], {
    masterUsers: ["admin"],
  });
  deepStrictEqual(await checkPassword("alice*admin", octets("admin-secret")), { kind: "refused" });
});

test("delegates open the mailbox that names them, where delegates are on", async () => {
  const directory = listing(entry("alice", { delegates: ["bob"] }), entry("bob"), entry("carol"));
  const { checkPassword } = desk([directory], { names: { ...PLAIN_NAMES, delegates: true } });
  const acted = granted("alice", { actedBy: "bob" });
  deepStrictEqual(await checkPassword("/bob/alice", octets("bob-secret")), acted);
  deepStrictEqual(await checkPassword("\\bob\\alice", octets("bob-secret")), acted);
  deepStrictEqual(await checkPassword("bob", octets("bob-secret"), "alice"), acted);
  deepStrictEqual(await checkPassword("/bob/bob", octets("bob-secret")), granted("bob"));
  for (
    const [user, password] of [["/carol/alice", "carol-secret"], ["/alice/bob", "alice-secret"]]
  ) {
    deepStrictEqual(await checkPassword(user!, octets(password!)), { kind: "refused" });
  }
  const off = desk([directory]);
  deepStrictEqual(await off.checkPassword("bob", octets("bob-secret"), "alice"), {
    kind: "refused",
  });
});

test("a locked user is kept out whatever the proof, and the mailbox is there for others", async () => {
  const locked = ["!", "!!", "*", "*LK*", "!{PLAIN}x", "{CRYPT}*"];
  for (const storedPassword of locked) {
    const { admit, secretsOf } = desk([
      listing(entry("alice", { storedPassword }), entry("admin")),
    ], { masterUsers: ["admin"] });
    deepStrictEqual(await admit("alice"), { kind: "refused" }, storedPassword);
    deepStrictEqual(await admit("admin", "alice"), granted("alice", { actedBy: "admin" }));
    await secretsOf("alice");
    deepStrictEqual(await admit("alice"), { kind: "refused" }, storedPassword);
  }
  const { admit } = desk([listing(entry("alice", { storedPassword: "" }))]);
  deepStrictEqual(await admit("alice"), granted("alice"), "who has no password may have a ticket");
});

test("a master user is who is spelt so, and nobody alike", async () => {
  const kelvin = "\u212aevin";
  const { admit } = desk([named("admin", entry("Admin"), entry("alice"))], {
    masterUsers: ["admin", "kevin"],
  });
  deepStrictEqual(await admit("admin", "alice"), { kind: "refused" });
  const other = desk([named("kevin", entry(kelvin), entry("alice"))], { masterUsers: ["kevin"] });
  deepStrictEqual(await other.admit("kevin", "alice"), { kind: "refused" });
});

test("an app password opens its user's own mailbox, a master user's too", async () => {
  const secret = makeAppPassword();
  const appPasswords = [{ name: "phone", storedPassword: storeAppPassword(secret) }];
  const { checkPassword } = desk([listing(entry("alice"), entry("admin", { appPasswords }))], {
    masterUsers: ["admin"],
  });
  deepStrictEqual(await checkPassword("admin", octets(secret)), granted("admin"));
  deepStrictEqual(await checkPassword("admin", octets(secret), "alice"), { kind: "refused" });
});

test("directories are told the client's address, in whose turn they answer", async () => {
  const told: unknown[] = [];
  const directory = listing(entry("alice"));
  const { lookUp } = directory;
  directory.lookUp = (name, address) => {
    told.push(address);
    return lookUp(name);
  };
  const { checkPassword, secretsOf, admit } = desk([directory]);
  await checkPassword("alice", octets("alice-secret"));
  await secretsOf("alice");
  await admit("alice");
  deepStrictEqual(told, [ADDRESS, ADDRESS, ADDRESS]);
});

test("where several directories are asked, secrets come at a tenth of a second, known or not", async () => {
  const { waits, ...time } = timed(130);
  const { secretsOf } = desk([listing(entry("alice")), listing(entry("bob"))], time);
  for (const user of ["alice", "bob", "nobody"]) await secretsOf(user);
  deepStrictEqual(waits, [70, 70, 70]);
});

test("a closed account opens to a master user alone", async () => {
  const { checkPassword } = desk([
    listing(entry("alice", { disabled: true, delegates: ["bob"] }), entry("bob"), entry("admin")),
  ], { masterUsers: ["admin"], names: { ...PLAIN_NAMES, delegates: true } });
  const as = (user: string) => checkPassword(user, octets(`${user}-secret`), "alice");
  deepStrictEqual(await as("admin"), granted("alice", { actedBy: "admin" }));
  deepStrictEqual(await as("bob"), { kind: "disabled" });
});

test("a folder goes with the account that is opened", async () => {
  const { checkPassword } = desk([listing(entry("alice"))], {
    names: { ...PLAIN_NAMES, folderSeparator: "+" },
  });
  deepStrictEqual(await checkPassword("alice+Work", octets("alice-secret")), {
    kind: "granted",
    account: { user: "alice", extra: {}, folder: "Work" },
  });
});

test("a name without a domain is one of the default domain, and nobody's where there is none", async () => {
  const { checkPassword, admit, secretsOf } = desk([
    listing(entry("alice@example.com"), entry("bob", { secrets: { ntHash: new Uint8Array(16) } })),
  ], { names: { ...PLAIN_NAMES, defaultDomain: "example.com" } });
  deepStrictEqual(
    await checkPassword("alice", octets("alice@example.com-secret")),
    granted("alice@example.com"),
  );
  deepStrictEqual(await checkPassword("bob", octets("bob-secret")), { kind: "refused" });
  deepStrictEqual(await admit("bob"), { kind: "refused" });
  deepStrictEqual(await secretsOf("bob"), { kind: "found", secrets: {} });
});

test("directories are asked for the name in lower case, in all ways", async () => {
  const asked: string[] = [];
  const directory: AccountDirectory = {
    ...listing(),
    lookUp: (name) => Promise.resolve(void asked.push(name)),
  };
  const { checkPassword, admit, secretsOf } = desk([checking(asked), directory]);
  await checkPassword("Alice@Example.COM", octets("x"));
  await admit("Bob");
  await secretsOf("CAROL");
  deepStrictEqual(asked, [
    `alice@example.com from ${ADDRESS}`,
    "alice@example.com",
    "bob",
    "carol",
  ]);
});

test("an unknown name has one decoy in all the spellings that a known one is found by", async () => {
  const chosenFor: string[] = [];
  const directory: AccountDirectory = {
    ...listing(),
    decoyFor: (name) => {
      chosenFor.push(name);
      return "{PLAIN}decoy";
    },
  };
  const { checkPassword } = desk([directory], {
    names: { ...PLAIN_NAMES, defaultDomain: "example.com", folderSeparator: "+" },
  });
  for (const name of ["bob", "BOB", "bob@example.com", "Bob+Work"]) {
    await checkPassword(name, octets("x"));
  }
  deepStrictEqual(new Set(chosenFor), new Set(["bob@example.com"]));
});

test("secrets are those of the user, or none, whatever the reason", async () => {
  const ntHash = new Uint8Array(16);
  const { secretsOf } = desk([listing(entry("alice", { secrets: { ntHash } }), entry("bob"))]);
  deepStrictEqual(await secretsOf("alice"), { kind: "found", secrets: { ntHash } });
  for (const user of ["bob", "nobody", "", "n".repeat(1_000)]) {
    deepStrictEqual(await secretsOf(user), { kind: "found", secrets: {} });
  }
});

test("what proves an identity does not prove that it may log in", async () => {
  const from = (address: string | undefined) => address === "192.0.2.1";
  const { admit } = desk([
    listing(entry("alice", { disabled: true }), entry("bob", { allowedNetworks: from })),
  ]);
  deepStrictEqual(await admit("alice"), { kind: "disabled" });
  deepStrictEqual(await admit("bob"), { kind: "refused" });
  deepStrictEqual(await admit("nobody"), { kind: "refused" });
});

/** Writes down what it is told. */
function telling(told: unknown[]): LoginGuard {
  return {
    isDelayed: () => Promise.resolve(false),
    begin: (address, user) => {
      const tell = (what: string) => (...more: unknown[]) =>
        Promise.resolve(void told.push([what, address, user, ...more]));
      return Promise.resolve({
        kind: "open",
        turn: { source: "", known: false },
        failed: tell("failed"),
        succeeded: tell("succeeded"),
        dropped: () => void told.push(["dropped", address, user]),
      });
    },
  };
}

test("failures count for the name that was meant, successes for their address", async () => {
  const told: unknown[] = [];
  const { checkPassword, refuse, admit } = desk([listing(entry("alice"), entry("admin"))], {
    guard: telling(told),
    masterUsers: ["admin"],
    names: { ...PLAIN_NAMES, folderSeparator: "+", masterUserSeparator: "*" },
  });
  await checkPassword("Alice+Work", octets("x"));
  await checkPassword("bob*Admin", octets("y"));
  await checkPassword("alice", octets("alice-secret"));
  await refuse("ALICE");
  await refuse("");
  await refuse("alice", octets("token"));
  await admit("alice");
  await admit("nobody");
  deepStrictEqual(told, [
    ["failed", ADDRESS, "alice", octets("x")],
    ["failed", ADDRESS, "admin", octets("y")],
    ["succeeded", ADDRESS, "alice"],
    ["failed", ADDRESS, "alice", undefined],
    ["failed", ADDRESS, "", undefined],
    ["failed", ADDRESS, "alice", octets("token")],
    ["succeeded", ADDRESS, "alice"],
    ["dropped", ADDRESS, "nobody"],
  ]);
});

test("an outage and a closed account are no failures of guessing", async () => {
  const told: unknown[] = [];
  const guard = telling(told);
  const off = desk([listing(entry("alice", { disabled: true }))], { guard });
  deepStrictEqual(await off.checkPassword("alice", octets("alice-secret")), { kind: "disabled" });
  const out = desk([FAILING], { guard });
  deepStrictEqual(await out.checkPassword("alice", octets("x")), { kind: "unavailable" });
  deepStrictEqual(told, [["dropped", ADDRESS, "alice"], ["dropped", ADDRESS, "alice"]]);
});

test("while the guard says delayed nobody is asked, and right guesses are not told", async () => {
  const guard: LoginGuard = {
    begin: () => Promise.resolve({ kind: "delayed" }),
    isDelayed: () => Promise.resolve(true),
  };
  const out = desk([FAILING], { guard });
  deepStrictEqual(await out.checkPassword("alice", octets("x")), { kind: "delayed" });
  deepStrictEqual(await out.refuse("alice"), { kind: "delayed" });
  const { admit, secretsOf } = desk([listing(entry("alice"))], { guard });
  deepStrictEqual(await admit("alice"), granted("alice"), "a ticket is no guess");
  deepStrictEqual(await secretsOf("alice"), { kind: "delayed" });
  deepStrictEqual(await admit("alice"), { kind: "delayed" }, "a proof by a secret may be one");
});

test("a right guess that may not log in from here is counted as a wrong one is", async () => {
  const told: unknown[] = [];
  const { secretsOf, admit } = desk([listing(entry("bob", { allowedNetworks: () => false }))], {
    guard: telling(told),
  });
  await secretsOf("bob");
  deepStrictEqual(await admit("bob"), { kind: "refused" });
  deepStrictEqual(told, [["failed", ADDRESS, "bob", undefined]]);
});

test("a name that somebody else vouches for is a name and nothing more", async () => {
  const { admit, secretsOf } = desk([listing(entry("alice"), entry("admin"))], {
    masterUsers: ["admin"],
    names: {
      ...PLAIN_NAMES,
      masterUserSeparator: "*",
      folderSeparator: "+",
      delegates: true,
    },
  });
  for (const name of ["alice*admin", "alice+Work", "/admin/alice", "\\admin\\alice"]) {
    deepStrictEqual(await admit(name), { kind: "refused" }, name);
  }
  deepStrictEqual(await admit("alice", "alice+Work"), {
    kind: "granted",
    account: { user: "alice", extra: {}, folder: "Work" },
  });
  await secretsOf("alice*admin");
  deepStrictEqual(await admit("alice*admin"), granted("alice", { actedBy: "admin" }));
  // A domain checks a proof that could be guessed, and its name for the user is a name all the same.
  deepStrictEqual(await admit("alice*admin", "", true), { kind: "refused" });
});

test("what is made up is the same for the same key and text, and else is not", () => {
  const madeUpKey = new Uint8Array(32).fill(1);
  const [one, again, other] = [madeUpKey, madeUpKey, undefined].map((key) =>
    desk([listing()], key === undefined ? {} : { madeUpKey: key }).madeUp("alice")
  );
  strictEqual(one!.length, 32);
  deepStrictEqual(one, again);
  ok(!Buffer.from(one!).equals(other!));
});
